# C types of fast_types.py.

cimport cython

ctypedef unsigned char* Octets

cdef enum:
    NO_TYPE = 0
    PLACES = 512

@cython.final
cdef class TypeNames:
    cdef unsigned int keys[3 * PLACES]
    cdef unsigned int numbers[PLACES]
    cdef int of(self, Octets text, unsigned int start, unsigned int length) noexcept nogil

cdef unsigned int _place(unsigned int first, unsigned int second, unsigned int third) noexcept nogil
