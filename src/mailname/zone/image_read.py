"""A zone image read: nodes found by name and by place, RRsets as dnspython's objects, made when they are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from struct import Struct
from typing import TYPE_CHECKING, Any

import dns.rdata
from dns.name import Name
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType

from mailname.zone.image import HASHED, HEADER, NODE, RRSET, SLOT, name_hash
from mailname.zone.rrset import RRset

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dns.rdata import Rdata

_RECORD = Struct("!HHHIH")
_NUMBER = Struct("<I")

# A name as a key that sorts canonically (RFC 4034 section 6.1): labels in lower case, the root's first.
Key = tuple[bytes, ...]


class ImageReader:
    """What stands in an image. The image is trusted: this process built it, or it lies in a pack that ``check_pack`` found good.

    Attributes:
        apex: the zone's, in lower case.
        nodes: how many there are, empty non-terminals included.
        records: how many there are.
        serial: the SOA's.

    """

    def __init__(self, image: bytes | memoryview) -> None:
        self.image = memoryview(image).toreadonly()
        fields = HEADER.unpack_from(self.image)
        self.nodes: int = fields[2]
        self._mask: int = fields[4]
        self._slots_at, self._nodes_at, self._rrsets_at, self._lists_at, self._blob_at = fields[5:10]
        self.records: int = fields[10]
        self.serial: int = fields[11]
        self.apex = self._name(self._blob_at + fields[13])
        # As it is spelled in the zone: this is what a pointer to the apex stands for.
        self._apex_wire = self._wire(self._blob_at + NODE.unpack_from(self.image, self._nodes_at)[1])

    def _wire(self, at: int) -> bytes:
        end = at
        while self.image[end]:
            end += 1 + self.image[end]
        return bytes(self.image[at : end + 1])

    def _name(self, at: int) -> Name:
        labels = []
        while length := self.image[at]:
            labels.append(bytes(self.image[at + 1 : at + 1 + length]))
            at += 1 + length
        return Name([*labels, b""])

    def _fields(self, node: int) -> tuple[int, ...]:
        return NODE.unpack_from(self.image, self._nodes_at + NODE.size * node)

    def owner(self, node: int) -> Name:
        """Return a node's owner, as spelled."""
        return self._name(self._blob_at + self._fields(node)[1])

    def key(self, node: int) -> Key:
        """Return a node's owner as a key."""
        return tuple(reversed(self._name(self._blob_at + self._fields(node)[0]).labels))

    def is_hashed(self, node: int) -> bool:
        """Tell whether a node's owner is the hash of a name, which no question finds."""
        return bool(self._fields(node)[4] & HASHED)

    def find(self, key: Key) -> int | None:
        """Return the node with this owner, unless no question finds it."""
        wire = b"".join([bytes((len(label),)) + label for label in reversed(key)])
        hashed = name_hash(wire)
        place = hashed & self._mask
        while True:
            one, entry = SLOT.unpack_from(self.image, self._slots_at + SLOT.size * place)
            if entry == 0:
                return None
            if one == hashed:
                at = self._blob_at + self._fields(entry - 1)[0]
                if self.image[at : at + len(wire)] == wire:
                    return int(entry) - 1
            place = (place + 1) & self._mask

    def after(self, key: Key) -> int:
        """Return the place of the first node whose owner comes behind this one in canonical order."""
        first, end = 0, self.nodes
        while first < end:
            middle = (first + end) // 2
            if self.key(middle) <= key:
                first = middle + 1
            else:
                end = middle
        return first

    def find_any(self, key: Key) -> int | None:
        """Return the node with this owner."""
        found = self.find(key)
        if found is None:
            place = self.after(key) - 1
            if place >= 0 and self.is_hashed(place) and self.key(place) == key:
                return place
        return found

    def types(self, node: int) -> list[int]:
        """Return the types that a node has."""
        fields = self._fields(node)
        return [RRSET.unpack_from(self.image, self._rrsets_at + RRSET.size * (fields[7] + i))[0] for i in range(fields[8])]

    def rrsets(self, node: int, owner: Name) -> Mapping[RdataType, RRset]:
        """Return a node's RRsets, types ascending; each is made when it is asked for."""
        return _RRsets(self, node, owner)

    def entries(self, node: int) -> dict[int, tuple[int, ...]]:
        """Return what is written down of a node's RRsets, by type, ascending."""
        fields = self._fields(node)
        first = self._rrsets_at + RRSET.size * fields[7]
        return {entry[0]: entry for entry in RRSET.iter_unpack(self.image[first : first + RRSET.size * fields[8]])}

    def rrset(self, owner: Name, entry: tuple[int, ...]) -> RRset:
        """Return the RRset of one entry."""
        rdtype = RdataType.make(entry[0])
        return RRset(owner, rdtype, entry[4], tuple(_rdata(rdtype, wire) for wire in self._rdatas(entry)))

    def first(self, node: int, rdtype: int) -> tuple[int, bytes]:
        """Return the TTL of an RRset that a node has, and its first rdata in wire form, names in it written out."""
        entry = self.entries(node)[rdtype]
        return entry[4], next(self._rdatas(entry))

    def _rdatas(self, entry: tuple[int, ...]) -> Iterator[bytes]:
        """Yield the rdata of an RRset's entry, names in it written out."""
        at = start = self._blob_at + entry[5]
        pointers = [_NUMBER.unpack_from(self.image, self._lists_at + 4 * (entry[7] + i))[0] for i in range(entry[3])]
        used = 0
        for _ in range(entry[2]):
            length = _RECORD.unpack_from(self.image, at)[4]
            at += _RECORD.size
            end = at + length
            wire = b""
            while used < len(pointers) and start + pointers[used] < end:
                wire += bytes(self.image[at : start + pointers[used]]) + self._apex_wire
                at = start + pointers[used] + 2
                used += 1
            yield wire + bytes(self.image[at:end])
            at = end

    def wire_records(self) -> Iterator[tuple[bytes, int, int, bytes]]:
        """Yield owner (as spelled), type, TTL and rdata of all records, in wire form and uncompressed, in canonical order."""
        for node in range(self.nodes):
            fields = self._fields(node)
            owner = bytes(self.image[self._blob_at + fields[1] : self._blob_at + fields[1] + fields[2]])
            for number in range(fields[7], fields[7] + fields[8]):
                entry = RRSET.unpack_from(self.image, self._rrsets_at + RRSET.size * number)
                for wire in self._rdatas(entry):
                    yield owner, entry[0], entry[4], wire


class _RRsets(Mapping[RdataType, RRset]):
    """A node's RRsets by type. Most who look at a node ask for one."""

    __slots__ = ("_entries", "_made", "_owner", "_reader")

    def __init__(self, reader: ImageReader, node: int, owner: Name) -> None:
        self._reader = reader
        self._owner = owner
        self._entries = reader.entries(node)
        self._made: dict[RdataType, RRset] = {}

    def __getitem__(self, rdtype: RdataType) -> RRset:
        made = self._made.get(rdtype)
        if made is None:
            made = self._made[rdtype] = self._reader.rrset(self._owner, self._entries[rdtype])
        return made

    def get(self, rdtype: RdataType, default: Any = None) -> Any:
        """Return the RRset of a type; Mapping's own way would raise and catch for each that is not there."""
        return self[rdtype] if rdtype in self._entries else default

    def __contains__(self, rdtype: object) -> bool:
        return rdtype in self._entries

    def __iter__(self) -> Iterator[RdataType]:
        return map(RdataType.make, self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return repr(dict(self))


def _rdata(rdtype: RdataType, wire: bytes) -> Rdata:
    return dns.rdata.from_wire(RdataClass.IN, rdtype, wire, 0, len(wire))
