"""What a question finds in a zone image: the zone, the node, the RRset.

Compiled with ``plain.py``, whose rules hold here too.
"""

# No `from __future__ import annotations` here: the annotations are C types.
import cython

if cython.compiled:
    from cython.cimports.mailname.answer.plain_octets import same, u16, u32
else:
    from mailname.answer.plain_octets import same, u16, u32

    NONE = 0xFFFFFFFF


def find_zone(images, starts, labels, hashes, label):
    """Return the number of the label, from ``label`` on, at which the closest enclosing apex begins; -1 when none of ours does.

    The zone's number is handed back in ``starts[129]``: a name of 255 octets has no label that far out.
    """
    at: cython.uint
    entry: cython.uint
    while label <= labels:
        at = hashes[label] & images.mask
        while True:
            entry = images.slots[2 * at + 1]
            if entry == 0:
                break
            if images.slots[2 * at] == hashes[label]:
                starts[129] = entry - 1
                return label
            at = (at + 1) & images.mask
        label += 1
    return -1


def find_node(image, key, start, length, hashed):
    """Return the number of the node with this name, or NONE."""
    mask: cython.uint = u32(image, 20)
    slots: cython.uint = u32(image, 24)
    nodes: cython.uint = u32(image, 28)
    blob: cython.uint = u32(image, 40)
    at: cython.uint = hashed & mask
    entry: cython.uint
    node: cython.uint
    while True:
        entry = u32(image, slots + 8 * at + 4)
        if entry == 0:
            return NONE
        if u32(image, slots + 8 * at) == hashed:
            node = nodes + 32 * (entry - 1)
            if image[node + 8] == length and same(image, blob + u32(image, node), key, start, length):
                return entry - 1
        at = (at + 1) & mask


def find_rrset(image, node, rdtype):
    """Return the offset of a node's RRset of this type, 0 for none. ``node`` is an offset."""
    at: cython.uint = u32(image, 32) + 40 * u32(image, node + 20)
    left: cython.uint = u16(image, node + 24)
    while left:
        if u16(image, at) == rdtype:
            return at
        at += 40
        left -= 1
    return 0
