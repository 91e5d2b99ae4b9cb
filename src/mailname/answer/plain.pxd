# C types of plain.py, which is plain Python without them; also for the compiled modules that answer without the interpreter.

from mailname.answer.images cimport Images

ctypedef unsigned char* Octets

cdef unsigned int _u16(Octets image, unsigned int at) noexcept nogil
cdef unsigned int _u32(Octets image, unsigned int at) noexcept nogil
cdef void _copy(Octets out, int at, Octets source, unsigned int start, unsigned int count) noexcept nogil
cdef int _find_zone(Images images, int* starts, int labels, unsigned int* hashes) noexcept nogil
cdef bint _same(Octets image, unsigned int at, Octets key, int start, int length) noexcept nogil
cdef unsigned int _find_node(Octets image, Octets key, int start, int length, unsigned int hashed) noexcept nogil
cdef unsigned int _find_rrset(Octets image, unsigned int node, unsigned int rdtype) noexcept nogil
cdef void _put_pointers(Octets image, unsigned int rrset, Octets out, int at, int apex) noexcept nogil
cdef int _put_under_pointer(Octets image, unsigned int rrset, Octets out, int at, int limit, int apex, int owner) noexcept nogil
cdef int _put_named(Octets image, unsigned int rrset, Octets out, int at, int limit, int apex, int apex_length) noexcept nogil
cdef int respond_plain(Images images, Octets query, int size, Octets out) noexcept nogil
