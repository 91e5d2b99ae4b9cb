# C types of last_record.py.

cdef int _last(unsigned char* wire, int size) noexcept nogil
cdef int _behind_name(unsigned char* wire, int at, int size) noexcept nogil
cdef int _u16(unsigned char* wire, int at) noexcept nogil
