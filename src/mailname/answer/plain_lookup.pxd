# C types of plain_lookup.py, which is plain Python without them.

from mailname.answer.images cimport Images
from mailname.answer.plain_octets cimport Octets

cdef enum:
    NONE = 0xFFFFFFFF

cdef int find_zone(Images images, int* starts, int labels, unsigned int* hashes, int label) noexcept nogil
cdef unsigned int find_node(Octets image, Octets key, int start, int length, unsigned int hashed) noexcept nogil
cdef unsigned int find_rrset(Octets image, unsigned int node, unsigned int rdtype) noexcept nogil
