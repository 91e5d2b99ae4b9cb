# C types of image_merge_records.py.

cimport cython

from mailname.zone.fast_types cimport Octets
from mailname.zone.image_merge_view cimport ImageView
from mailname.zone.owner_index cimport Numbers, OwnerIndex
from mailname.zone.packed cimport PackedRecords

cdef bint unpack(ImageView view, unsigned int node, PackedRecords packed) noexcept nogil
cdef bint unpack_record(
    ImageView view, unsigned int at, unsigned int owner, PackedRecords packed, unsigned int mark
) noexcept nogil
cdef unsigned int _expand(ImageView view, Octets out, unsigned int to, unsigned int at, unsigned int end, int names) noexcept nogil
cdef void _move(Octets source, unsigned int at, Octets out, unsigned int to, unsigned int length) noexcept nogil

@cython.final
cdef class TouchedRecords:
    cdef ImageView view
    cdef PackedRecords changes
    cdef readonly PackedRecords packed
    cdef readonly OwnerIndex index
    cdef readonly unsigned int wrong
    cdef public bint strict
    cdef Numbers table
    cdef unsigned int table_room, mask, kept
    cdef unsigned char name[256]
    cdef int _gather(self) noexcept nogil
    cdef void _drop_removed(self) noexcept nogil
    cdef unsigned int _start(self, unsigned int record) noexcept nogil
    cdef bint _begin_table(self, unsigned int records) noexcept nogil
    cdef unsigned int _changes_of(self, unsigned int owner) noexcept nogil
    cdef unsigned int _search(self, unsigned int record, bint exact) noexcept nogil
    cdef void _enter(self, unsigned int record) noexcept nogil
    cdef int _apply(self, unsigned int change) noexcept nogil
    cdef unsigned int _copy(self, Octets data, unsigned int at, unsigned int length) noexcept nogil
    cdef unsigned int _node(self, unsigned int owner) noexcept nogil
    cdef bint _all(self, PackedRecords whole) noexcept nogil
