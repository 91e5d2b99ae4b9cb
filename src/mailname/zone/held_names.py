"""Which names a zone holds, asked by their octets: what a question needs to find its closest encloser, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from mailname.zone.image import HEADER, NODE, SLOT, name_hash, octets
from mailname.zone.image_zone import ImageZone

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from mailname.zone.zone import Zone

_FEW = 100  # names that are listed rather than looked up: hashing a label takes longer than an answer should
_MOST_LISTED = 500  # records of a zone without image whose names are listed
_32_BITS = 0xFFFFFFFF


class HeldNames(Protocol):
    """The names of one zone; of hashed owners (RFC 5155 section 7.2.8), none or all."""

    def closest(self, name: bytes, starts: Sequence[int]) -> int:
        """Return the number of the label at which the longest suffix of a name begins that the zone holds.

        Args:
            name: in wire form, lower case, at or below the apex.
            starts: where its labels begin, down to the apex.

        """


def held_names(zone: Zone) -> HeldNames | None:
    """Return the names of a zone; None where only a walk through many records would tell them."""
    if isinstance(zone, ImageZone):
        held = _InImage(zone)
        return _Listed(held) if len(held) <= _FEW else held
    if zone.record_count <= _MOST_LISTED:
        return _Listed(octets(node.owner).lower() for node in zone.nodes())
    return None


class _InImage:
    """The names in an image's hash index: nothing is kept beside it."""

    __slots__ = ("_apex_hash", "_blob", "_count", "_image", "_mask", "_nodes", "_slots")

    def __init__(self, zone: ImageZone) -> None:
        self._image = zone.image
        fields = HEADER.unpack_from(zone.image)
        self._count = fields[2]
        self._mask, self._slots, self._nodes = fields[4:7]
        self._blob = fields[9]
        self._apex_hash = name_hash(octets(zone.apex).lower())

    def closest(self, name: bytes, starts: Sequence[int]) -> int:
        """Go down from the apex, one label at a time, as far as there are nodes."""
        image, mask, slots, unpack = self._image, self._mask, self._slots, SLOT.unpack_from
        value = self._apex_hash
        for label in range(len(starts) - 2, -1, -1):
            at = starts[label]
            for octet in name[at : starts[label + 1]][::-1]:  # as name_hash does
                value = ((value ^ octet) * 0x01000193) & _32_BITS
            place = value & mask
            while True:
                hashed, entry = unpack(image, slots + 8 * place)
                if entry == 0:
                    return label + 1
                if hashed == value and self._is_at(entry - 1, name[at:]):
                    break
                place = (place + 1) & mask
        return 0

    def __len__(self) -> int:
        return int(self._count)

    def __iter__(self) -> Iterator[bytes]:
        for node in range(self._count):
            at, _, size, *_ = NODE.unpack_from(self._image, self._nodes + NODE.size * node)
            yield bytes(self._image[self._blob + at : self._blob + at + size])

    def _is_at(self, node: int, name: bytes) -> bool:
        fields = NODE.unpack_from(self._image, self._nodes + NODE.size * node)
        at = self._blob + fields[0]
        return fields[2] == len(name) and self._image[at : at + len(name)] == name


class _Listed:
    """The names of a small zone."""

    __slots__ = ("_names",)

    def __init__(self, names: Iterable[bytes]) -> None:
        self._names = frozenset(names)

    def closest(self, name: bytes, starts: Sequence[int]) -> int:
        """Go down from the apex, one label at a time, as far as there are nodes."""
        for label in range(len(starts) - 2, -1, -1):
            if name[starts[label] :] not in self._names:
                return label + 1
        return 0
