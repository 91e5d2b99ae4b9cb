"""Zone-file text written as a person would write it, so that it reads back as the same zone."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, cast

import dns.exception
import dns.rdatatype
from dns.rdatatype import RdataType

from mailname.zone.name_text import name_to_text
from mailname.zone.rdata_text import TokenFeed
from mailname.zone.scan import scan
from mailname.zone.ttl import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dns.name import Name
    from dns.rdata import Rdata
    from dns.rdtypes.ANY.SOA import SOA

    from mailname.zone.rrset import RRset
    from mailname.zone.scan import Token
    from mailname.zone.zone import Zone

_LINE = 100  # characters after which a record is spread over several lines
_OWNER_COLUMN = 30  # longer owners push their own line to the right, not the whole file

# Written with names relative to the apex: the attributes that hold them.
_NAMES_IN = {
    RdataType.AFSDB: ("hostname",),
    RdataType.CNAME: ("target",),
    RdataType.DNAME: ("target",),
    RdataType.HTTPS: ("target",),
    RdataType.KX: ("exchange",),
    RdataType.MX: ("exchange",),
    RdataType.NS: ("target",),
    RdataType.PTR: ("target",),
    RdataType.SOA: ("mname", "rname"),
    RdataType.SRV: ("target",),
    RdataType.SVCB: ("target",),
}
# Types whose text always reads back; the others are read back to be sure, and written as RFC 3597 says where they do not.
_PROVEN = frozenset(
    {
        RdataType.A,
        RdataType.AAAA,
        RdataType.CNAME,
        RdataType.DNAME,
        RdataType.MX,
        RdataType.NS,
        RdataType.PTR,
        RdataType.SOA,
        RdataType.SRV,
        RdataType.TXT,
    }
)
# Newer than the name servers that people run: as types with a number, every one of them can read the file.
_YOUNG = frozenset(t for t in RdataType if t in (261, 262, 66, 67, 68))
_STRINGS = frozenset({RdataType.TXT, RdataType.SPF, RdataType.NINFO, RdataType.AVC})


def write_zone(zone: Zone, *, header: str = "") -> str:
    """Write a zone as zone-file text.

    Args:
        zone: the zone.
        header: lines for the top of the file; each becomes a comment.

    """
    return "".join(f"{line}\n" for line in _lines(zone, header))


def _lines(zone: Zone, header: str) -> Iterator[str]:
    yield from (f"; {line}".rstrip() for line in header.splitlines())
    ttl = _usual_ttl(zone)
    yield f"$ORIGIN {zone.apex}"
    yield f"$TTL {ttl}".ljust(24) + f"; {words(ttl)}"
    feed = TokenFeed()
    rrsets = list(_in_order(zone))
    owners = [name_to_text(rrset.owner, zone.apex) for rrset in rrsets]
    others = [str(rrset.ttl) for rrset in rrsets if rrset.ttl != ttl]
    owner_width = max((len(owner) for owner in owners if len(owner) <= _OWNER_COLUMN), default=1)
    ttl_width = max(map(len, others), default=-1)
    type_width = max(len(_type_name(rrset.rdtype)) for rrset in rrsets)
    before = ""
    for rrset, owner in zip(rrsets, owners, strict=True):
        for rdata in rrset.rdatas:
            shown = "" if owner == before else owner
            before = owner
            start = shown.ljust(owner_width) + " "
            if others:
                start += (str(rrset.ttl) if rrset.ttl != ttl else "").rjust(ttl_width) + " "
            start += "IN " + _type_name(rrset.rdtype).ljust(type_width) + " "
            yield from _record(start, rdata, zone.apex, feed)


def _in_order(zone: Zone) -> Iterator[RRset]:
    """Return the SOA, the apex's name servers, then everything in canonical order."""
    apex = zone.node(zone.apex)
    assert apex is not None
    first = (RdataType.SOA, RdataType.NS)
    yield from (apex.rrsets[rdtype] for rdtype in first)
    for rrset in zone.rrsets():
        if rrset.rdtype not in first or rrset.owner != zone.apex:
            yield rrset


def _usual_ttl(zone: Zone) -> int:
    """Return the TTL that most records have; of equals, the SOA's, then the longest."""
    counts = Counter[int]()
    for rrset in zone.rrsets():
        counts[rrset.ttl] += len(rrset)
    return max(counts, key=lambda ttl: (counts[ttl], ttl == zone.soa.ttl, ttl))


def _type_name(rdtype: RdataType) -> str:
    return f"TYPE{int(rdtype)}" if rdtype in _YOUNG else dns.rdatatype.to_text(rdtype)


def _record(start: str, rdata: Rdata, apex: Name, feed: TokenFeed) -> Iterator[str]:
    if rdata.rdtype == RdataType.SOA:
        yield from _soa(start, cast("SOA", rdata), apex)
        return
    text = rdata_to_text(rdata, apex, feed)
    if len(start) + len(text) <= _LINE:
        yield (start + text).rstrip()
        return
    pieces = [piece for entry in scan(text, "") for piece in _pieces(entry.tokens)]
    yield from _spread(start, pieces, one_each=rdata.rdtype in _STRINGS)


def _pieces(tokens: list[Token]) -> Iterator[str]:
    """Return the tokens as written; what is glued stays together."""
    piece = ""
    for token in tokens:
        if piece and not token.glued:
            yield piece
            piece = ""
        piece += f'"{token.text}"' if token.quoted else token.text
    yield piece


def _spread(start: str, pieces: list[str], *, one_each: bool) -> Iterator[str]:
    """Spread a record over several lines in parentheses."""
    if len(pieces) == 1:
        yield start + pieces[0]
        return
    margin = " " * min(len(start) + 2, _LINE // 2)
    line = start + "( " + pieces[0]
    for piece in pieces[1:]:
        if one_each or len(line) + len(piece) >= _LINE:
            yield line
            line = margin + piece
        else:
            line += " " + piece
    yield line + " )"


def _soa(start: str, rdata: SOA, apex: Name) -> Iterator[str]:
    yield f"{start}{name_to_text(rdata.mname, apex)} {name_to_text(rdata.rname, apex)} ("
    margin = " " * len(start)
    yield f"{margin}{rdata.serial!s:<10} ; serial"
    for field in ("refresh", "retry", "expire", "minimum"):
        seconds = getattr(rdata, field)
        yield f"{margin}{seconds!s:<10} ; {field} ({words(seconds)})"
    yield f"{margin})"


def rdata_to_text(rdata: Rdata, apex: Name, feed: TokenFeed | None = None) -> str:
    """Write one rdata so that it reads back as it is, with names relative to the apex where people write them so."""
    if rdata.rdtype in _YOUNG:
        return _generic(rdata)
    relative = all(_ends_as_spelled(getattr(rdata, field, None), apex) for field in _NAMES_IN.get(rdata.rdtype, ("",)))
    text = rdata.to_text(origin=apex, relativize=relative) if relative else rdata.to_text()
    if rdata.rdtype in _PROVEN:
        return text
    return text if _reads_back(text, rdata, apex, feed or TokenFeed()) else _generic(rdata)


def _ends_as_spelled(name: Name | None, apex: Name) -> bool:
    """Tell whether cutting the apex off a name loses nothing, not even upper case."""
    return name is not None and (name.labels[-len(apex.labels) :] == apex.labels or not name.is_subdomain(apex))


def _reads_back(text: str, rdata: Rdata, apex: Name, feed: TokenFeed) -> bool:
    entries = list(scan(text, ""))
    if len(entries) > 1 or any(entry.mistake for entry in entries):
        return False
    try:
        again = feed.read(rdata.rdtype, entries[0].tokens if entries else [], apex)
    except dns.exception.SyntaxError:
        return False
    return _wire(again) == _wire(rdata)


def _generic(rdata: Rdata) -> str:
    wire = _wire(rdata)
    return f"\\# {len(wire)} {wire.hex()}".rstrip()


def _wire(rdata: Rdata) -> bytes:
    wire = rdata.to_wire()
    assert wire is not None  # it is only when a file was given
    return wire
