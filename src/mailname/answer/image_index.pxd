# C types of image_index.py, which is plain Python without them.

ctypedef unsigned char* Octets

cdef enum:
    # For each zone there are four facts: the hash of its apex, the number of its pack (or ALONE), its entry there, and whether it
    # is THERE and MARKED.
    FACTS = 4
    ALONE = 0xFFFFFFFF
    THERE = 1
    MARKED = 2

cdef class ImageIndex:
    cdef readonly unsigned int zones
    cdef unsigned int room
    cdef Octets* blocks
    cdef Octets* names
    cdef unsigned int* facts
    cdef unsigned int* slots
    cdef unsigned int mask
    cdef dict spelled
    cdef unsigned int first_free, free_count
    cdef bint _reserve(self, unsigned int most) except 0
    cdef unsigned int _next(self) noexcept nogil
    cdef void _enter(self, unsigned int number) noexcept nogil
    cdef void _index(self) noexcept nogil
    cdef bint _has_name(self, unsigned int number, const unsigned char* name, int length) noexcept nogil
    cdef int locate(self, const unsigned char* name, int length, unsigned int hashed) noexcept nogil
    cdef void _spell(self, unsigned int number, bytes apex)
