# C types of images.py, which is plain Python without them.

from mailname.answer.image_index cimport ImageIndex, Octets

cdef unsigned int _u32(const unsigned char* block, size_t at) noexcept nogil
cdef size_t _u64(const unsigned char* block, size_t at) noexcept nogil
cdef unsigned int _hash(const unsigned char* name, size_t at, unsigned int length) noexcept nogil
cdef bint _is_name(const unsigned char* name, size_t at, unsigned int length) noexcept nogil

cdef class Images(ImageIndex):
    cdef unsigned int speaks
    cdef readonly list packs
    cdef Octets* bases
    cdef dict loose
    cdef bint _take_pack(self, Octets block, size_t size, unsigned int pack) noexcept nogil
    cdef bint is_made_of(self, unsigned int number, const unsigned char* stamp) noexcept nogil
    cdef void keep(self, unsigned int number) noexcept nogil
    cdef tuple _entry(self, unsigned int number)
    cdef void _copy(self, Images other, unsigned int most)
    cdef void _let_go(self)
    cdef void _forget(self, unsigned int number)
