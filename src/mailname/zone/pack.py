"""Packs: the images of many zones in one block, so that a hundred thousand zones need some dozens of files and mappings.

A pack is a cache, as an image is: each zone in it carries a stamp that tells from what its image was made. Numbers are
little-endian, offsets are octets from the start of the block.

Layout (sizes in octets)::

    header   64   magic, length of the block, number of zones, where the entries begin, layout of the images, checksum
    images        each begins at a multiple of eight
    entries 40n   where the image begins, its length, the hash of the apex, the stamp, where in the names the apex is, its length
    names         the apexes, in lower-case wire form

The entries and names stand together behind the images, so that finding all zones of a pack leaves the images' pages untouched.
"""

from __future__ import annotations

import struct
from hashlib import sha256
from typing import TYPE_CHECKING

from mailname.zone.image import HEADER as IMAGE_HEADER
from mailname.zone.image import MAGIC as IMAGE_MAGIC
from mailname.zone.image import NODE

if TYPE_CHECKING:
    from collections.abc import Iterator

MAGIC = b"MNPACK\x00\x01"  # the last octet is the layout's version
HEADER = struct.Struct("<8sQIIQ32s")
HEADER_SIZE = 64
ENTRY = struct.Struct("<QII16sIHH")
STAMP_SIZE = 16
NO_STAMP = bytes(STAMP_SIZE)  # the image was made of something that cannot be recognised again

_CHECKSUM_AT = 32
_LAYOUT = IMAGE_MAGIC[-1]
_CHUNK = 1 << 20


class PackWriter:
    """A pack in the making.

    Attributes:
        zones: how many zones it holds.
        size: octets of images so far.

    """

    def __init__(self) -> None:
        self.zones = 0
        self.size = HEADER_SIZE
        self._parts: list[bytes | memoryview] = []
        self._entries = bytearray()
        self._names = bytearray()

    def begin_with(self, zones: int, images: bytes, entries: bytes, names: bytes) -> None:
        """Begin with zones that are packed already.

        Args:
            zones: how many.
            images: one behind the other, each at a multiple of eight octets; the first will stand behind the header.
            entries: as they stand in a pack.
            names: the apexes.

        """
        self.zones = zones
        self.size += len(images)
        self._parts.append(images)
        self._entries += entries
        self._names += names

    def add(self, image: bytes | memoryview, stamp: bytes = NO_STAMP) -> None:
        """Add a zone's image. ``stamp``: 16 octets that change when what it was made of changes."""
        fields = IMAGE_HEADER.unpack_from(image)
        name_at = fields[9] + fields[13]
        hashed = NODE.unpack_from(image, fields[6])[-1]  # the apex is the first node
        apex = bytes(image[name_at : name_at + fields[14]])
        self._entries += ENTRY.pack(self.size, len(image), hashed, stamp, len(self._names), len(apex), 0)
        self._names += apex
        self._parts.append(image)
        self.size += len(image)
        if over := self.size % 8:
            self._parts.append(bytes(8 - over))
            self.size += 8 - over
        self.zones += 1

    def finish(self) -> list[bytes | memoryview]:
        """Return the parts that make up the pack, one behind the other."""
        tail = bytes(self._entries + self._names)
        header = HEADER.pack(MAGIC, self.size + len(tail), self.zones, _LAYOUT, self.size, bytes(32))[:_CHECKSUM_AT]
        digest = sha256()
        for part in (*self._parts, tail, header):
            digest.update(part)
        return [header + digest.digest(), *self._parts, tail]


def check_pack(block: bytes | memoryview) -> None:
    """Refuse a block that is not a whole, undamaged pack of images in this layout.

    Raises:
        ValueError: with the reason.

    """
    if len(block) < HEADER_SIZE or bytes(block[: len(MAGIC)]) != MAGIC:
        raise ValueError("not a pack of this version")
    _, length, zones, layout, entries_at, checksum = HEADER.unpack_from(block)
    if layout != _LAYOUT:
        raise ValueError(f"its images have layout {layout} instead of {_LAYOUT}")
    if length != len(block) or not HEADER_SIZE <= entries_at <= length - ENTRY.size * zones:
        raise ValueError(f"{len(block)} octets long instead of {length}")
    digest = sha256()
    view = memoryview(block)
    for at in range(HEADER_SIZE, length, _CHUNK):
        digest.update(view[at : at + _CHUNK])
    digest.update(view[:_CHECKSUM_AT])
    if digest.digest() != checksum:
        raise ValueError("the checksum does not match")


def entries_of(block: bytes | memoryview) -> Iterator[tuple[bytes, int, int, bytes]]:
    """Yield apex, start and length of the image, and stamp of each zone in a pack that ``check_pack`` found good."""
    _, _, zones, _, entries_at, _ = HEADER.unpack_from(block)
    names_at = entries_at + ENTRY.size * zones
    for number in range(zones):
        at, length, _, stamp, name_at, name_length, _ = ENTRY.unpack_from(block, entries_at + ENTRY.size * number)
        yield bytes(block[names_at + name_at : names_at + name_at + name_length]), at, length, stamp
