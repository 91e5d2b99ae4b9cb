# C types of fast_tokens.py.

cimport cython

from mailname.zone.fast_types cimport Octets, TypeNames

cdef enum:
    MOST_TOKENS = 512
    QUOTED = 1
    ESCAPED = 2
    REFUSED = -1
    NOTHING = 0
    ENTRY = 1

@cython.final
cdef class Tokens:
    cdef bytes held
    cdef TypeNames types
    cdef Octets text
    cdef readonly unsigned int size, begin, end, lines, lines_after
    cdef unsigned int starts[MOST_TOKENS]
    cdef unsigned int lengths[MOST_TOKENS]
    cdef unsigned char marks[MOST_TOKENS]
    cdef int count
    cdef bint blank_owner, unsure
    cdef unsigned char kinds[256]
    cdef unsigned char origin[256]
    cdef int origin_length
    cdef unsigned int count_lines(self) noexcept nogil
    cdef void take_text(self, Octets text, unsigned int size) noexcept nogil
    cdef void take_origin(self, Octets origin, int length) noexcept nogil
    cdef int cut(self) noexcept nogil
    cdef bint _take(self, unsigned int start, unsigned int end, int mark, unsigned int before) noexcept nogil
