# What plain_octets.py does, for compiled modules: inline, so that it costs them no call.

from libc.string cimport memcmp, memcpy

ctypedef unsigned char* Octets

cdef inline unsigned int u16(const unsigned char* image, unsigned int at) noexcept nogil:
    return image[at] | (image[at + 1] << 8)

cdef inline unsigned int u32(const unsigned char* image, unsigned int at) noexcept nogil:
    return image[at] | (image[at + 1] << 8) | (image[at + 2] << 16) | (<unsigned int> image[at + 3] << 24)

cdef inline void copy(
    unsigned char* out, unsigned int at, const unsigned char* source, unsigned int start, unsigned int count
) noexcept nogil:
    memcpy(out + at, source + start, count)

cdef inline bint same(
    const unsigned char* one, unsigned int at, const unsigned char* other, unsigned int start, unsigned int count
) noexcept nogil:
    cdef unsigned int i
    for i in range(count):  # names are short: a loop is faster than a call
        if one[at + i] != other[start + i]:
            return False
    return True

cdef inline int first_difference(
    const unsigned char* one, unsigned int at, const unsigned char* other, unsigned int start, unsigned int count
) noexcept nogil:
    return memcmp(one + at, other + start, count)
