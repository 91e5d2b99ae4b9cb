# C types of fast_rdata.py.

from mailname.zone.fast_tokens cimport Octets, Tokens

cdef int read_rdata(Tokens tokens, int first, int rdtype, Octets out, unsigned int at) noexcept nogil
cdef bint _numbers(Tokens tokens, int first, Octets out, unsigned int at, int octets, int count) noexcept nogil
cdef void _put(Octets out, unsigned int at, long long value, int octets) noexcept nogil
cdef int _after(int before, int more) noexcept nogil
cdef int _soa(Tokens tokens, int first, Octets out, unsigned int at) noexcept nogil
cdef int _txt(Tokens tokens, int first, Octets out, unsigned int at) noexcept nogil
cdef int _caa(Tokens tokens, int first, Octets out, unsigned int at) noexcept nogil
cdef int _ds(Tokens tokens, int first, Octets out, unsigned int at) noexcept nogil
cdef int _tlsa(Tokens tokens, int first, Octets out, unsigned int at) noexcept nogil
cdef int _dnskey(Tokens tokens, int first, Octets out, unsigned int at) noexcept nogil
cdef int _rrsig(Tokens tokens, int first, Octets out, unsigned int at) noexcept nogil
cdef long long _moment(Tokens tokens, int token) noexcept nogil
cdef int _nsec3(Tokens tokens, int first, Octets out, unsigned int at) noexcept nogil
cdef int _salt(Tokens tokens, int token, Octets out, unsigned int at) noexcept nogil
cdef int _bitmap(Tokens tokens, int first, Octets out, unsigned int at) noexcept nogil
