# C types of image_merge_hosts.py.

from mailname.zone.fast_types cimport Octets
from mailname.zone.image_merge_plan cimport MergePlan
from mailname.zone.image_merge_view cimport ImageView
from mailname.zone.owner_index cimport Numbers

cdef class HostLists(MergePlan):
    cdef unsigned char lowered[256]
    cdef unsigned char host[512]
    cdef unsigned int host_length, host_hash
    cdef unsigned int apex_hash
    cdef Numbers moved
    cdef unsigned int moved_mask
    cdef Numbers made
    cdef unsigned int made_count, made_room
    cdef Numbers again
    cdef unsigned int again_count
    cdef unsigned int lists
    cdef bint make_lists(self) noexcept nogil
    cdef bint _put(self, unsigned int number) noexcept nogil
    cdef bint _moved(self) noexcept nogil
    cdef bint _search(self) noexcept nogil
    cdef bint _search_run(self, unsigned int start, unsigned int end) noexcept nogil
    cdef bint _names_moved(self, unsigned int entry) noexcept nogil
    cdef bint _read_host(self, ImageView view, unsigned int at, unsigned int rdtype) noexcept nogil
    cdef bint _list(self, ImageView view, unsigned int node, unsigned int number) noexcept nogil
    cdef bint _list_hosts(self, ImageView view, unsigned int node, unsigned int entry, unsigned int listed, bint needed) noexcept nogil
    cdef bint _list_addresses(self, unsigned int listed, bint any_place) noexcept nogil
    cdef bint _list_of(self, ImageView view, unsigned int number, unsigned int listed, bint any_place) noexcept nogil
    cdef bint _is_host_below(self, ImageView view, unsigned int node) noexcept nogil
    cdef unsigned int addresses(self, ImageView view, unsigned int node) noexcept nogil
