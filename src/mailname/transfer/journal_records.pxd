# C types of journal_records.py.

cimport cython

from mailname.zone.fast_types cimport Octets
from mailname.zone.packed cimport PackedRecords

@cython.final
cdef class StepReader:
    cdef readonly PackedRecords packed
    cdef readonly unsigned int before, after
    cdef bint _read(self, Octets octets, size_t at, size_t end) noexcept nogil

cdef unsigned long long _size(PackedRecords packed) noexcept nogil
cdef void _fill(PackedRecords packed, Octets out) noexcept nogil
