# C types of image_diff.py.

cimport cython

from mailname.zone.fast_types cimport Octets
from mailname.zone.image_merge_view cimport ImageView
from mailname.zone.owner_index cimport OwnerIndex
from mailname.zone.packed cimport PackedRecords

cdef enum:
    PLACES = 128

cpdef enum:
    COMPARED = 0
    TOO_MUCH = 1
    NO_MEMORY = 2

@cython.final
cdef class ImageDiff:
    cdef ImageView old
    cdef ImageView new
    cdef OwnerIndex index
    cdef readonly PackedRecords removed
    cdef readonly PackedRecords added
    cdef unsigned int most, owner_removed, owner_added
    cdef unsigned char name[256]
    cdef unsigned int ones[PLACES]
    cdef unsigned int others[PLACES]
    cdef int _all(self) noexcept nogil
    cdef bint _same_name(self, unsigned int one, unsigned int other) noexcept nogil
    cdef bint _comes_first(self, unsigned int one, unsigned int other) noexcept nogil
    cdef bint _soa(self) noexcept nogil
    cdef bint _nodes(self, unsigned int one, unsigned int other) noexcept nogil
    cdef bint _same_rrset(self, unsigned int one, unsigned int other) noexcept nogil
    cdef bint _rrsets(self, unsigned int one, unsigned int other, unsigned int old, unsigned int new) noexcept nogil
    cdef bint _few(self, unsigned int one, unsigned int left, unsigned int other, unsigned int more) noexcept nogil
    cdef bint _many(
        self,
        unsigned int one,
        unsigned int at,
        unsigned int left,
        unsigned int other,
        unsigned int place,
        unsigned int more,
    ) noexcept nogil
    cdef bint _whole(self, bint gone, unsigned int node, unsigned int rrset) noexcept nogil
    cdef bint _record(self, bint gone, unsigned int node, unsigned int at) noexcept nogil
    cdef bint _same_record(self, unsigned int one, unsigned int other) noexcept nogil

cdef unsigned int _owner(ImageView view, unsigned int node, PackedRecords packed) noexcept nogil
cdef unsigned int _octets(ImageView view, unsigned int at) noexcept nogil
