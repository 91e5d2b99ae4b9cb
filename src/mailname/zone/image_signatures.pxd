# C types of image_signatures.py.

from mailname.zone.fast_types cimport Octets

cdef void sign(Octets out, unsigned int blob, unsigned int first, unsigned int end) noexcept nogil
cdef void sign_negative(
    Octets out, unsigned int blob, unsigned int at, unsigned int soa, unsigned int entry, unsigned int ttl
) noexcept nogil
cdef void _point_at(Octets out, unsigned int entry, unsigned int begins, unsigned int octets, unsigned int count) noexcept nogil
cdef void _put_ttl(Octets out, unsigned int at, unsigned int ttl) noexcept nogil
cdef void _put16(Octets out, unsigned int at, unsigned int value) noexcept nogil
cdef unsigned int _u16(Octets out, unsigned int at) noexcept nogil
cdef unsigned int _u32(Octets out, unsigned int at) noexcept nogil
