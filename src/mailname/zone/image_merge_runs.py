"""Long runs of an image's entries, copied as they were, given their new numbers.

The same source runs compiled and uncompiled.
"""

# No `from __future__ import annotations` here: the annotations are C types.
import cython

if cython.compiled:
    from cython.cimports.mailname.zone.image_merge_view import NOWHERE
    from cython.cimports.mailname.zone.owner_index import fetch
else:
    from mailname.zone.image_merge_view import NOWHERE

_HASHED = cython.declare(cython.uint, 128)
_32_BITS = cython.declare(cython.uint, 0xFFFFFFFF)


def move_nodes(out, at, count, node_map, rrsets):
    """Renumber nodes: their zone cuts, wildcards, and first RRsets, which all move by ``rrsets`` (modulo 2**32)."""
    other: cython.uint
    while count:
        other = _u32(out, at + 12)
        if other != NOWHERE:
            _put32(out, at + 12, node_map[other])
        other = _u32(out, at + 16)
        if other != NOWHERE:
            _put32(out, at + 16, node_map[other])
        _put32(out, at + 20, (_u32(out, at + 20) + rrsets) & _32_BITS)
        at += 32
        count -= 1


def move_rrsets(out, at, count, node_map, numbers, lists, rrset_map, same_rrsets):
    """Renumber RRsets: their nodes, and their additional RRsets unless these are the ``same_rrsets``.

    Their lists, which move by ``numbers`` (modulo 2**32), stand in their new place, from ``lists`` on.
    """
    i: cython.uint
    others: cython.uint
    place: cython.uint
    while count:
        _put32(out, at + 20, (_u32(out, at + 20) + numbers) & _32_BITS)
        place = (_u32(out, at + 24) + numbers) & _32_BITS
        _put32(out, at + 24, place)
        _put32(out, at + 36, node_map[_u32(out, at + 36)])
        if not same_rrsets:
            others = _u16(out, at + 28)
            place = lists + 4 * place
            for i in range(others):
                _put32(out, place + 4 * i, rrset_map[_u32(out, place + 4 * i)])
        at += 40
        count -= 1


def move_slots(out, at, count, node_map):
    """Renumber the nodes in the hash index, none of which go."""
    node: cython.uint
    while count:
        node = _u32(out, at + 4)
        if node:
            _put32(out, at + 4, node_map[node - 1] + 1)
        at += 8
        count -= 1


def empty_slot(out, at, mask, node, hashed):
    """Take a node out of the hash index; those behind it that would no longer be found move up."""
    hole: cython.uint = hashed & mask
    place: cython.uint
    home: cython.uint
    while _u32(out, at + 8 * hole + 4) != node + 1:
        hole = (hole + 1) & mask
    place = (hole + 1) & mask
    while _u32(out, at + 8 * place + 4):
        home = _u32(out, at + 8 * place) & mask
        # Probing for it passes the hole.
        if ((place - home) & mask) >= ((place - hole) & mask):
            _put32(out, at + 8 * hole, _u32(out, at + 8 * place))
            _put32(out, at + 8 * hole + 4, _u32(out, at + 8 * place + 4))
            hole = place
        place = (place + 1) & mask
    _put32(out, at + 8 * hole, 0)
    _put32(out, at + 8 * hole + 4, 0)


def enter(out, at, mask, node, hashed):
    """Put a node into the hash index."""
    place: cython.uint = hashed & mask
    while _u32(out, at + 8 * place + 4):
        place = (place + 1) & mask
    _put32(out, at + 8 * place, hashed)
    _put32(out, at + 8 * place + 4, node + 1)


def enter_all(out, at, mask, nodes_at, count):
    """Put all nodes but hidden ones into the hash index, which is empty."""
    node: cython.uint
    for node in range(count):
        if cython.compiled and node + 16 < count:
            fetch(out + at + 8 * (_u32(out, nodes_at + 32 * node + 540) & mask))
        if not out[nodes_at + 32 * node + 10] & _HASHED:
            enter(out, at, mask, node, _u32(out, nodes_at + 32 * node + 28))


def octets_in_use(out, nodes_at, nodes, rrsets_at, rrsets):
    """Count the octets of the names and records that entries point to."""
    used: cython.ulonglong = 0
    while nodes:
        used += out[nodes_at + 8]
        if _u32(out, nodes_at) != _u32(out, nodes_at + 4):
            used += out[nodes_at + 8]
        nodes_at += 32
        nodes -= 1
    while rrsets:
        used += _u32(out, rrsets_at + 16)
        rrsets_at += 40
        rrsets -= 1
    return used


def _u16(out, at):
    return out[at] | (cython.cast(cython.uint, out[at + 1]) << 8)


def _u32(out, at):
    return (
        out[at]
        | (cython.cast(cython.uint, out[at + 1]) << 8)
        | (cython.cast(cython.uint, out[at + 2]) << 16)
        | (cython.cast(cython.uint, out[at + 3]) << 24)
    )


def _put32(out, at, value):
    out[at] = value & 255
    out[at + 1] = (value >> 8) & 255
    out[at + 2] = (value >> 16) & 255
    out[at + 3] = value >> 24
