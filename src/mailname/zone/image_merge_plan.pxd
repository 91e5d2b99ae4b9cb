# C types of image_merge_plan.py.

from mailname.zone.fast_types cimport Octets
from mailname.zone.image_merge_view cimport ImageView
from mailname.zone.owner_index cimport Numbers

cdef enum:
    BLOCKS = 8

cdef class MergePlan:
    cdef ImageView old, new
    cdef Numbers blocks[BLOCKS]
    cdef int taken
    cdef Numbers places, numbers, firsts, marks, node_map, rrset_map
    cdef unsigned int nodes, rrsets, links
    cdef bint same_nodes, same_rrsets, short_of_memory
    cdef bint plan(self) noexcept nogil
    cdef Numbers take(self, unsigned int count) noexcept nogil
    cdef bint was_there(self, unsigned int number) noexcept nogil
    cdef bint stays(self, unsigned int number) noexcept nogil
    cdef void _survivors(self) noexcept nogil
    cdef bint _has_untouched_below(self, unsigned int number) noexcept nogil
    cdef bint _has_survivor_below(self, unsigned int number) noexcept nogil
    cdef bint _is_intricate(self) noexcept nogil
    cdef unsigned int _old_cut(self, unsigned int number) noexcept nogil
    cdef unsigned int _new_cut(self, unsigned int number) noexcept nogil
    cdef bint _has_other_chain(self) noexcept nogil
    cdef bint in_chain(self, ImageView view, unsigned int node) noexcept nogil
    cdef bint _is_hash(self, unsigned int number) noexcept nogil
    cdef bint is_hidden(self, unsigned int number) noexcept nogil
    cdef void _number(self) noexcept nogil
    cdef void _run(self, unsigned int start, unsigned int end) noexcept nogil
