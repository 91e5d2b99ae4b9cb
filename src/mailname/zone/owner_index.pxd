# C types of owner_index.py.

cimport cython

from mailname.zone.fast_types cimport Octets
from mailname.zone.packed cimport PackedRecords

ctypedef unsigned int* Numbers

cdef extern from *:
    """
    #if defined(__GNUC__)
    #define mailname_fetch(place) __builtin_prefetch(place)
    #else
    #define mailname_fetch(place) ((void)0)
    #endif
    """
    # Asks for memory that is needed soon.
    void fetch "mailname_fetch"(const void* place) noexcept nogil

cdef enum:
    OWNER = 5
    NONE = 0xFFFFFFFF

@cython.final
cdef class OwnerIndex:
    cdef Numbers owners
    cdef Numbers spare
    cdef readonly unsigned int count
    cdef unsigned int room, spare_room, named, table_room, last_place, last_owner
    cdef Numbers table
    cdef unsigned int mask
    cdef unsigned char apex[256]
    cdef int apex_length, apex_labels
    cdef unsigned int apex_hash
    cdef unsigned char lower[256]
    cdef unsigned int hashes[130]
    cdef unsigned char starts[130]
    cdef Numbers outside
    cdef unsigned int outside_count, outside_room
    cdef unsigned int soon[2 * 32]
    cdef void take_apex(self, Octets apex, int length) noexcept nogil
    cdef bint take(self, PackedRecords packed) noexcept nogil
    cdef bint add_empty_non_terminals(self, Octets data) noexcept nogil
    cdef bint _reserve(self, unsigned int most) noexcept nogil
    cdef unsigned int find(self, Octets data, Octets name, unsigned int at, int length, unsigned int hashed) noexcept nogil
    cdef int measure(self, Octets name, unsigned int at) noexcept nogil
    cdef int measure_below(self, Octets name, unsigned int at, int begins) noexcept nogil
    cdef int begins_apex(self, Octets name, unsigned int at) noexcept nogil
    cdef bint _add(self, unsigned int place, int length, int labels, unsigned int hashed) noexcept nogil
    cdef bint put_in_order(self, Numbers order, Numbers places) noexcept nogil
    cdef void _enter(self, unsigned int owner) noexcept nogil
    cdef bint _take_some(self, PackedRecords packed, unsigned int first, unsigned int end) noexcept nogil
    cdef bint _note_outside(self, unsigned int record) noexcept nogil
