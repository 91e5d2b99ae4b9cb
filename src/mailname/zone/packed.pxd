# C types of packed.py.

cimport cython

cdef enum:
    ROW = 6

@cython.final
cdef class PackedRecords:
    cdef unsigned char* data
    cdef unsigned int size
    cdef unsigned int room
    cdef unsigned int* rows
    cdef readonly unsigned int count
    cdef unsigned int rows_room
    cdef void forget(self) noexcept nogil
    cdef bint reserve(self, unsigned int octets) noexcept nogil
    cdef void reserve_for(self, unsigned int records, unsigned int octets) noexcept nogil
    cdef bint _grow_data(self, unsigned int room) noexcept nogil
    cdef bint _grow_rows(self, unsigned int room) noexcept nogil
    cdef void finish(
        self, unsigned int owner, unsigned int ttl, unsigned int rdtype, unsigned int rdata, unsigned int length, unsigned int at
    ) noexcept nogil
