"""The zone image: one zone version as one block of octets, laid out so that an answer is one lookup and about one copy.

The block can be written to disk (in a ``pack``, which has a checksum), mapped, and read without making a Python object per
record. It holds owners in canonical order, a hash index over them, and for each RRset the records as they go into an answer:
owner as a pointer to the question, names in rdata that end in the apex as labels and a pointer to be set ("patch") to where the
question names the apex. All numbers are little-endian; offsets are octets from the start of the block.

Layout (sizes in octets)::

    header  128   see below
    slots     8n  u32 hash of an owner, u32 number of its node + 1 (0: free); n is a power of two, probing is linear
    nodes    32n  in canonical order (RFC 4034 section 6.1)
    rrsets   40n  grouped by node, types ascending
    lists     4n  patches (positions in a body) and additional RRsets (numbers), as u32; a number before each RRset's own
    chain         what proves that something is not there, in canonical order. NSEC: 4n, u32 number of the node that has the
                  record. NSEC3: 24n, the hash that its owner spells (20), u32 number of the node
    blob          the apex; for each node its name in wire form, in lower case and, if different, as spelled, and its bodies

The header: magic; as u32 the block's length, how many nodes, how many RRsets, how many slots less one, where slots, nodes,
rrsets, lists and blob begin, how many records, the SOA's serial, the TTL of negative answers, where in the blob the apex is; u8
its length, u8 flags of the zone; 54 octets that are zero; as u32 where the chain begins, how many links it has (0: nothing is
proved), and where the rdata of the NSEC3PARAM record stands that the chain goes by (0: it is one of NSEC).

An RRset's entry: u16 type, u16 number of signatures, u16 of records, u16 of patches, u32 TTL, u32 body, u32 its length, u32 first
patch, u32 first additional RRset, u16 number of these, u16 octets of signatures (65535: that many or more), u32 where in the blob
these begin, u32 node. Signatures are sorted by the type that they cover, so that those of one RRset lie together in the RRSIG
RRset's body; each has the TTL of what it covers there, whatever the entry of the RRSIG RRset says. The last entry is the SOA as
negative answers have it; behind it are its signatures with that TTL.

Owners that are hashes of names (RFC 5155 section 7.2.8) stand among the nodes, but not in the hash index: no question finds them.
The same code lays out what was read from text (``load``) and a Zone (``build_image``).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from mailname.errors import ZoneError
from mailname.zone.image_build import ImageBuilder
from mailname.zone.image_layout import Layout
from mailname.zone.packed import PackedRecords
from mailname.zone.record_groups import GOOD

if TYPE_CHECKING:
    from dns.name import Name
    from dns.rdata import Rdata

    from mailname.zone.zone import Zone

MAGIC = b"MNZONE\x00\x03"  # the last octet is the layout's version
HEADER = struct.Struct("<8s13I B B 54x 3I")

SLOT = struct.Struct("<II")
NODE = struct.Struct("<IIBBHIIIHHI")
RRSET = struct.Struct("<HHHHIIIIIHHII")

NONE = 0xFFFFFFFF

# Flags of a node.
CUT, BELOW_CUT, HAS_DNAME, HAS_CNAME, HAS_WILDCARD, BELOW_DNAME, NSEC3_OWNER, HASHED = 1, 2, 4, 8, 16, 32, 64, 128

# Flags of a zone, in the header's octet 61.
ZONE_SIGNED = 1  # there are signatures or proofs
ZONE_HIDES = 2
ZONE_ODD = 4  # an owner in the chain of NSEC3 is not the hash of a name: its links may stand in the wrong order


def name_hash(lower: bytes) -> int:
    """Hash a name in lower-case wire form: FNV-1a from its last octet to its first, so that one pass hashes all suffixes."""
    value = 0x811C9DC5
    for octet in reversed(lower):
        value = ((value ^ octet) * 0x01000193) & 0xFFFFFFFF
    return value


def build_image(zone: Zone) -> bytes:
    """Lay a zone out.

    Raises:
        ZoneError: it is larger than an image can be.

    """
    builder = ImageBuilder()
    try:
        good = builder.prepare(_packed(zone), octets(zone.apex), trusted=True) == GOOD
    except OverflowError:
        good = False
    if not good:
        raise _too_large(zone.apex)
    return lay_out(builder, zone.apex)


def _packed(zone: Zone) -> PackedRecords:
    packed = PackedRecords()
    for node in zone.nodes():
        owner = packed.put(octets(node.owner))
        for rdtype in sorted(node.rrsets):
            rrset = node.rrsets[rdtype]
            for rdata in rrset.rdatas:
                packed.add(owner, rrset.ttl, rdtype, octets(rdata), 0)
        if not node.rrsets:
            packed.add(owner, 0, 0, b"", 0)
    return packed


def lay_out(builder: ImageBuilder, apex: Name) -> bytes:
    """Write down what a builder has prepared, and found good.

    Raises:
        ZoneError: it is larger than an image can be.

    """
    layout = Layout(MAGIC)
    layout.begin(builder)
    if not layout.fits():
        raise _too_large(apex)
    return layout.write()


def _too_large(apex: Name) -> ZoneError:
    return ZoneError(f"the zone {apex} is too large", remedy="An RRset holds at most 65535 records, a zone 2 GB.")


def octets(of: Name | Rdata) -> bytes:
    """Return the wire form, uncompressed, letters' case kept."""
    wire = of.to_wire()
    assert wire is not None  # it is None only when written into a file
    return wire
