# C types of axfr_read.py.

from mailname.zone.fast_types cimport Octets
from mailname.zone.packed cimport PackedRecords

cpdef enum:
    DONE = 0
    RARE = 1
    ODD = 2
    FULL = 3
    MET_SOA = 4

cdef class RecordReader:
    cdef readonly PackedRecords packed
    cdef readonly bint ended
    cdef public bint differences
    cdef public unsigned int mark
    cdef unsigned int soa_length
    cdef readonly unsigned int rdtype, rdata_at, rdata_length
    cdef Octets wire
    cdef bytes held
    cdef unsigned char apex[256]
    cdef unsigned int size, at, left, ttl, after, owner, owner_at, count_before, size_before
    cdef int apex_length
    cdef unsigned char lower[256]
    cdef int _run(self, unsigned int most) noexcept nogil
    cdef bint _owner(self) noexcept nogil
    cdef bint _is_in_zone(self, unsigned int place, int length) noexcept nogil
    cdef bint _is_of_apex(self) noexcept nogil
    cdef bint _soa(self, int length) noexcept nogil
    cdef int _name(self, unsigned int at, unsigned int end, bint compressed, unsigned int to) noexcept nogil
    cdef int _rdata(self, unsigned int rdtype, unsigned int at, unsigned int end, unsigned int to) noexcept nogil
    cdef int _copy(self, unsigned int at, unsigned int end, unsigned int to) noexcept nogil
    cdef int _with_name(
        self, unsigned int before, unsigned int at, unsigned int end, unsigned int behind, unsigned int to
    ) noexcept nogil
    cdef int _two_names(self, unsigned int at, unsigned int end, unsigned int to) noexcept nogil
    cdef bint _strings(self, unsigned int at, unsigned int end) noexcept nogil
    cdef bint _bitmap(self, unsigned int at, unsigned int end) noexcept nogil
    cdef bint _nsec3(self, unsigned int at, unsigned int end) noexcept nogil
    cdef bint _caa(self, unsigned int at, unsigned int end) noexcept nogil

cdef bint _is_digest(unsigned int kind, int length) noexcept nogil
