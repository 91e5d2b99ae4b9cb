# C types of plain_authority.py, which is plain Python without them.

from mailname.answer.plain_denial cimport Proof
from mailname.answer.plain_octets cimport Octets

cdef int put_authority(
    Octets image, Proof proof, Octets key, int* starts, int labels, int length, int label, int kind, unsigned int rrset,
    unsigned int cut, bint signed, Octets out, int at, int limit, int apex, int owner, int named
) noexcept nogil
cdef int _put_proofs(
    Octets image, Proof proof, unsigned int first, unsigned int end, Octets key, int* starts, int labels, int length,
    Octets out, int at, int limit, int apex, int owner
) noexcept nogil
