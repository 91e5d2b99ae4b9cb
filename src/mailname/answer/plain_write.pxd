# C types of plain_write.py, which is plain Python without them.

from mailname.answer.plain_octets cimport Octets

cdef void point_at(Octets out, int at, int end, int owner) noexcept nogil
cdef int put_rrset(Octets image, unsigned int rrset, Octets out, int at, int limit, int apex, int owner) noexcept nogil
cdef int put_signatures(Octets image, unsigned int rrset, Octets out, int at, int limit, int owner) noexcept nogil
cdef int put_named(
    Octets image, unsigned int rrset, Octets out, int at, int limit, int labels, int pointer, bint signed
) noexcept nogil
cdef int shared_label(Octets image, unsigned int node, Octets key, int* starts, int labels, int length) noexcept nogil
