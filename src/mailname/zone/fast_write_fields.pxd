# C types of fast_write_fields.py.

from mailname.zone.fast_types cimport Octets

cdef enum:
    UNSURE = -1
    NAMED = 512

cdef class TextOut:
    cdef Octets out
    cdef unsigned int at
    cdef unsigned char apex[256]
    cdef unsigned int apex_length
    cdef unsigned char in_names[256]
    cdef unsigned char in_strings[256]
    cdef unsigned char type_names[16 * NAMED]
    cdef unsigned char digits16[16]
    cdef unsigned char digits32[32]
    cdef unsigned char digits64[64]
    cdef void put(self, int character) noexcept nogil
    cdef void number(self, unsigned int value) noexcept nogil
    cdef void type_name(self, unsigned int rdtype) noexcept nogil
    cdef int name(self, Octets data, unsigned int at, unsigned int end, bint compressed) noexcept nogil
    cdef bint _is_apex(self, Octets data, unsigned int at) noexcept nogil
    cdef void _label(self, Octets data, unsigned int at) noexcept nogil
    cdef bint string(self, Octets data, unsigned int at, unsigned int length, bint plain) noexcept nogil
    cdef void _escape(self, unsigned int octet) noexcept nogil
    cdef void address4(self, Octets data, unsigned int at) noexcept nogil
    cdef void address6(self, Octets data, unsigned int at) noexcept nogil
    cdef void hexadecimal(self, Octets data, unsigned int at, unsigned int end) noexcept nogil
    cdef void base64(self, Octets data, unsigned int at, unsigned int end) noexcept nogil
    cdef void base32(self, Octets data, unsigned int at, unsigned int end) noexcept nogil
    cdef void moment(self, unsigned int seconds) noexcept nogil
    cdef void _fixed(self, unsigned int value, int digits) noexcept nogil
