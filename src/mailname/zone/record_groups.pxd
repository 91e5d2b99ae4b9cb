# C types of record_groups.py.

from mailname.zone.canonical_order cimport CanonicalOrder
from mailname.zone.owner_index cimport Numbers, OwnerIndex
from mailname.zone.packed cimport PackedRecords

cdef enum:
    HAS_DNAME = 4
    HAS_CNAME = 8
    NSEC3_OWNER = 64
    HAS_NSEC = 0x100
    HAS_NAMES = 0x1000
    HAS_NS = 0x2000
    HAS_NSEC3 = 0x4000
    ONLY_HASHED = 0x8000

cpdef enum:
    GOOD = 0
    NO_MEMORY = 1
    NO_SOA = 2
    NO_NS = 3
    SOA_BELOW_APEX = 4
    SECOND_SINGLETON = 5
    CNAME_AND_OTHER_DATA = 6
    UNCERTAIN_DUPLICATE = 7
    TOO_LARGE = 8

cdef class RecordGroups:
    cdef PackedRecords packed
    cdef readonly OwnerIndex index
    cdef CanonicalOrder order
    cdef bint trusted
    cdef Numbers chain
    cdef Numbers spare
    cdef unsigned int chain_room
    cdef Numbers noted
    cdef unsigned int noted_count, noted_room
    cdef readonly unsigned int records, rrsets
    cdef readonly unsigned long long blob_size
    cdef unsigned int soa, parameters
    cdef bint nsec
    cdef readonly bint signed
    cdef int group(self) noexcept nogil
    cdef unsigned int compressed_length(self, unsigned int record) noexcept nogil
    cdef int name_in(self, unsigned int rdtype) noexcept nogil
    cdef int _group(self) noexcept nogil
    cdef unsigned int _collect(self, unsigned int owner) noexcept nogil
    cdef int _group_owner(self, unsigned int owner) noexcept nogil
    cdef unsigned int _covered(self, unsigned int record) noexcept nogil
    cdef void _sort_by_covered(self, unsigned int first, unsigned int end) noexcept nogil
    cdef void _give_ttl(self, unsigned int owner, unsigned int signatures) noexcept nogil
    cdef bint _room(self, unsigned int count) noexcept nogil
    cdef bint _note(self, unsigned int record) noexcept nogil
    cdef int _without_duplicates(self, unsigned int first, unsigned int end) noexcept nogil
