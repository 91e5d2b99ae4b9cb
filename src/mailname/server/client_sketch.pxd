# C types of client_sketch.py, which is plain Python without them.

cdef class ClientSketch:
    cdef unsigned long long secret
    cdef unsigned long long[1024] keys
    cdef unsigned long long[1024] counts
    cdef unsigned long long[1024] over
    cdef unsigned int[1024] since
    cdef void add(self, unsigned long long key, unsigned long long count, unsigned int now) noexcept nogil
