# C types of plain_denial.py, which is plain Python without them.

from mailname.answer.plain_octets cimport Octets

ctypedef unsigned int* Proof

cdef enum:
    NO_TYPE = 0
    NO_NAME = 1
    NO_CLOSER_NAME = 2
    NO_TYPE_AT_WILDCARD = 3
    PROOF_ROOM = 64

cdef bint prove(Octets image, Proof proof, Octets key, int* starts, int labels, int length, int label, int kind) noexcept nogil
cdef void _add(Octets image, Proof proof, unsigned int node) noexcept nogil
cdef unsigned int _at_or_before(Octets image, Octets key, int* starts, int first, int labels) noexcept nogil
cdef bint _is_behind(Octets image, unsigned int number, Octets key, int* starts, int first, int labels) noexcept nogil
cdef bint _prove_by_hashes(
    Octets image, Proof proof, Octets wild, Octets key, int* starts, int labels, int length, int label, int kind
) noexcept nogil
cdef unsigned int _link_at_or_before(Octets image, Octets digest) noexcept nogil
