# C types of plain_question.py, which is plain Python without them.

from mailname.answer.images cimport Images

ctypedef unsigned char* Octets

cdef bint options_are_plain(Images images, Octets query, int at, int size, unsigned int rdtype) noexcept nogil
cdef void hash_suffixes(Octets key, int length, int* starts, int label, unsigned int* hashes) noexcept nogil
cdef int take_target(Octets out, int at, Octets apex, int apex_length, Octets key, int* starts) noexcept nogil
