# C types of fast_scan.py.

cimport cython

from mailname.zone.fast_tokens cimport Octets, Tokens
from mailname.zone.packed cimport PackedRecords

cpdef enum:
    DONE = 0
    STOPPED = 1
    UNREADABLE = -1

@cython.final
cdef class Scanner:
    cdef readonly Tokens tokens
    cdef readonly PackedRecords packed
    cdef unsigned int owner
    cdef bint has_owner
    cdef public bint origin_changed, warned_of_ttl
    cdef public long long default_ttl, last_ttl
    cdef void start(self) noexcept nogil
    cdef int scan(self) noexcept nogil
    cdef void _reserve(self) noexcept nogil
    cdef bint _entry(self, Tokens tokens, PackedRecords packed) noexcept nogil
    cdef bint _directive(self, Tokens tokens, PackedRecords packed) noexcept nogil
    cdef bint _record(self, Tokens tokens, PackedRecords packed, int field, unsigned int owner, unsigned int start) noexcept nogil
