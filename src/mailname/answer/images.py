"""The zone images that are answered from: found by apex, one replaced by one pointer while others read.

An image lies in a pack (``zone.pack``) with many others, or is held alone. The same source runs compiled, where images are
pointers, and uncompiled, where they are slices.
"""

# No `from __future__ import annotations` here: the annotations are C types.
from collections.abc import Collection

import cython

from mailname.zone.image import name_hash
from mailname.zone.pack import ENTRY, HEADER

if cython.compiled:
    from cython.cimports.libc.stdlib import calloc, free, realloc
    from cython.cimports.libc.string import memcpy, memset


def _u32(block, at):
    return block[at] | (block[at + 1] << 8) | (block[at + 2] << 16) | (cython.cast(cython.uint, block[at + 3]) << 24)


def _u64(block, at):
    return _u32(block, at) | (cython.cast(cython.size_t, _u32(block, at + 4)) << 32)


def _hash(name, at, length):
    """Hash a name as ``name_hash`` does."""
    value: cython.uint = 0x811C9DC5
    while length:
        length -= 1
        value = ((value ^ name[at + length]) * 0x01000193) & _32_BITS
    return value


def _is_name(name, at, length):
    """Tell whether there is a name of this length in wire form."""
    end: cython.size_t = at + length
    while at < end and name[at]:
        if name[at] > 63:
            return False
        at += 1 + name[at]
    return at + 1 == end and length < 256


_32_BITS = cython.declare(cython.uint, 0xFFFFFFFF)

# For each zone: the hash of its apex, the number of its pack (or ALONE), its entry there, and whether it is there and wanted.
_FACTS = cython.declare(cython.uint, 4)
_ALONE = cython.declare(cython.uint, 0xFFFFFFFF)
_THERE = cython.declare(cython.uint, 1)
_MARKED = cython.declare(cython.uint, 2)


class Images:
    """Images of zones by their apexes.

    A zone without image (expired, not loaded) is there too: questions about it are not plain. While others read, nothing changes
    but the pointer to a zone's image; another set of zones is another object, made by ``changed`` with the same numbers.

    Attributes:
        zones: how many numbers are given out; the zone with number n keeps it for as long as it is there.
        packs: the blocks that hold the images of more than one zone.

    """

    def __cinit__(self) -> None:
        if cython.compiled:
            self.blocks = cython.NULL
            self.names = cython.NULL
            self.facts = cython.NULL
            self.slots = cython.NULL

    def __init__(self, zones: "dict | None" = None, options: "tuple[int, ...]" = ()) -> None:
        """Take what to answer from.

        Args:
            zones: apex in lower-case wire form -> image, or None for a zone that cannot be served now.
            options: the EDNS options, below 32, that the server answers; questions with them are not plain.

        """
        self.speaks = 0
        for code in options:
            self.speaks |= 1 << code
        self.zones = self.room = 0
        self.packs = []
        self.loose = {}
        self.spelled = {}
        self.free = []
        if not cython.compiled:
            self.blocks, self.names, self.facts = [], [], []
        self._reserve(len(zones or ()))
        for apex, image in (zones or {}).items():
            self.add(apex)
            self.replace(apex, image)

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
            facts = cython.cast(cython.p_uint, realloc(self.facts, 4 * _FACTS * room))
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
            self.facts += [0] * (_FACTS * room - len(self.facts))
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
            if self.facts[_FACTS * number + 3] & _THERE:
                self._enter(number)

    def _enter(self, number):
        at: cython.uint = self.facts[_FACTS * number] & self.mask
        while self.slots[2 * at + 1]:
            at = (at + 1) & self.mask
        self.slots[2 * at] = self.facts[_FACTS * number]
        self.slots[2 * at + 1] = number + 1

    def _has_name(self, number, name, length):
        i: cython.int
        if not cython.compiled:
            return self.names[number] == name
        for i in range(length):  # no name in wire form begins another
            if self.names[number][i] != name[i]:
                return False
        return True

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
        return self.zones - len(self.free)

    def apex(self, number: int) -> bytes:
        """Return the apex of a zone, in lower-case wire form; nothing for a number that no zone has."""
        at: cython.int = 0
        place: cython.uint = number
        if number >= self.zones or not self.facts[_FACTS * place + 3] & _THERE:
            return b""
        if not cython.compiled:
            return self.names[place]
        while self.names[place][at]:
            at += 1 + self.names[place][at]
        return self.names[place][: at + 1]

    def numbers(self) -> "list[int]":
        """Return the numbers of all zones."""
        return [number for number in range(self.zones) if self.apex(number)]

    def image(self, number: int) -> "memoryview | None":
        """Return the image of a zone, None where it has none."""
        place: cython.uint = number
        pack: cython.uint = self.facts[_FACTS * place + 1]
        if pack == _ALONE:
            held = self.loose.get(number)
            return None if held is None else memoryview(held)
        at, length = self._entry(place)[:2]
        return memoryview(self.packs[pack])[at : at + length]

    def stamp(self, number: int) -> "bytes | None":
        """Return what an image in a pack was made of; None for one that is held alone."""
        place: cython.uint = number
        return None if self.facts[_FACTS * place + 1] == _ALONE else self._entry(place)[3]

    def _entry(self, number: cython.uint) -> "tuple":
        block = self.packs[self.facts[_FACTS * number + 1]]
        return ENTRY.unpack_from(block, HEADER.unpack_from(block)[4] + ENTRY.size * self.facts[_FACTS * number + 2])

    def add(self, apex: bytes) -> int:
        """Add a zone that has no image yet, or return the number that it has. Not while others read."""
        found = self.number(apex)
        if found >= 0:
            return found
        number: cython.uint
        if self.free:
            number = self.free.pop()
        else:
            if self.zones == self.room:
                self._reserve(2 * self.room)
            number = self.zones
            self.zones += 1
        self.spelled[number] = apex
        if cython.compiled:
            octets: cython.const_uchar[::1] = apex
            self.names[number] = cython.cast(cython.p_uchar, cython.address(octets[0]))
            self.blocks[number] = cython.NULL
        else:
            self.names[number] = apex
            self.blocks[number] = b""
        self.facts[_FACTS * number] = name_hash(apex)
        self.facts[_FACTS * number + 1] = _ALONE
        self.facts[_FACTS * number + 2] = 0
        self.facts[_FACTS * number + 3] = _THERE
        self._enter(number)
        return number

    def add_pack(self, block: "bytes | memoryview") -> None:
        """Add all zones of a pack; it replaces the images of those that are there already. Not while others read.

        Args:
            block: ``check_pack`` found it good.

        Raises:
            ValueError: it is no such pack after all.

        """
        pack = len(self.packs)
        self.packs.append(block)
        zones = HEADER.unpack_from(block)[2]
        if self.zones + zones > self.room:
            self._reserve(self.zones + zones)
        good: cython.bint
        if cython.compiled:
            octets: cython.const_uchar[::1] = block
            good = self._take_pack(cython.cast(cython.p_uchar, cython.address(octets[0])), len(block), pack)
        else:
            good = self._take_pack(block, len(block), pack)
        for number in [number for number in self.loose if self.facts[_FACTS * cython.cast(cython.uint, number) + 1] != _ALONE]:
            del self.loose[number]
        if not good:
            raise ValueError("an entry of the pack leads nowhere")

    def _take_pack(self, block, size, pack):
        """Enter all zones of a pack; False where an entry is none."""
        zones: cython.uint = _u32(block, 16)
        entries: cython.size_t = _u64(block, 24)
        at: cython.size_t
        image: cython.size_t
        name: cython.size_t
        length: cython.uint
        number: cython.int
        place: cython.uint
        entry: cython.uint
        for entry in range(zones):
            at = entries + 40 * cython.cast(cython.size_t, entry)
            image = _u64(block, at)
            name = _u32(block, at + 32)
            length = block[at + 36] | (block[at + 37] << 8)
            if image < 64 or image + _u32(block, at + 8) > entries or name < entries or name + length > size:
                return False
            if not _is_name(block, name, length) or _hash(block, name, length) != _u32(block, at + 12):
                return False
            if cython.compiled:
                number = self.locate(block + name, length, _u32(block, at + 12))
            else:
                number = self.locate(block[name : name + length], length, _u32(block, at + 12))
            if number < 0:
                number = self.zones
                self.zones += 1
                place = number
                self.facts[_FACTS * place] = _u32(block, at + 12)
                self.names[place] = block + name if cython.compiled else bytes(block[name : name + length])
                self._enter(place)
            place = number
            self.facts[_FACTS * place + 1] = pack
            self.facts[_FACTS * place + 2] = entry
            self.facts[_FACTS * place + 3] = _THERE
            self.blocks[place] = block + image if cython.compiled else memoryview(block)[image : image + _u32(block, at + 8)]
        return True

    def replace(self, apex: bytes, image: "bytes | memoryview | None") -> "bytes | memoryview | None":
        """Serve another version of a zone from now on, or none.

        Args:
            apex: the zone, in lower-case wire form; it must be there.
            image: built by this process, or of a pack that was found good.

        Returns:
            What has to be kept for as long as a reader may still look at the version before.

        """
        number = self.number(apex)
        if number < 0:
            raise KeyError(apex)
        place: cython.uint = number
        former = self.loose.pop(number, None)
        if image is not None:
            self.loose[number] = image
        self.facts[_FACTS * place + 1] = _ALONE
        if cython.compiled:
            if image is None:
                self.blocks[place] = cython.NULL
            else:
                octets: cython.const_uchar[::1] = image
                self.blocks[place] = cython.cast(cython.p_uchar, cython.address(octets[0]))
        else:
            self.blocks[place] = image or b""
        return former

    def mark(self, number: int) -> None:
        """Mark a zone as one that stays when ``marked`` is called."""
        place: cython.uint = number
        self.facts[_FACTS * place + 3] |= _MARKED

    def marked(self) -> "Images":
        """Return the same without the zones that are not marked, and without the marks."""
        number: cython.uint
        left: Images = self.changed((), ())
        for number in range(left.zones):
            if self.facts[_FACTS * number + 3] & (_THERE | _MARKED) == _THERE:
                left._forget(number)
            left.facts[_FACTS * number + 3] &= _THERE
        left._index()
        return left

    def changed(self, add: "Collection[bytes]", drop: "Collection[bytes]") -> "Images":
        """Return the same with zones added, which have no image yet, and without others. Everybody keeps his number."""
        other: Images = Images()
        other.speaks = self.speaks
        other.packs = list(self.packs)
        other.loose = dict(self.loose)
        other.spelled = dict(self.spelled)
        other.free = list(self.free)
        other._copy(self, self.zones + len(add))
        for apex in drop:
            number = other.number(apex)
            if number >= 0:
                other._forget(number)
        if len(drop):
            other._index()
        for apex in add:
            other.add(apex)
        return other

    def _copy(self, other: "Images", most: cython.uint) -> None:
        self._reserve(most)
        count: cython.uint = other.zones
        if cython.compiled:
            memcpy(self.blocks, other.blocks, count * cython.sizeof(cython.p_uchar))
            memcpy(self.names, other.names, count * cython.sizeof(cython.p_uchar))
            memcpy(self.facts, other.facts, 4 * _FACTS * count)
        else:
            self.blocks[:count] = other.blocks[:count]
            self.names[:count] = other.names[:count]
            self.facts[: _FACTS * count] = other.facts[: _FACTS * count]
        self.zones = count
        self._index()

    def _forget(self, number: cython.uint) -> None:
        """Give a zone's number back. The index has to be made anew."""
        self.facts[_FACTS * number + 3] = 0
        self.loose.pop(number, None)
        self.spelled.pop(number, None)
        self.free.append(number)
