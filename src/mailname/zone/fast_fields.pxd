# C types of fast_fields.py.

from mailname.zone.fast_tokens cimport Octets, Tokens

cdef enum:
    UNSURE = -1

cdef long long number(Tokens tokens, int token, long long most) noexcept nogil
cdef long long seconds(Tokens tokens, int token) noexcept nogil
cdef int name(Tokens tokens, int token, Octets out, unsigned int at) noexcept nogil
cdef bint address4(Tokens tokens, int token, Octets out, unsigned int at) noexcept nogil
cdef bint address6(Tokens tokens, int token, Octets out, unsigned int at) noexcept nogil
cdef int hexadecimal(Tokens tokens, int first, int last, Octets out, unsigned int at) noexcept nogil
cdef int base64(Tokens tokens, int first, int last, Octets out, unsigned int at) noexcept nogil
cdef int base32(Tokens tokens, int token, Octets out, unsigned int at) noexcept nogil
cdef int string(Tokens tokens, int token, Octets out, unsigned int at) noexcept nogil
cdef int _escape(Octets text, unsigned int at, unsigned int end) noexcept nogil
cdef int _digit16(unsigned char character) noexcept nogil
cdef int _digit32(unsigned char character) noexcept nogil
cdef int _digit64(unsigned char character) noexcept nogil
