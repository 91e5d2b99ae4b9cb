# C types of ixfr_fill.py.

cimport cython

from mailname.zone.fast_types cimport Octets

@cython.final
cdef class StepFiller:
    cdef Octets out
    cdef readonly unsigned int size
    cdef readonly unsigned int records
    cdef unsigned char apex[256]
    cdef unsigned int apex_length, apex_at, owner_length, owner_place
    cdef size_t owner_from
    cdef size_t _take(self, Octets octets, size_t at, size_t end, unsigned int limit) noexcept nogil
    cdef bint _record(self, Octets octets, size_t at, size_t stop, size_t end) noexcept nogil
    cdef size_t _put_name(self, Octets octets, size_t at, size_t end) noexcept nogil
    cdef bint _is_apex(self, Octets octets, size_t at) noexcept nogil
    cdef void _copy(self, Octets octets, size_t at, size_t count) noexcept nogil
    cdef bint _is_same_owner(self, Octets octets, size_t at, size_t length) noexcept nogil

cdef size_t name_end(Octets data, size_t at, size_t end) noexcept nogil
