# C types of denial_chain.py.

from mailname.zone.record_groups cimport RecordGroups

cdef enum:
    HASHED = 128
    IN_CHAIN = 0x200
    NSEC_LINK = 4
    NSEC3_LINK = 24

cdef int digit_of(unsigned char octet) noexcept nogil

cdef class DenialChain(RecordGroups):
    cdef readonly bint hides, odd
    cdef readonly unsigned int links, link_size, soa_signatures
    cdef unsigned int used
    cdef void find_chain(self) noexcept nogil
    cdef void _measure_soa_signatures(self) noexcept nogil
    cdef void _flag_link(self, unsigned int owner, unsigned int flag) noexcept nogil
    cdef bint _has_chain(self, unsigned int parameters) noexcept nogil
    cdef bint _is_of_chain(self, unsigned int owner, unsigned int parameters) noexcept nogil
    cdef bint _is_hash(self, unsigned int owner) noexcept nogil
