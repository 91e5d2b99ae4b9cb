# C types of image_merge_view.py.

cimport cython

from mailname.zone.fast_types cimport Octets

cdef enum:
    NOWHERE = 0xFFFFFFFF

@cython.final
cdef class ImageView:
    cdef object held
    cdef Octets data
    cdef unsigned int total, nodes, rrsets, mask, slots_at, nodes_at, rrsets_at, lists_at, chain_at, blob_at
    cdef unsigned int records, links, used, flags
    cdef readonly unsigned int apex_length
    cdef unsigned char starts[2 * 128]
    cdef bint found
    cdef unsigned int u16(self, unsigned int at) noexcept nogil
    cdef unsigned int u32(self, unsigned int at) noexcept nogil
    cdef unsigned int node(self, unsigned int number) noexcept nogil
    cdef unsigned int rrset(self, unsigned int number) noexcept nogil
    cdef unsigned int lower(self, unsigned int number) noexcept nogil
    cdef unsigned int first(self, unsigned int number) noexcept nogil
    cdef unsigned int count(self, unsigned int number) noexcept nogil
    cdef unsigned int flags_of(self, unsigned int number) noexcept nogil
    cdef unsigned int with_type(self, unsigned int number, unsigned int rdtype) noexcept nogil
    cdef unsigned int list_start(self, unsigned int number) noexcept nogil
    cdef int _measure(self, Octets data, unsigned int at, unsigned int starts) noexcept nogil
    cdef int _order(self, int labels, Octets data, unsigned int at, unsigned int number) noexcept nogil
    cdef int order(self, Octets data, unsigned int at, unsigned int number) noexcept nogil
    cdef unsigned int place(self, Octets data, unsigned int at) noexcept nogil
    cdef unsigned int find(self, Octets data, unsigned int at, unsigned int length, unsigned int hashed) noexcept nogil
    cdef bint is_below(self, unsigned int number, Octets data, unsigned int at, unsigned int length) noexcept nogil

cdef bint has_list(unsigned int rdtype) noexcept nogil
