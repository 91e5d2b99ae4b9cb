# C types of name_sketch.py, which is plain Python without them.

cdef class NameSketch:
    cdef unsigned long long secret
    cdef unsigned long long[1024] keys
    cdef unsigned long long[1024] counts
    cdef unsigned long long[1024] over
    cdef unsigned int[1024] since
    cdef unsigned char[1024][255] names
    cdef void add(self, const unsigned char *message, unsigned long long count, unsigned int now) noexcept nogil
