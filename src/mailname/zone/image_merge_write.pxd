# C types of image_merge_write.py.

from mailname.zone.image_merge_index cimport MergeIndex
from mailname.zone.image_merge_view cimport ImageView

cdef class ImageMerge(MergeIndex):
    cdef unsigned int next_list, next_made, next_again, made_new
    cdef readonly unsigned int dead
    cdef void _write(self) noexcept nogil
    cdef void _header(self) noexcept nogil
    cdef bint _is_signed(self) noexcept nogil
    cdef void _nodes(self) noexcept nogil
    cdef void _node_run(self, unsigned int start, unsigned int end) noexcept nogil
    cdef void _new_node(self, unsigned int number) noexcept nogil
    cdef void _rrsets(self) noexcept nogil
    cdef void _rrset_run(self, unsigned int start, unsigned int end) noexcept nogil
    cdef void _moved_run(self, unsigned int start, unsigned int end) noexcept nogil
    cdef void _new_rrset(self, unsigned int number, unsigned int to, unsigned int node) noexcept nogil
    cdef void _relisted(self, unsigned int number) noexcept nogil
    cdef void _lists_of(self, ImageView view, unsigned int at, unsigned int made) noexcept nogil
    cdef unsigned int _records(self, unsigned int node) noexcept nogil
    cdef bint _is_touched(self, unsigned int node) noexcept nogil
    cdef void _wildcard(self, unsigned int number) noexcept nogil
    cdef void _count_dead(self) noexcept nogil
