# C types of images.py, which is plain Python without them.

ctypedef unsigned char* Octets

cdef unsigned int _u32(const unsigned char* block, size_t at) noexcept nogil
cdef size_t _u64(const unsigned char* block, size_t at) noexcept nogil
cdef unsigned int _hash(const unsigned char* name, size_t at, unsigned int length) noexcept nogil
cdef bint _is_name(const unsigned char* name, size_t at, unsigned int length) noexcept nogil

cdef class Images:
    cdef readonly unsigned int zones
    cdef unsigned int room
    cdef Octets* blocks
    cdef Octets* names
    cdef unsigned int* facts
    cdef unsigned int* slots
    cdef unsigned int mask
    cdef unsigned int speaks
    cdef readonly list packs
    cdef dict loose
    cdef dict spelled
    cdef list free
    cdef bint _reserve(self, unsigned int most) except 0
    cdef void _enter(self, unsigned int number) noexcept nogil
    cdef void _index(self) noexcept nogil
    cdef bint _has_name(self, unsigned int number, const unsigned char* name, int length) noexcept nogil
    cdef int locate(self, const unsigned char* name, int length, unsigned int hashed) noexcept nogil
    cdef bint _take_pack(self, Octets block, size_t size, unsigned int pack) noexcept nogil
    cdef tuple _entry(self, unsigned int number)
    cdef void _copy(self, Images other, unsigned int most)
    cdef void _forget(self, unsigned int number)
