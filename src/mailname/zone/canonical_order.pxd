# C types of canonical_order.py.

cimport cython

from mailname.zone.fast_types cimport Octets
from mailname.zone.owner_index cimport Numbers, OwnerIndex

ctypedef unsigned long long* Keys

@cython.final
cdef class CanonicalOrder:
    cdef Numbers order
    cdef Numbers spare
    cdef Keys keys
    cdef Keys spare_keys
    cdef bint sort(self, OwnerIndex index, Octets data) noexcept nogil
    cdef unsigned int room
    cdef bint moved
    cdef bint _reserve(self, unsigned int count) noexcept nogil
    cdef void free_all(self) noexcept nogil
    cdef unsigned long long _key(self, OwnerIndex index, Octets data, unsigned int owner, int depth) noexcept nogil
    cdef void _sort(self, OwnerIndex index, Octets data, unsigned int first, unsigned int end, int depth) noexcept nogil
    cdef void _radix(self, unsigned int first, unsigned int end) noexcept nogil
