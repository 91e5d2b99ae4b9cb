"""A zone over its image: the interface of ``Zone``, without the objects of a million records.

What a caller asks for is made when he asks, and kept by him alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, ValuesView
from functools import cached_property
from typing import TYPE_CHECKING, cast

from dns.rdatatype import RdataType

from mailname.zone.denial_index import MOST_ITERATIONS, Nsec3Index, NsecIndex
from mailname.zone.image_read import ImageReader, Key
from mailname.zone.serial import Serial
from mailname.zone.zone import Node, Zone

if TYPE_CHECKING:
    from dns.name import Name
    from dns.rdtypes.ANY.NSEC3PARAM import NSEC3PARAM

    from mailname.zone.rrset import RRset

_SHA1 = 1
_PIECE = 1 << 18


class ImageZone(Zone):
    """One version of a zone in an image.

    Args:
        image: built by this process, or of a pack that ``check_pack`` found good.

    """

    def __init__(self, image: bytes | memoryview) -> None:
        reader = ImageReader(image)
        self._reader = reader
        self.apex = reader.apex
        self._apex_key = _key(reader.apex)
        self._apex_depth = len(self._apex_key)
        self.record_count = reader.records
        self._all = _Nodes(reader, hashed=True)
        self._nodes = _Nodes(reader, hashed=False)

    @cached_property
    def soa(self) -> RRset:
        """The SOA."""
        return self._all[self._apex_key].rrsets[RdataType.SOA]

    @cached_property
    def soa_octets(self) -> tuple[int, bytes]:
        """The SOA's TTL, and its rdata in wire form, uncompressed."""
        return self._reader.first(0, RdataType.SOA)

    @property
    def serial(self) -> Serial:
        """This version's serial."""
        return Serial(self._reader.serial)

    @cached_property
    def denial(self) -> NsecIndex | Nsec3Index | None:
        """The chain that proves what is not there; None when the zone is not signed."""
        apex = self._all[self._apex_key].rrsets
        if RdataType.NSEC in apex:
            return _ImageNsecIndex(self._reader)
        for rdata in apex[RdataType.NSEC3PARAM].rdatas if RdataType.NSEC3PARAM in apex else ():
            one = cast("NSEC3PARAM", rdata)
            if one.algorithm == _SHA1 and one.flags == 0 and one.iterations <= MOST_ITERATIONS:
                index = _ImageNsec3Index(self._reader, one.salt, one.iterations)
                if index.last is not None:
                    return index
        return None

    @property
    def image(self) -> memoryview:
        """The image itself."""
        return self._reader.image

    def wire_records(self) -> Iterator[tuple[bytes, int, int, bytes]]:
        """Yield owner, type, TTL and rdata of all records, in wire form and uncompressed, in canonical order."""
        return self._reader.wire_records()

    def __eq__(self, other: object) -> bool:
        if (
            isinstance(other, Zone) and self.serial != other.serial
        ):  # a new version mostly has a new one: nothing else is looked at
            return False
        if isinstance(other, ImageZone) and same_octets(self.image, other.image):
            return True
        return super().__eq__(other)

    def __hash__(self) -> int:
        return super().__hash__()


class _Nodes(Mapping[Key, Node]):
    """The nodes of an image by their keys, in canonical order; with or without those that no question finds."""

    def __init__(self, reader: ImageReader, *, hashed: bool) -> None:
        self._reader = reader
        self._hashed = hashed
        self._apex_key = _key(reader.apex)

    @cached_property
    def _apex(self) -> Node:
        """Asked for at every turn."""
        return _node(self._reader, 0)

    def _at(self, key: Key) -> Node | None:
        if key == self._apex_key:
            return self._apex
        number = self._reader.find_any(key) if self._hashed else self._reader.find(key)
        return None if number is None else _node(self._reader, number)

    def __getitem__(self, key: Key) -> Node:
        found = self._at(key)
        if found is None:
            raise KeyError(key)
        return found

    def _numbers(self) -> Iterator[int]:
        return (number for number in range(self._reader.nodes) if self._hashed or not self._reader.is_hashed(number))

    def __iter__(self) -> Iterator[Key]:
        return (self._reader.key(number) for number in self._numbers())

    def __len__(self) -> int:
        return self._reader.nodes if self._hashed else sum(1 for _ in self._numbers())

    def values(self) -> ValuesView[Node]:
        """Return the nodes, which are made one by one."""
        return _InOrder(self)

    def in_order(self) -> Iterator[Node]:
        """Make the nodes one by one."""
        return (_node(self._reader, number) for number in self._numbers())


class _InOrder(ValuesView[Node]):
    _mapping: _Nodes

    def __iter__(self) -> Iterator[Node]:
        return self._mapping.in_order()


class _ImageNsecIndex(NsecIndex):
    """The NSEC chain of an image."""

    __slots__ = ("_reader",)

    def __init__(self, reader: ImageReader) -> None:
        self._reader = reader

    def at_or_before(self, name: Name) -> Node:
        place = self._reader.after(_key(name)) - 1
        while place > 0 and RdataType.NSEC not in self._reader.types(place):
            place -= 1
        return _node(self._reader, max(place, 0))


class _ImageNsec3Index(Nsec3Index):
    """The NSEC3 chain of an image. Its owners lie directly below the apex (RFC 5155 section 3)."""

    __slots__ = ("_reader", "last")

    def __init__(self, reader: ImageReader, salt: bytes, iterations: int) -> None:
        self._reader = reader
        self.salt = salt
        self.iterations = iterations
        self.last = self._at_or_before(reader.nodes - 1)

    def _at_or_before(self, place: int) -> Node | None:
        while place >= 0:
            if RdataType.NSEC3 in self._reader.types(place):
                node = _node(self._reader, place)
                if self._is_of_chain(node):
                    return node
            place -= 1
        return None

    def matching(self, name: Name) -> Node | None:
        number = self._reader.find_any(self._owner(name))
        if number is None or RdataType.NSEC3 not in self._reader.types(number):
            return None
        node = _node(self._reader, number)
        return node if self._is_of_chain(node) else None

    def covering(self, name: Name) -> Node:
        found = self._at_or_before(self._reader.after(self._owner(name)) - 1) or self.last
        assert found is not None  # a chain without records is not used
        return found

    def _owner(self, name: Name) -> Key:
        return (*_key(self._reader.apex), self._hash(name))

    def __len__(self) -> int:
        return sum(1 for number in range(self._reader.nodes) if RdataType.NSEC3 in self._reader.types(number))


def _node(reader: ImageReader, number: int) -> Node:
    owner = reader.owner(number)
    return Node(owner, reader.rrsets(number, owner))


def _key(name: Name) -> Key:
    return tuple([label.lower() for label in reversed(name.labels)])


def same_octets(one: bytes | memoryview, other: bytes | memoryview) -> bool:
    """Tell whether two blocks are the same, at the speed of memory, which comparing memoryviews has not."""
    if len(one) != len(other):
        return False
    return all(bytes(one[at : at + _PIECE]) == bytes(other[at : at + _PIECE]) for at in range(0, len(one), _PIECE))
