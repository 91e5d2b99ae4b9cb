"""Questions that hypothesis makes up about given names, as octets: well-formed ones, and others."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import dns.name
from dns.name import Name
from hypothesis import strategies as st
from tests import strategies

from mailname.wire.octets import octets

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mailname.zone import Zone

# What a zone holds, what it does not, and all that has a meaning of its own to an answering server.
TYPES = [1, 2, 5, 6, 12, 13, 15, 16, 28, 33, 35, 39, 43, 46, 47, 48, 50, 51, 52, 59, 64, 65, 99, 257, 65280, 65400]
ODD_TYPES = [0, 41, 43, 46, *range(128, 256, 9), 249, 250, 251, 252, 253, 254, 255, 65535]
OPTIONS = [0, 3, 5, 8, 9, 10, 11, 12, 15, 31, 32, 65001]


def names_of(zones: Iterable[Zone]) -> list[Name]:
    """Return the owners of some zones, their parents, and what is below them."""
    found = set()
    for zone in zones:
        for node in zone.nodes():
            found |= {node.owner, node.owner.parent() if node.owner.labels[0] else node.owner}
            for below in ((b"x",), (b"*",), (b"a", b"b"), (b"*", b"c")):
                if len(octets(node.owner)) + sum(len(label) + 1 for label in below) <= 255:
                    found.add(Name((*below, *node.owner.labels)))
    return sorted(found)


def query(name: Name, rdtype: int, *, edns: bool = True, payload: int = 1232, dnssec: bool = False) -> bytes:
    """Return an ordinary question."""
    head = struct.pack("!HHHHHH", 4711, 0, 1, 0, 0, int(edns)) + octets(name) + struct.pack("!HH", rdtype, 1)
    return head + struct.pack("!BHHIH", 0, 41, payload, dnssec << 15, 0) if edns else head


@st.composite
def longer(draw: st.DrawFn, name: Name) -> Name:
    """Put labels before a name, up to the 255 octets that a name may have."""
    room = 255 - len(octets(name))
    labels: list[bytes] = []
    for label in draw(st.lists(st.one_of(strategies.labels, st.binary(min_size=60, max_size=63)), max_size=6)):
        if len(label) + 1 > room:
            break
        room -= len(label) + 1
        labels.append(label)
    return Name((*labels, *name.labels))


@st.composite
def another_case(draw: st.DrawFn, wire: bytes) -> bytes:
    """Spell some letters otherwise; lengths of labels are below 64 and stay as they are."""
    mask = draw(st.integers(0, 2 ** len(wire) - 1))
    return bytes(octet ^ 32 if bytes([octet]).isalpha() and mask >> place & 1 else octet for place, octet in enumerate(wire))


options = st.lists(st.tuples(st.one_of(st.sampled_from(OPTIONS), strategies.numbers16), st.binary(max_size=41)), max_size=3).map(
    lambda made: b"".join(struct.pack("!HH", code, len(data)) + data for code, data in made)
)


@st.composite
def questions(draw: st.DrawFn, names: Sequence[Name]) -> bytes:
    """Make a question about one of the names, below it or about anything; mostly one that should be answered plainly."""
    name = draw(
        st.one_of(st.sampled_from(names), st.sampled_from(names).flatmap(longer), strategies.names, st.just(dns.name.root))
    )
    spelled = draw(another_case(octets(name)))
    rdtype = draw(st.one_of(st.sampled_from(TYPES), st.sampled_from(TYPES), st.sampled_from(ODD_TYPES), strategies.numbers16))
    rdclass = draw(st.sampled_from([1] * 12 + [0, 3, 4, 254, 255, 257]))
    flags = draw(st.sampled_from([0, 0x0100, 0x0110, 0x0120, 0x0400, 0x0580, 0x000F, 0x0200, 0x2000, 0x2800, 0x8000]))
    opt = b""
    if draw(st.integers(0, 3)):
        payload = draw(st.one_of(st.sampled_from([0, 511, 512, 513, 1231, 1232, 1233, 4096, 65535]), strategies.numbers16))
        version = draw(st.sampled_from([0] * 15 + [1]))
        rdata = draw(st.one_of(st.just(b""), st.just(b""), options))
        opt = struct.pack("!BHHBBHH", 0, 41, payload, 0, version, draw(st.sampled_from([0, 0x8000, 0xFFFF])), len(rdata)) + rdata
    head = struct.pack("!HHHHHH", draw(strategies.numbers16), flags, 1, 0, 0, int(bool(opt)))
    return head + spelled + struct.pack("!HH", rdtype, rdclass) + opt


@st.composite
def spoiled(draw: st.DrawFn, wire: bytes) -> bytes:
    """Change, cut, double or lengthen a few octets."""
    made = bytearray(wire)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(made)))
        match draw(st.integers(0, 4)):
            case 0:
                del made[at:]
            case 1:
                made[at:at] = draw(st.binary(max_size=20))
            case 2:
                made[at : at + draw(st.integers(0, 8))] = b""
            case _:
                made[at : at + 1] = bytes([draw(st.one_of(st.sampled_from([0, 1, 63, 64, 192, 255]), st.integers(0, 255)))])
    return bytes(made)
