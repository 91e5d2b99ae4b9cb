# C types of image_merge_runs.py.

from mailname.zone.fast_types cimport Octets
from mailname.zone.owner_index cimport Numbers

cdef void move_nodes(Octets out, unsigned int at, unsigned int count, Numbers node_map, unsigned int rrsets) noexcept nogil
cdef void move_rrsets(
    Octets out, unsigned int at, unsigned int count, Numbers node_map, unsigned int numbers, unsigned int lists, Numbers rrset_map,
    bint same_rrsets
) noexcept nogil
cdef void move_slots(Octets out, unsigned int at, unsigned int count, Numbers node_map) noexcept nogil
cdef void empty_slot(Octets out, unsigned int at, unsigned int mask, unsigned int node, unsigned int hashed) noexcept nogil
cdef void enter(Octets out, unsigned int at, unsigned int mask, unsigned int node, unsigned int hashed) noexcept nogil
cdef void enter_all(Octets out, unsigned int at, unsigned int mask, unsigned int nodes_at, unsigned int count) noexcept nogil
cdef unsigned long long octets_in_use(
    Octets out, unsigned int nodes_at, unsigned int nodes, unsigned int rrsets_at, unsigned int rrsets
) noexcept nogil
cdef unsigned int _u16(Octets out, unsigned int at) noexcept nogil
cdef unsigned int _u32(Octets out, unsigned int at) noexcept nogil
cdef void _put32(Octets out, unsigned int at, unsigned int value) noexcept nogil
