# C types of image_build.py.

cimport cython

from mailname.zone.denial_chain cimport DenialChain
from mailname.zone.fast_types cimport Octets
from mailname.zone.owner_index cimport Numbers
from mailname.zone.packed cimport PackedRecords

cdef enum:
    CUT = 1
    BELOW_CUT = 2
    HAS_WILDCARD = 16
    BELOW_DNAME = 32

@cython.final
cdef class ImageBuilder(DenialChain):
    cdef Numbers lists
    cdef readonly unsigned int lists_count
    cdef unsigned int lists_room
    cdef int make_ready(self) noexcept nogil
    cdef void _flag(self) noexcept nogil
    cdef bint _is_below(self, unsigned int owner, unsigned int above) noexcept nogil
    cdef unsigned int parent(self, unsigned int owner) noexcept nogil
    cdef bint _list_number(self, unsigned int number) noexcept nogil
    cdef int _list(self) noexcept nogil
    cdef bint _list_pointers(self, unsigned int record, unsigned int body) noexcept nogil
    cdef bint _list_hosts(self, unsigned int owner, unsigned int first, unsigned int end, bint needed) noexcept nogil
