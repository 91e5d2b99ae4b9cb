# C types of axfr_fill.py.

from mailname.zone.fast_types cimport Octets

cdef enum:
    PLACES = 2048
    FIRST_SOA = 0
    DATA = 1
    LAST_SOA = 2
    SENT = 3

cdef class MessageFiller:
    cdef object held
    cdef Octets image
    cdef Octets out
    cdef unsigned int nodes, nodes_at, rrsets_at, blob, node_size, rrset_size
    cdef unsigned int node, rrset, left, at, stage
    cdef unsigned int size, owner, owner_at, apex, apex_labels, apex_hash, known
    cdef unsigned int ends[130]
    cdef unsigned int starts[130]
    cdef unsigned int hashes[130]
    cdef unsigned int keys[PLACES]
    cdef unsigned short places[PLACES]
    cdef unsigned char lower[256]
    cdef readonly unsigned int records
    cdef readonly bint sent
    cdef void _fill(self, unsigned int size, unsigned int limit) noexcept nogil
    cdef void _begin_names(self, unsigned int size) noexcept nogil
    cdef unsigned int _soa(self) noexcept nogil
    cdef void _go_to(self, unsigned int node, unsigned int rrset) noexcept nogil
    cdef void _go_on(self) noexcept nogil
    cdef void _record(self) noexcept nogil
    cdef void _owner(self) noexcept nogil
    cdef unsigned int _name(self, unsigned int at) noexcept nogil
    cdef unsigned int _find(self, unsigned int name, unsigned int hashed) noexcept nogil
    cdef bint _is_same(self, unsigned int name, unsigned int at) noexcept nogil
    cdef void _enter(self, unsigned int hashed, unsigned int at) noexcept nogil
    cdef void _copy(self, unsigned int at, unsigned int count) noexcept nogil
    cdef unsigned int _u16(self, unsigned int at) noexcept nogil
    cdef unsigned int _u32(self, unsigned int at) noexcept nogil
