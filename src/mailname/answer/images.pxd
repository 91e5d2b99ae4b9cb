# C types of images.py, which is plain Python without them.

cdef class Images:
    cdef int zones
    cdef unsigned char** blocks
    cdef unsigned int* slots
    cdef unsigned int mask
    cdef unsigned int speaks
    cdef dict numbers
    cdef list held
    cdef list retired
