# C types of image_merge_index.py.

from mailname.zone.fast_types cimport Octets
from mailname.zone.image_merge_hosts cimport HostLists
from mailname.zone.image_merge_view cimport ImageView

cdef class MergeIndex(HostLists):
    cdef Octets out
    cdef unsigned long long total
    cdef unsigned int slots_at, nodes_at, rrsets_at, lists_at, chain_at, blob_at, mask, link_size, shift
    cdef bint _measure(self) noexcept nogil
    cdef bint _same_hidden(self) noexcept nogil
    cdef void _chain(self) noexcept nogil
    cdef unsigned int _new_link(self, unsigned int number, unsigned int to) noexcept nogil
    cdef void _slots(self) noexcept nogil
    cdef unsigned int _hash_of(self, unsigned int number) noexcept nogil
    cdef unsigned int _u16(self, unsigned int at) noexcept nogil
    cdef unsigned int _u32(self, unsigned int at) noexcept nogil
    cdef void _put16(self, unsigned int at, unsigned int value) noexcept nogil
    cdef void _put32(self, unsigned int at, unsigned int value) noexcept nogil
    cdef void _copy(self, ImageView view, unsigned int at, unsigned int to, unsigned int length) noexcept nogil
