"""Questions written and answers read by the shortest way: a check asks thousands, and needs of an answer only its records.

dnspython reads each rdata; what it does beside that for a whole message (RRsets, options, sections as objects) is left out here.
That both read the same is a test. What cannot be read is no DNS answer (None), as with dnspython.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import dns.exception
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from mailname.checks.facts import Record
from mailname.checks.known_name import known
from mailname.wire.edns import OptionCode

if TYPE_CHECKING:
    from dns.name import Name
    from dns.rcode import Rcode
    from dns.rdata import Rdata
    from dns.rdatatype import RdataType

_HEADER = struct.Struct("!HHHHHH")
_FIXED = struct.Struct("!HHIH")
_QR, _AA, _TC, _RD, _RA = 0x8000, 0x0400, 0x0200, 0x0100, 0x0080
_OPCODE = 0x7800
_DO = 0x8000  # in the OPT record's TTL (RFC 6891 section 6.1.3)
_IN = dns.rdataclass.IN
_OPT, _TSIG = 41, 250
_SOA = 6
# Types whose rdata may hold compressed names -> octets before the first of them: NS, CNAME, SOA, PTR, MX.
_BEFORE_NAMES = {2: 0, 5: 0, _SOA: 0, 12: 0, 15: 2}
# The name in an rdata that is compared with others: NS, CNAME, SOA, PTR, MX.
_NAME_IN = {2: "target", 5: "target", _SOA: "mname", 12: "target", 15: "exchange"}
_MOST_TTL = 2**31 - 1


class Answer(NamedTuple):
    """What a check needs of one message.

    Attributes:
        edns: whether it carries an OPT record (RFC 6891).
        expire: seconds until the copy that answered expires, where the server tells it (RFC 7314).
        sections: answer, authority and additional, without OPT; records of class IN, doubles told once.

    """

    rcode: Rcode
    aa: bool
    ra: bool
    tc: bool
    edns: bool
    sections: tuple[tuple[Record, ...], tuple[Record, ...], tuple[Record, ...]]
    expire: int | None = None


def write_question(
    number: int,
    qname: Name,
    qtype: RdataType,
    *,
    recurse: bool,
    payload: int | None,
    options: bytes = b"",
    version: int = 0,
    signed: bool = False,
) -> bytes:
    """Write a query; ``payload`` is what EDNS offers in octets, without one there is no OPT; ``signed`` sets its DO flag."""
    header = _HEADER.pack(number, _RD if recurse else 0, 1, 0, 0, 0 if payload is None else 1)
    opt = (
        b"" if payload is None else struct.pack("!BHHIH", 0, _OPT, payload, version << 16 | (_DO if signed else 0), len(options))
    )
    return header + _wire(qname) + struct.pack("!HH", qtype, _IN) + opt + options


@lru_cache(maxsize=4096)
def _wire(name: Name) -> bytes:
    wire = name.to_wire()
    assert wire is not None
    return wire


def read_answer(wire: bytes) -> Answer | None:
    """Read a message; None where it is no answer, or not well formed."""
    try:
        return _read(wire)
    except (dns.exception.DNSException, ValueError, struct.error, IndexError):
        return None


def _read(wire: bytes) -> Answer | None:
    _, flags, questions, *counts = _HEADER.unpack_from(wire)
    if not flags & _QR or flags & _OPCODE:
        return None
    at = _HEADER.size
    for _ in range(questions):
        at = _labels(wire, at)[1] + 4
    rcode, edns, expire = flags & 15, False, None
    sections: list[tuple[Record, ...]] = []
    for count in counts:
        records: dict[tuple[bytes, int, bytes], Record] = {}
        for _ in range(count):
            owner, at = _labels(wire, at)
            rdtype, rdclass, ttl, length = _FIXED.unpack_from(wire, at)
            start, at = at + _FIXED.size, at + _FIXED.size + length
            if at > len(wire):
                return None
            if rdtype == _OPT:
                edns, rcode, expire = True, rcode | (ttl >> 24) << 4, _expire(wire[start:at])
            elif rdtype != _TSIG and rdclass == _IN:
                octets = _uncompressed(wire, rdtype, start, at)
                record = Record(_owner(owner), ttl if ttl <= _MOST_TTL else 0, _rdata(rdtype, octets))
                records.setdefault((owner, rdtype, octets), record)
        sections.append(tuple(records.values()))
    answer, authority, additional = sections
    found = (answer, authority, additional)
    return Answer(dns.rcode.Rcode.make(rcode), bool(flags & _AA), bool(flags & _RA), bool(flags & _TC), edns, found, expire)


def _expire(options: bytes) -> int | None:
    """Return what the EXPIRE option says, if it is there and says something."""
    at = 0
    while at + 4 <= len(options):
        code, length = struct.unpack_from("!HH", options, at)
        if code == OptionCode.EXPIRE and length == 4 and at + 8 <= len(options):
            return int.from_bytes(options[at + 4 : at + 8], "big")
        at += 4 + length
    return None


def _labels(wire: bytes, at: int) -> tuple[bytes, int]:
    """Return a name without compression, and where it ends; pointers lead backwards only (RFC 1035 section 4.1.4)."""
    parts: list[bytes] = []
    end, least, length = 0, at, 0
    while True:
        size = wire[at]
        if size >= 0xC0:
            target = (size & 0x3F) << 8 | wire[at + 1]
            end = end or at + 2
            if target >= least:
                raise ValueError("a compression pointer that leads forwards")
            at = least = target
        elif size > 63:
            raise ValueError("a label of an unknown kind")
        else:
            length += size + 1
            if length > 255 or at + size >= len(wire):
                raise ValueError("a name that is too long")
            parts.append(wire[at : at + 1 + size])
            at += 1 + size
            if not size:
                return b"".join(parts), end or at


def _uncompressed(wire: bytes, rdtype: int, start: int, end: int) -> bytes:
    """Return rdata with its names written out, in those types whose names may be compressed (RFC 3597 section 4)."""
    before = _BEFORE_NAMES.get(rdtype)
    if before is None:
        return wire[start:end]
    parts, at = [wire[start : start + before]], start + before
    for _ in range(2 if rdtype == _SOA else 1):
        name, at = _labels(wire, at)
        parts.append(name)
    if at > end:
        raise ValueError("a name beyond its record")
    return b"".join([*parts, wire[at:end]])


@lru_cache(maxsize=8192)
def _owner(labels: bytes) -> Name:
    return known(dns.name.from_wire(labels, 0)[0])


@lru_cache(maxsize=8192)
def _rdata(rdtype: int, octets: bytes) -> Rdata:
    rdata = dns.rdata.from_wire(_IN, dns.rdatatype.RdataType.make(rdtype), octets, 0, len(octets))
    name = _NAME_IN.get(rdtype)
    return rdata if name is None else rdata.replace(**{name: known(getattr(rdata, name))})


def question_of(wire: bytes) -> bytes:
    """Return the question's octets in small letters; none where a message has no single question."""
    if len(wire) < _HEADER.size or wire[4:6] != b"\x00\x01":
        return b""
    at = _HEADER.size
    while at < len(wire) and 0 < wire[at] < 64:
        at += 1 + wire[at]
    return wire[_HEADER.size : at + 5].lower()
