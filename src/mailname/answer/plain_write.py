"""RRsets of a zone image written into an answer, with their signatures where these are wanted.

Each function returns where the answer ends then, -1 if it does not fit. Compiled with ``plain.py``, whose rules hold here too.
"""

# No `from __future__ import annotations` here: the annotations are C types.
import cython

if cython.compiled:
    from cython.cimports.mailname.answer.plain_octets import copy, same, u16, u32
else:
    from mailname.answer.plain_octets import copy, same, u16, u32

_TOO_MANY = cython.declare(cython.uint, 65535)


def point_at(out, at, end, owner):
    """Give the records between ``at`` and ``end`` the owner that is found at the octet ``owner`` of the message."""
    while at < end:
        out[at] = 0xC0 | (owner >> 8)
        out[at + 1] = owner & 0xFF
        at += 12 + ((out[at + 10] << 8) | out[at + 11])


def put_rrset(image, rrset, out, at, limit, apex, owner):
    """Write an RRset whose owner is found at the octet ``owner`` of the message."""
    length: cython.uint = u32(image, rrset + 16)
    patch: cython.uint
    left: cython.uint = u16(image, rrset + 6)
    place: cython.uint
    if at + length > cython.cast(cython.uint, limit):
        return -1
    copy(out, at, image, u32(image, 40) + u32(image, rrset + 12), length)
    if left:  # the pointers to the apex
        patch = u32(image, 36) + 4 * u32(image, rrset + 20)
        while left:
            place = at + u32(image, patch)
            out[place] = 0xC0 | (apex >> 8)
            out[place + 1] = apex & 0xFF
            patch += 4
            left -= 1
    if owner != 12:
        point_at(out, at, at + length, owner)
    return at + length


def put_signatures(image, rrset, out, at, limit, owner):
    """Write the signatures of an RRset, which may have none."""
    length: cython.uint = u16(image, rrset + 30)
    if length == _TOO_MANY or at + length > cython.cast(cython.uint, limit):
        return -1
    copy(out, at, image, u32(image, 40) + u32(image, rrset + 32), length)
    if owner != 12:
        point_at(out, at, at + length, owner)
    return at + length


def put_named(image, rrset, out, at, limit, labels, pointer, signed):
    """Write an RRset whose owner has ``labels`` octets of its own before a name that is found at the octet ``pointer``.

    The pointer is 0 where that is the root: the labels then end with it.
    """
    node: cython.uint = u32(image, 28) + 32 * u32(image, rrset + 36)
    length: cython.int = u32(image, rrset + 16)
    owner: cython.int = at
    end: cython.int
    if labels == 0:
        owner = pointer
    if length > limit or at + labels + length > limit:
        return -1
    copy(out, at, image, u32(image, 40) + u32(image, node + 4), labels)
    at += labels
    if pointer:
        out[at] = 0xC0 | (pointer >> 8)
        out[at + 1] = pointer & 0xFF
        at += 2
    copy(out, at, image, u32(image, 40) + u32(image, rrset + 12) + 2, length - 2)
    end = at + length - 2
    # The others have the first one's name.
    point_at(out, at + 10 + ((out[at + 8] << 8) | out[at + 9]), end, owner)
    if signed:
        return put_signatures(image, rrset, out, end, limit, owner)
    return end


def shared_label(image, node, key, starts, labels, length):
    """Return the number of the label from which on a name is the end of a node's: that of the apex, at least.

    ``node`` is an offset; the name is that of ``plain_denial.prove``.
    """
    name: cython.uint = u32(image, 40) + u32(image, node)
    left: cython.int = image[node + 8]
    label: cython.int = 0
    while True:
        if length - starts[label] == left:
            if same(image, name, key, starts[label], left):
                return label
            label += 1
        elif length - starts[label] > left:
            label += 1
        else:
            left -= 1 + image[name]
            name += 1 + image[name]
        if label >= labels:
            return labels
