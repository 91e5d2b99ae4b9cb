"""The zone image: one zone version as one block of octets, laid out so that an answer is one lookup and about one copy.

The block can be written to disk, mapped, checked by its checksum, and read without making a Python object per record. It holds
owners in canonical order, a hash index over them, and for each RRset the records as they go into an answer: owner as a pointer
to the question, names in rdata that end in the apex as labels and a pointer to be set ("patch") to where the question names
the apex. All numbers are little-endian; offsets are octets from the start of the block.

Layout (sizes in octets)::

    header  128   see the constants
    slots     8n  u32 hash of an owner, u32 number of its node + 1 (0: free); n is a power of two, probing is linear
    nodes    32n  in canonical order (RFC 4034 section 6.1)
    rrsets   40n  grouped by node, types ascending
    lists     4n  patches (positions in a body) and additional RRsets (numbers), as u32
    blob          names in wire form, lower case and as spelled; bodies
"""

from __future__ import annotations

import struct
from hashlib import blake2b
from typing import TYPE_CHECKING

from dns.rdatatype import RdataType

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dns.name import Name
    from dns.rdata import Rdata

    from mailname.zone.rrset import RRset
    from mailname.zone.zone import Node, Zone

MAGIC = b"MNZONE\x00\x01"  # the last octet is the layout's version
HEADER = struct.Struct("<8s13I B B 2x I 16s 32s 12x")
HEADER_SIZE = 128
CHECKSUM_AT = 84
CHECKSUM_SIZE = 32

SLOT = struct.Struct("<II")
NODE = struct.Struct("<IIBBHIIIHHI")
RRSET = struct.Struct("<HHHHIIIIIHHII")

NONE = 0xFFFFFFFF

# Flags of a node.
CUT, BELOW_CUT, HAS_DNAME, HAS_CNAME, HAS_WILDCARD, BELOW_DNAME, NSEC3_OWNER = 1, 2, 4, 8, 16, 32, 64

# Flags of a zone, in the header's octet 61.
ZONE_SIGNED = 1

_FIXED = struct.Struct("!HHHIH")
_TO_QUESTION = 0xC00C
# RFC 3597 section 4: only the types of RFC 1035 may be compressed. Where the names begin in each, and how many there are.
_NAMES_IN = {RdataType.NS: (0, 1), RdataType.CNAME: (0, 1), RdataType.PTR: (0, 1), RdataType.MX: (2, 1), RdataType.SOA: (0, 2)}
_HOST_FIELD = {RdataType.MX: "exchange", RdataType.NS: "target", RdataType.SRV: "target"}


def name_hash(lower: bytes) -> int:
    """Hash a name in lower-case wire form: FNV-1a from its last octet to its first, so that one pass hashes all suffixes."""
    value = 0x811C9DC5
    for octet in reversed(lower):
        value = ((value ^ octet) * 0x01000193) & 0xFFFFFFFF
    return value


class _Lists:
    def __init__(self) -> None:
        self.values: list[int] = []

    def add(self, values: list[int]) -> int:
        at = len(self.values)
        self.values += values
        return at


def build_image(zone: Zone) -> bytes:
    """Lay a zone out."""
    return _Builder(zone).build()


class _Builder:
    def __init__(self, zone: Zone) -> None:
        self.zone = zone
        self.apex = octets(zone.apex).lower()
        self.blob = bytearray()
        self.lists = _Lists()
        self.nodes = list(zone.nodes())
        self.wildcards = {node.owner.parent(): index for index, node in enumerate(self.nodes) if node.owner.is_wild()}
        self.rrset_number: dict[tuple[Name, RdataType], int] = {}
        for node in self.nodes:
            for rdtype in sorted(node.rrsets):
                self.rrset_number[node.owner, rdtype] = len(self.rrset_number)

    def build(self) -> bytes:
        rrsets: list[bytes] = []
        nodes: list[bytes] = []
        hashes: list[int] = []
        cut = NONE
        cut_name: Name | None = None
        dname_name: Name | None = None
        apex_name_at = self._blob(self.apex)
        for index, node in enumerate(self.nodes):
            # Canonical order puts what lies below a cut right behind it.
            if cut_name is not None and not node.owner.is_subdomain(cut_name):
                cut, cut_name = NONE, None
            if cut_name is None and node.owner != self.zone.apex and RdataType.NS in node.rrsets:
                cut, cut_name = index, node.owner
            if dname_name is not None and not node.owner.is_subdomain(dname_name):
                dname_name = None
            below_dname = dname_name is not None
            if dname_name is None and RdataType.DNAME in node.rrsets:
                dname_name = node.owner
            first = len(rrsets)
            rrsets += [self._rrset(index, node.rrsets[rdtype], at_cut=cut == index) for rdtype in sorted(node.rrsets)]
            spelled = octets(node.owner)
            lower = spelled.lower()
            hashes.append(name_hash(lower))
            lower_at = self._blob(lower)
            spelled_at = lower_at if spelled == lower else self._blob(spelled)
            nodes.append(
                NODE.pack(
                    lower_at,
                    spelled_at,
                    len(lower),
                    len(node.owner.labels),
                    self._flags(node, cut, index) | (BELOW_DNAME if below_dname else 0),
                    cut,
                    self.wildcards.get(node.owner, NONE),
                    first,
                    len(node.rrsets),
                    0,
                    hashes[-1],
                )
            )
        negative = self._negative_soa(len(nodes))
        rrsets.append(negative)
        return self._assemble(nodes, rrsets, _slots(hashes), apex_name_at)

    def _blob(self, data: bytes) -> int:
        at = len(self.blob)
        self.blob += data
        return at

    def _zone_flags(self) -> int:
        return ZONE_SIGNED if any(RdataType.RRSIG in node.rrsets for node in self.nodes) else 0

    def _flags(self, node: Node, cut: int, index: int) -> int:
        return (
            (CUT if cut == index else 0)
            | (BELOW_CUT if cut not in (NONE, index) else 0)
            | (HAS_DNAME if RdataType.DNAME in node.rrsets else 0)
            | (HAS_CNAME if RdataType.CNAME in node.rrsets else 0)
            | (HAS_WILDCARD if node.owner in self.wildcards else 0)
            | (NSEC3_OWNER if RdataType.NSEC3 in node.rrsets else 0)
        )

    def _rrset(self, index: int, rrset: RRset, *, at_cut: bool) -> bytes:
        body, patches = _body(rrset.rdatas, rrset.ttl, self.apex)
        extra = self._additional(rrset, at_cut=at_cut)
        return RRSET.pack(
            rrset.rdtype,
            0,
            len(rrset.rdatas),
            len(patches),
            rrset.ttl,
            self._blob(body),
            len(body),
            self.lists.add(patches),
            self.lists.add(extra),
            len(extra),
            0,
            NONE,
            index,
        )

    def _additional(self, rrset: RRset, *, at_cut: bool) -> list[int]:
        """Return the address RRsets that go with this one: in a referral what lies below the cut comes first, it is needed."""
        field = _HOST_FIELD.get(rrset.rdtype)
        if field is None:
            return []
        needed: list[int] = []
        others: list[int] = []
        for rdata in rrset.rdatas:
            target: Name = getattr(rdata, field)
            if rrset.rdtype != RdataType.NS and self.zone.is_below_cut(target):
                continue
            into = needed if at_cut and target.is_subdomain(rrset.owner) else others
            for rdtype in (RdataType.A, RdataType.AAAA):
                number = self.rrset_number.get((target, rdtype))
                if number is not None and number not in into:
                    into.append(number)
        return needed + others

    def _negative_soa(self, index: int) -> bytes:
        soa = self.zone.soa
        body, patches = _body(soa.rdatas, self.zone.negative_ttl, self.apex)
        return RRSET.pack(
            RdataType.SOA,
            0,
            1,
            len(patches),
            self.zone.negative_ttl,
            self._blob(body),
            len(body),
            self.lists.add(patches),
            0,
            0,
            0,
            NONE,
            index,
        )

    def _assemble(self, nodes: list[bytes], rrsets: list[bytes], slots: list[int], apex_name_at: int) -> bytes:
        slots_at = HEADER_SIZE
        nodes_at = slots_at + 4 * len(slots)
        rrsets_at = nodes_at + NODE.size * len(nodes)
        lists_at = rrsets_at + RRSET.size * len(rrsets)
        blob_at = lists_at + 4 * len(self.lists.values)
        total = blob_at + len(self.blob)
        image = bytearray(
            HEADER.pack(
                MAGIC,
                total,
                len(nodes),
                len(rrsets),
                len(slots) // 2 - 1,
                slots_at,
                nodes_at,
                rrsets_at,
                lists_at,
                blob_at,
                self.zone.record_count,
                self.zone.serial.value,
                self.zone.negative_ttl,
                apex_name_at,
                len(self.apex),
                self._zone_flags(),
                0,
                bytes(16),
                bytes(CHECKSUM_SIZE),
            )
        )
        image += struct.pack(f"<{len(slots)}I", *slots)
        image += b"".join(nodes) + b"".join(rrsets)
        image += struct.pack(f"<{len(self.lists.values)}I", *self.lists.values)
        image += self.blob
        image[CHECKSUM_AT : CHECKSUM_AT + CHECKSUM_SIZE] = checksum(image)
        return bytes(image)


def check_image(image: bytes | memoryview, apex: bytes) -> None:
    """Refuse a block that is not a whole, undamaged image of this zone in this layout.

    Raises:
        ValueError: with the reason.

    """
    if len(image) < HEADER_SIZE or bytes(image[: len(MAGIC)]) != MAGIC:
        raise ValueError("not a zone image of this version")
    fields = HEADER.unpack_from(image)
    if fields[1] != len(image):
        raise ValueError(f"{len(image)} octets long instead of {fields[1]}")
    if checksum(image) != fields[-1]:
        raise ValueError("the checksum does not match")
    name_at = fields[9] + fields[13]
    if bytes(image[name_at : name_at + fields[14]]) != apex:
        raise ValueError("the image of another zone")


def checksum(image: bytes | bytearray | memoryview) -> bytes:
    """Return the checksum over a block with its checksum field taken as zeros."""
    digest = blake2b(memoryview(image)[:CHECKSUM_AT], digest_size=CHECKSUM_SIZE)
    digest.update(bytes(CHECKSUM_SIZE))
    digest.update(memoryview(image)[CHECKSUM_AT + CHECKSUM_SIZE :])
    return digest.digest()


def octets(of: Name | Rdata) -> bytes:
    """Return the wire form, uncompressed, letters' case kept."""
    wire = of.to_wire()
    assert wire is not None  # it is None only when written into a file
    return wire


def _slots(hashes: list[int]) -> list[int]:
    size = 8
    while size < 2 * len(hashes):
        size *= 2
    slots = [0] * (2 * size)
    mask = size - 1
    for node, value in enumerate(hashes):
        at = value & mask
        while slots[2 * at + 1]:
            at = (at + 1) & mask
        slots[2 * at], slots[2 * at + 1] = value, node + 1
    return slots


def _body(rdatas: Iterable[Rdata], ttl: int, apex: bytes) -> tuple[bytes, list[int]]:
    """Return the records as they follow one another in an answer, and where a pointer to the apex has to be set."""
    body = bytearray()
    patches: list[int] = []
    for rdata in rdatas:
        wire, places = _with_pointers(rdata, apex)
        start = len(body) + _FIXED.size
        patches += [start + place for place in places]
        body += _FIXED.pack(_TO_QUESTION, rdata.rdtype, rdata.rdclass, ttl, len(wire)) + wire
    return bytes(body), patches


def _with_pointers(rdata: Rdata, apex: bytes) -> tuple[bytes, list[int]]:
    wire = octets(rdata)
    where = _NAMES_IN.get(rdata.rdtype)
    if where is None or len(apex) <= 2:
        return wire, []
    at, names = where
    out = bytearray(wire[:at])
    places: list[int] = []
    for _ in range(names):
        start = at
        while wire[at] and wire[at:].lower()[: len(apex)] != apex:
            at += 1 + wire[at]
        out += wire[start:at]
        if wire[at]:
            places.append(len(out))
            out += b"\xc0\x00"
            at += len(apex)
        else:
            out += b"\x00"
            at += 1
    return bytes(out + wire[at:]), places
