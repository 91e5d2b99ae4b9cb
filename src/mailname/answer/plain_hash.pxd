# C types of plain_hash.py, which is plain Python without them.

from mailname.answer.plain_octets cimport Octets

cdef void hash_name(Octets image, unsigned int parameters, Octets key, int start, int length, Octets digest) noexcept nogil
cdef unsigned int _pad(Octets data, unsigned int length) noexcept nogil
cdef void _digest(Octets data, unsigned int blocks, Octets digest) noexcept nogil
cdef void _put(Octets digest, unsigned int at, unsigned int number) noexcept nogil
