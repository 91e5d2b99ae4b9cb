"""The zone images that are answered from: found by apex, one replaced by one pointer while others read.

An image lies in a pack (``zone.pack``) with many others, or is held alone. The same source runs compiled, where images are
pointers, and uncompiled, where they are slices.
"""

# No `from __future__ import annotations` here: the annotations are C types.
from collections.abc import Collection

import cython

from mailname.answer.image_index import ImageIndex
from mailname.zone.pack import ENTRY, HEADER

if cython.compiled:
    from cython.cimports.libc.stdlib import free, realloc
    from cython.cimports.libc.string import memcmp, memcpy
    from cython.cimports.mailname.answer.image_index import ALONE, FACTS, MARKED, THERE
else:
    from mailname.answer.image_index import ALONE, FACTS, MARKED, THERE

_32_BITS = cython.declare(cython.uint, 0xFFFFFFFF)


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


class Images(ImageIndex):
    """Images of zones by their apexes.

    A zone without image (expired, not loaded) is there too: questions about it are not plain. While others read, nothing changes
    but the pointer to a zone's image; another set of zones is another object, made by ``changed`` with the same numbers.

    Attributes:
        packs: the blocks that hold many images.

    """

    def __cinit__(self) -> None:
        if cython.compiled:
            self.bases = cython.NULL

    def __init__(self, zones: "dict | None" = None, options: "tuple[int, ...]" = ()) -> None:
        """Take what to answer from.

        Args:
            zones: apex in lower-case wire form -> image, or None for a zone that cannot be served now.
            options: the EDNS options, below 32, that the server answers; questions with them are not plain.

        """
        super().__init__()
        self.speaks = 0
        for code in options:
            self.speaks |= 1 << code
        self.packs = []
        self.loose = {}
        self._reserve(len(zones or ()))
        for apex, image in (zones or {}).items():
            self.add(apex)
            self.replace(apex, image)

    def __dealloc__(self) -> None:
        if cython.compiled:
            free(self.bases)

    def image(self, number: int) -> "memoryview | None":
        """Return the image of a zone, None where it has none."""
        place: cython.uint = number
        pack: cython.uint = self.facts[FACTS * place + 1]
        if pack == ALONE:
            held = self.loose.get(number)
            return None if held is None else memoryview(held)
        at, length = self._entry(place)[:2]
        return memoryview(self.packs[pack])[at : at + length]

    def holds(self, number: int, image: "bytes | memoryview") -> bool:
        """Tell whether a zone is answered from this image, which is held alone."""
        return self.loose.get(number) is image

    def stamp(self, number: int) -> "bytes | None":
        """Return what an image in a pack was made of; None for one that is held alone."""
        place: cython.uint = number
        return None if self.facts[FACTS * place + 1] == ALONE else self._entry(place)[3]

    def _entry(self, number: cython.uint) -> "tuple":
        block = self.packs[self.facts[FACTS * number + 1]]
        return ENTRY.unpack_from(block, HEADER.unpack_from(block)[4] + ENTRY.size * self.facts[FACTS * number + 2])

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
            bases = cython.cast(
                cython.pointer(cython.p_uchar), realloc(self.bases, len(self.packs) * cython.sizeof(cython.p_uchar))
            )
            if bases == cython.NULL:
                raise MemoryError
            self.bases = bases
            self.bases[pack] = cython.cast(cython.p_uchar, cython.address(octets[0]))
            good = self._take_pack(cython.cast(cython.p_uchar, cython.address(octets[0])), len(block), pack)
        else:
            good = self._take_pack(block, len(block), pack)
        for number in [number for number in self.loose if self.facts[FACTS * cython.cast(cython.uint, number) + 1] != ALONE]:
            del self.loose[number]
        if not good:
            raise ValueError("an entry of the pack leads nowhere")

    def _take_pack(self, block, size, pack):
        """Enter all zones of a pack; False where an entry is none."""
        zones: cython.uint = _u32(block, 16)
        entries: cython.size_t = _u64(block, 24)
        names: cython.size_t = entries + 40 * cython.cast(cython.size_t, zones)
        at: cython.size_t
        image: cython.size_t
        name: cython.size_t
        size_of_image: cython.uint
        length: cython.uint
        number: cython.int
        place: cython.uint
        entry: cython.uint
        for entry in range(zones):
            at = entries + 40 * cython.cast(cython.size_t, entry)
            image = _u64(block, at)
            name = names + _u32(block, at + 32)
            length = block[at + 36] | (block[at + 37] << 8)
            size_of_image = _u32(block, at + 8)
            # Never image + size_of_image: that sum may begin again at zero.
            if image < 64 or size_of_image < 128 or image > entries or size_of_image > entries - image or name + length > size:
                return False
            if not _is_name(block, name, length) or _hash(block, name, length) != _u32(block, at + 12):
                return False
            if cython.compiled:
                number = self.locate(block + name, length, _u32(block, at + 12))
            else:
                number = self.locate(block[name : name + length], length, _u32(block, at + 12))
            if number < 0:
                number = self._next()
                place = number
                self.facts[FACTS * place] = _u32(block, at + 12)
                self._enter(place)
            place = number
            self.names[place] = block + name if cython.compiled else bytes(block[name : name + length])
            self.facts[FACTS * place + 1] = pack
            self.facts[FACTS * place + 2] = entry
            self.facts[FACTS * place + 3] = THERE
            self.blocks[place] = block + image if cython.compiled else memoryview(block)[image : image + size_of_image]
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
        if self.facts[FACTS * place + 1] != ALONE:
            self.facts[FACTS * place + 1] = ALONE
            self._spell(place, apex)  # the pack may go
        if cython.compiled:
            if image is None:
                self.blocks[place] = cython.NULL
            else:
                octets: cython.const_uchar[::1] = image
                self.blocks[place] = cython.cast(cython.p_uchar, cython.address(octets[0]))
        else:
            self.blocks[place] = image or b""
        return former

    def live(self) -> "list[int]":
        """Return how many zones are answered from each pack, in the order of ``packs``."""
        number: cython.uint
        counts = [0] * len(self.packs)
        for number in range(self.zones):
            if self.facts[FACTS * number + 3] & THERE and self.facts[FACTS * number + 1] != ALONE:
                counts[self.facts[FACTS * number + 1]] += 1
        return counts

    def in_pack(self, pack: int) -> "list[int]":
        """Return the numbers of the zones that are answered from a pack."""
        place: cython.uint = pack
        return [number for number in self.numbers() if self.facts[FACTS * cython.cast(cython.uint, number) + 1] == place]

    def is_made_of(self, number, stamp):
        """Tell whether a zone's image lies in a pack and was made of what has this stamp."""
        pack: cython.uint = self.facts[FACTS * number + 1]
        at: cython.size_t
        if pack == ALONE:
            return False
        block = self.bases[pack] if cython.compiled else self.packs[pack]
        at = _u64(block, 24) + 40 * cython.cast(cython.size_t, self.facts[FACTS * number + 2]) + 16
        if cython.compiled:
            return memcmp(block + at, stamp, 16) == 0
        return block[at : at + 16] == stamp

    def keep(self, number):
        """Mark a zone as one that stays when ``marked`` is called."""
        self.facts[FACTS * number + 3] |= MARKED

    def mark(self, number: int) -> None:
        """Mark a zone as one that stays when ``marked`` is called."""
        self.keep(number)

    def is_marked(self, number: int) -> bool:
        """Tell whether a zone stays when ``marked`` is called."""
        place: cython.uint = number
        return bool(self.facts[FACTS * place + 3] & MARKED)

    def marked(self) -> "Images":
        """Return the same without the zones that are not marked, and without the marks."""
        number: cython.uint
        left: Images = self.changed((), ())
        for number in range(left.zones):
            if self.facts[FACTS * number + 3] & (THERE | MARKED) == THERE:
                left._forget(number)
            left.facts[FACTS * number + 3] &= THERE
        left._index()
        left._let_go()
        return left

    def _let_go(self) -> None:
        """Hold packs no longer from which nothing is answered, and move the others together."""
        number: cython.uint
        place: cython.uint
        kept = [pack for pack, count in enumerate(self.live()) if count]
        if len(kept) == len(self.packs):
            return
        places = {pack: place for place, pack in enumerate(kept)}
        for number in range(self.zones):
            if self.facts[FACTS * number + 3] & THERE and self.facts[FACTS * number + 1] != ALONE:
                place = places[self.facts[FACTS * number + 1]]
                self.facts[FACTS * number + 1] = place
        if cython.compiled:
            for place in range(len(kept)):
                self.bases[place] = self.bases[cython.cast(cython.uint, kept[place])]
        self.packs = [self.packs[pack] for pack in kept]

    def changed(self, add: "Collection[bytes]", drop: "Collection[bytes]") -> "Images":
        """Return the same with zones added, which have no image yet, and without others. Everybody keeps his number."""
        other: Images = Images()
        other.speaks = self.speaks
        other.packs = list(self.packs)
        other.loose = dict(self.loose)
        other.spelled = dict(self.spelled)
        other.first_free, other.free_count = self.first_free, self.free_count
        other._copy(self, self.zones + len(add))
        for apex in drop:
            number = other.number(apex)
            if number >= 0:
                other._forget(number)
        if len(drop):
            other._index()
        for apex in add:
            other.add(apex)
        other._let_go()
        return other

    def _copy(self, other: "Images", most: cython.uint) -> None:
        self._reserve(most)
        count: cython.uint = other.zones
        if cython.compiled:
            if len(self.packs):
                size: cython.size_t = len(self.packs) * cython.sizeof(cython.p_uchar)
                self.bases = cython.cast(cython.pointer(cython.p_uchar), realloc(cython.NULL, size))
                if self.bases == cython.NULL:
                    raise MemoryError
                memcpy(self.bases, other.bases, size)
            memcpy(self.blocks, other.blocks, count * cython.sizeof(cython.p_uchar))
            memcpy(self.names, other.names, count * cython.sizeof(cython.p_uchar))
            memcpy(self.facts, other.facts, 4 * FACTS * count)
        else:
            self.blocks[:count] = other.blocks[:count]
            self.names[:count] = other.names[:count]
            self.facts[: FACTS * count] = other.facts[: FACTS * count]
        self.zones = count
        self._index()

    def _forget(self, number: cython.uint) -> None:
        """Give a zone's number back. The index has to be made anew."""
        self.facts[FACTS * number + 3] = 0
        self.facts[FACTS * number + 1] = self.first_free
        self.first_free = number
        self.free_count += 1
        self.loose.pop(number, None)
        self.spelled.pop(number, None)
        self.blocks[number] = cython.NULL if cython.compiled else b""
