# C types of fast_write_rdata.py.

from mailname.zone.fast_types cimport Octets
from mailname.zone.fast_write_fields cimport TextOut

cdef bint write_rdata(TextOut text, unsigned int rdtype, Octets data, unsigned int at, unsigned int end) noexcept nogil
cdef void write_unknown(TextOut text, Octets data, unsigned int at, unsigned int end) noexcept nogil
cdef unsigned int _get(Octets data, unsigned int at, int octets) noexcept nogil
cdef void _numbers(TextOut text, Octets data, unsigned int at, int octets, int count) noexcept nogil
cdef bint _last_name(TextOut text, Octets data, unsigned int at, unsigned int end, bint compressed) noexcept nogil
cdef bint _soa(TextOut text, Octets data, unsigned int at, unsigned int end) noexcept nogil
cdef bint _strings(TextOut text, Octets data, unsigned int at, unsigned int end) noexcept nogil
cdef bint _naptr(TextOut text, Octets data, unsigned int at, unsigned int end) noexcept nogil
cdef bint _caa(TextOut text, Octets data, unsigned int at, unsigned int end) noexcept nogil
cdef bint _rrsig(TextOut text, Octets data, unsigned int at, unsigned int end) noexcept nogil
cdef bint _nsec3(TextOut text, Octets data, unsigned int at, unsigned int end) noexcept nogil
cdef int _parameters(TextOut text, Octets data, unsigned int at, unsigned int end) noexcept nogil
cdef bint _bitmap(TextOut text, Octets data, unsigned int at, unsigned int end) noexcept nogil
