# C types of same_rdata.py.

from mailname.zone.fast_types cimport Octets
from mailname.zone.packed cimport PackedRecords

cdef enum:
    DIFFERENT = 0
    SAME = 1
    UNCERTAIN = 2

cdef unsigned int hash_rdata(PackedRecords packed, Octets lower, unsigned int record) noexcept nogil
cdef int compare_rdata(PackedRecords packed, Octets lower, unsigned int one, unsigned int other) noexcept nogil
