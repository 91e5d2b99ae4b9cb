# C types of image_layout.py.

cimport cython

from mailname.zone.fast_types cimport Octets
from mailname.zone.image_build cimport ImageBuilder

@cython.final
cdef class Layout:
    cdef ImageBuilder builder
    cdef Octets out
    cdef unsigned int slots, mask, nodes, rrsets, lists, chain, blob, blob_end
    cdef unsigned int next_rrset, next_list, next_link
    cdef readonly unsigned long long total
    cdef bytes magic
    cdef Octets first
    cdef bint measure(self) noexcept nogil
    cdef void write_to(self, Octets out) noexcept nogil
    cdef void _write(self) noexcept nogil
    cdef unsigned int _write_header(self) noexcept nogil
    cdef unsigned int _number(self, unsigned int at) noexcept nogil
    cdef void _name(self, unsigned int at, unsigned int node) noexcept nogil
    cdef unsigned int _rrset(self, unsigned int node, unsigned int record) noexcept nogil
    cdef void _fixed(
        self, unsigned int node, unsigned int rdtype, unsigned int count, unsigned int ttl, unsigned int body
    ) noexcept nogil
    cdef void _record(self, unsigned int record, unsigned int ttl) noexcept nogil
    cdef void _link(self, unsigned int node) noexcept nogil
    cdef void _enter_all(self) noexcept nogil
    cdef void _enter(self, unsigned int node, unsigned int hashed) noexcept nogil
    cdef unsigned int _get32(self, size_t at) noexcept nogil
    cdef void _fetch(self, unsigned int node) noexcept nogil
    cdef void _put16(self, size_t at, unsigned int value) noexcept nogil
    cdef void _put32(self, size_t at, unsigned int value) noexcept nogil
    cdef void _copy(self, Octets source, unsigned int start, unsigned int length) noexcept nogil
