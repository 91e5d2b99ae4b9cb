# C types of fast_write.py.

from mailname.zone.fast_types cimport Octets
from mailname.zone.fast_write_fields cimport TextOut

cdef class ImageWriter:
    cdef object held
    cdef TextOut text
    cdef Octets data
    cdef unsigned int nodes_at, rrsets_at, blob, nodes
    cdef unsigned int node, owner, owner_end, rrset, rrsets_end, left, rdtype, ttl
    cdef unsigned int at, begin, end
    cdef bint soa_only, owner_due
    cdef public bint unknown
    cdef int _run(self) noexcept nogil
    cdef bint _next(self) noexcept nogil
    cdef unsigned int _get16(self, unsigned int at) noexcept nogil
    cdef unsigned int _get32(self, unsigned int at) noexcept nogil
