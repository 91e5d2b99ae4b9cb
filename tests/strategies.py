"""What hypothesis makes up: names, rdata of every type, zones, zone-file text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.exception
import dns.name
import dns.rdata
from dns.name import Name
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType
from hypothesis import strategies as st

from mailname.errors import ZoneError
from mailname.zone import Serial, Zone, ZoneBuilder

if TYPE_CHECKING:
    from dns.rdata import Rdata

APEX = dns.name.from_text("example.tech.")

# Labels that a reader could take for something else: a type, a class, a TTL, a directive, the origin, a quote, a comment, an end.
_TRAPS = [
    b"IN",
    b"CH",
    b"MX",
    b"TYPE1",
    b"CLASS1",
    b"3600",
    b"1h",
    b"@",
    b"$TTL",
    b"$",
    b'"',
    b";",
    b"(",
    b")",
    b"\\",
    b".",
    b" ",
]
_TRAPS += [b"*", b"\\#", b"a.b", b"\x00", b"\xff", b"\t", b"\n", b"_tcp", b"MaiL", b"mail", b"example", b"tech"]

octets = st.binary(max_size=40)
numbers16 = st.integers(0, 65535)
serials = st.integers(0, 2**32 - 1).map(Serial)
ttls = st.one_of(st.sampled_from([0, 60, 3600, 86400]), st.integers(0, 2**31 - 1))
labels = st.one_of(
    st.sampled_from(_TRAPS),
    st.from_regex(rb"[a-zA-Z0-9_][a-zA-Z0-9_-]{0,11}", fullmatch=True),
    st.binary(min_size=1, max_size=12),
)
address4 = st.ip_addresses(v=4).map(str)
address6 = st.ip_addresses(v=6).map(str)


@st.composite
def names_below(draw: st.DrawFn, apex: Name = APEX, *, least: int = 0) -> Name:
    """Make the apex or a name below it, sometimes with another spelling of the apex."""
    relative = draw(st.lists(labels, min_size=least, max_size=3))
    top = apex.labels if draw(st.integers(0, 9)) else tuple(label.upper() for label in apex.labels)
    return Name((*relative, *top))


names = st.one_of(names_below(), st.lists(labels, max_size=3).map(lambda made: Name((*made, b""))))


def _text(rdtype: RdataType, *fields: st.SearchStrategy[str]) -> st.SearchStrategy[Rdata]:
    return st.tuples(*fields).map(lambda made: dns.rdata.from_text(RdataClass.IN, rdtype, " ".join(made)))


def _from_wire(rdtype: RdataType, wire: bytes) -> Rdata | None:
    try:
        return dns.rdata.from_wire(RdataClass.IN, rdtype, wire, 0, len(wire))
    except (dns.exception.DNSException, ValueError):
        return None


# Octets as a peer might send them: whatever dnspython takes for rdata of a type can come to us by transfer.
_DATA_TYPES = [
    t
    for t in RdataType
    if not 128 <= t <= 255 and t not in (RdataType.NONE, RdataType.OPT, RdataType.SOA, RdataType.CNAME, RdataType.DNAME)
]
_names_as_text = names.map(lambda name: name.to_text())
_number = numbers16.map(str)
_string = octets.map(lambda data: '"' + "".join(f"\\{octet:03d}" for octet in data) + '"')
_hexadecimal = st.binary(min_size=20, max_size=20).map(bytes.hex)

rdata_of_common_types: st.SearchStrategy[Rdata] = st.one_of(
    _text(RdataType.A, address4),
    _text(RdataType.AAAA, address6),
    _text(RdataType.MX, _number, _names_as_text),
    _text(RdataType.NS, _names_as_text),
    _text(RdataType.PTR, _names_as_text),
    _text(RdataType.SRV, _number, _number, _number, _names_as_text),
    st.lists(_string, min_size=1, max_size=4).flatmap(lambda strings: _text(RdataType.TXT, st.just(" ".join(strings)))),
    _text(RdataType.CAA, st.just('0 issue "ca.example.net"')),
    _text(RdataType.DS, _number, st.just("13 1"), _hexadecimal),
    _text(RdataType.RP, _names_as_text, _names_as_text),
    _text(RdataType.NAPTR, _number, _number, _string, _string, _string, _names_as_text),
)


@st.composite
def rdata_from_octets(draw: st.DrawFn) -> Rdata:
    """Make rdata of any type that a zone may hold, known or not, as it would come from the network."""
    rdtype = draw(st.one_of(st.sampled_from(_DATA_TYPES), st.integers(65280, 65534)))
    wire = draw(
        st.one_of(
            octets, names.map(lambda name: name.to_wire() or b""), st.tuples(st.binary(max_size=6), names).map(_number_and_name)
        )
    )
    made = _from_wire(RdataType.make(rdtype), wire)
    return made if made is not None else dns.rdata.GenericRdata(RdataClass.IN, RdataType.make(65400), wire)


def _number_and_name(pair: tuple[bytes, Name]) -> bytes:
    return pair[0] + (pair[1].to_wire() or b"")


rdata = st.one_of(rdata_of_common_types, rdata_from_octets())


@st.composite
def zones(draw: st.DrawFn, apex: Name = APEX) -> Zone:
    """Make a zone with a SOA, name servers and whatever else may stand together."""
    builder = ZoneBuilder(apex)
    timers = draw(st.tuples(*[st.integers(0, 2**32 - 1)] * 4))
    soa = f"{draw(names_below(apex)).to_text()} {draw(names).to_text()} {draw(serials)} " + " ".join(map(str, timers))
    builder.add(apex, draw(ttls), dns.rdata.from_text(RdataClass.IN, RdataType.SOA, soa))
    for target in draw(st.lists(names, min_size=1, max_size=3)):
        builder.add(apex, draw(ttls), dns.rdata.from_text(RdataClass.IN, RdataType.NS, target.to_text()))
    taken = {apex}
    for owner, ttl, one in draw(st.lists(st.tuples(names_below(apex), ttls, rdata), max_size=12)):
        builder.add(owner, ttl, one)
        taken.add(owner)
    for owner, target in draw(st.lists(st.tuples(names_below(apex, least=1), names), max_size=2)):
        if owner not in taken:
            taken.add(owner)
            builder.add(owner, draw(ttls), dns.rdata.from_text(RdataClass.IN, RdataType.CNAME, target.to_text()))
    try:
        return builder.build()
    except ZoneError as error:  # the parts above are chosen so that they may stand together
        raise AssertionError(error) from error


# Text that is nearly a zone: the words of zone files in any order.
_WORDS = [
    "@",
    "IN",
    "CH",
    "A",
    "AAAA",
    "MX",
    "TXT",
    "SOA",
    "NS",
    "3600",
    "1h",
    "192.0.2.1",
    "10",
    "mail",
    "(",
    ")",
    '"',
    ";",
    "\\",
    "\n",
]
_WORDS += [
    "$ORIGIN",
    "$TTL",
    "$INCLUDE",
    "$GENERATE",
    "1-3",
    "a${0,2,d}",
    "\\#",
    "TYPE65280",
    "\t",
    " ",
    "\r\n",
    "\f",
    "\ufeff",
    "\u00e9",
]
nearly_zone_text = st.lists(st.one_of(st.sampled_from(_WORDS), st.text(max_size=4)), max_size=40).flatmap(
    lambda words: st.sampled_from(["", " "]).map(lambda between: between.join(words))
)


@st.composite
def mutated(draw: st.DrawFn, text: str) -> str:
    """Spoil the text: a few pieces are cut out, doubled or replaced."""
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 30)))
        text = (
            text[:start]
            + draw(st.one_of(st.sampled_from(_WORDS), st.text(max_size=3), st.just(text[start:end] * 2)))
            + text[end:]
        )
    return text
