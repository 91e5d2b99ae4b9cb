"""Zones found by their apexes: what ``Images`` is built on.

The same source runs compiled and uncompiled.
"""

# No `from __future__ import annotations` here: the annotations are C types.
import cython

from mailname.zone.image import name_hash

if cython.compiled:
    from cython.cimports.libc.stdlib import calloc, free, realloc
    from cython.cimports.libc.string import memset
    from cython.cimports.mailname.answer.image_index import ALONE, FACTS, THERE
else:
    # For each zone there are four facts: the hash of its apex, the number of its pack (or ALONE), its entry there, and whether it
    # is THERE and MARKED.
    FACTS = 4
    ALONE = 0xFFFFFFFF
    THERE, MARKED = 1, 2


class ImageIndex:
    """Zones by their apexes, each with a number that it keeps for as long as it is there.

    Attributes:
        zones: how many numbers are given out.

    """

    def __cinit__(self) -> None:
        if cython.compiled:
            self.blocks = cython.NULL
            self.names = cython.NULL
            self.facts = cython.NULL
            self.slots = cython.NULL

    def __init__(self) -> None:
        """Begin with no zone."""
        self.zones = self.room = 0
        self.spelled = {}
        self.first_free, self.free_count = ALONE, 0
        if not cython.compiled:
            self.blocks, self.names, self.facts = [], [], []

    def __dealloc__(self) -> None:
        if cython.compiled:
            free(self.slots)
            free(self.facts)
            free(self.names)
            free(self.blocks)

    def _reserve(self, most):
        """Make room for so many zones, and the index of them anew. Not while others read."""
        size: cython.uint = 8
        room: cython.uint = most + 8
        while size < 2 * room:
            size *= 2
        if cython.compiled:
            blocks = cython.cast(cython.pointer(cython.p_uchar), realloc(self.blocks, room * cython.sizeof(cython.p_uchar)))
            if blocks == cython.NULL:
                raise MemoryError
            self.blocks = blocks
            names = cython.cast(cython.pointer(cython.p_uchar), realloc(self.names, room * cython.sizeof(cython.p_uchar)))
            if names == cython.NULL:
                raise MemoryError
            self.names = names
            facts = cython.cast(cython.p_uint, realloc(self.facts, 4 * FACTS * room))
            if facts == cython.NULL:
                raise MemoryError
            self.facts = facts
            free(self.slots)
            self.slots = cython.cast(cython.p_uint, calloc(2 * size, 4))
            if self.slots == cython.NULL:
                raise MemoryError
        else:
            self.blocks += [b""] * (room - len(self.blocks))
            self.names += [b""] * (room - len(self.names))
            self.facts += [0] * (FACTS * room - len(self.facts))
        self.room = room
        self.mask = size - 1
        self._index()
        return True

    def _index(self):
        """Enter all zones that are there into an empty index."""
        number: cython.uint
        if cython.compiled:
            memset(self.slots, 0, 8 * (cython.cast(cython.size_t, self.mask) + 1))
        else:
            self.slots = [0] * (2 * (self.mask + 1))
        for number in range(self.zones):
            if self.facts[FACTS * number + 3] & THERE:
                self._enter(number)

    def _next(self):
        """Return a number that no zone has; there is room for it. Those that were given back stand in a chain of facts."""
        number: cython.uint = self.first_free
        if number == ALONE:
            number = self.zones
            self.zones += 1
        else:
            self.first_free = self.facts[FACTS * number + 1]
            self.free_count -= 1
        return number

    def _enter(self, number):
        at: cython.uint = self.facts[FACTS * number] & self.mask
        while self.slots[2 * at + 1]:
            at = (at + 1) & self.mask
        self.slots[2 * at] = self.facts[FACTS * number]
        self.slots[2 * at + 1] = number + 1

    def _has_name(self, number, name, length):
        i: cython.int
        if not cython.compiled:
            return self.names[number] == name
        i = 0
        while i < length and self.names[number][i] == name[i]:  # no name in wire form begins another
            i += 1
        return i == length

    def locate(self, name, length, hashed):
        """Return the number of the zone with this apex, -1 for none."""
        at: cython.uint = hashed & self.mask
        while self.slots[2 * at + 1]:
            if self.slots[2 * at] == hashed and self._has_name(self.slots[2 * at + 1] - 1, name, length):
                return self.slots[2 * at + 1] - 1
            at = (at + 1) & self.mask
        return -1

    def number(self, apex: bytes) -> int:
        """Return the number of a zone, -1 for none. ``apex``: in lower-case wire form."""
        if not apex or len(apex) > 255:
            return -1
        if cython.compiled:
            octets: cython.const_uchar[::1] = apex
            return self.locate(cython.address(octets[0]), len(apex), name_hash(apex))
        return self.locate(apex, len(apex), name_hash(apex))

    def __contains__(self, apex: bytes) -> bool:
        return self.number(apex) >= 0

    def __len__(self) -> int:
        return self.zones - self.free_count

    def apex(self, number: int) -> bytes:
        """Return the apex of a zone, in lower-case wire form; nothing for a number that no zone has."""
        at: cython.int = 0
        place: cython.uint = number
        if number >= self.zones or not self.facts[FACTS * place + 3] & THERE:
            return b""
        if not cython.compiled:
            return self.names[place]
        while self.names[place][at]:
            at += 1 + self.names[place][at]
        return self.names[place][: at + 1]

    def numbers(self) -> "list[int]":
        """Return the numbers of all zones."""
        return [number for number in range(self.zones) if self.apex(number)]

    def add(self, apex: bytes) -> int:
        """Add a zone that has no image yet, or return the number that it has. Not while others read."""
        found = self.number(apex)
        if found >= 0:
            return found
        number: cython.uint
        if self.first_free == ALONE and self.zones == self.room:
            self._reserve(2 * self.room)
        number = self._next()
        self._spell(number, apex)
        self.blocks[number] = cython.NULL if cython.compiled else b""
        self.facts[FACTS * number] = name_hash(apex)
        self.facts[FACTS * number + 1] = ALONE
        self.facts[FACTS * number + 2] = 0
        self.facts[FACTS * number + 3] = THERE
        self._enter(number)
        return number

    def _spell(self, number: cython.uint, apex: bytes) -> None:
        """Hold a zone's name."""
        self.spelled[number] = apex
        if cython.compiled:
            octets: cython.const_uchar[::1] = apex
            self.names[number] = cython.cast(cython.p_uchar, cython.address(octets[0]))
        else:
            self.names[number] = apex
