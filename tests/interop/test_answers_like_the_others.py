"""Our answers beside those of BIND, Knot and NSD, for every name of the zones in tests/data/answers and names around them.

Rule: where two of the three agree, we agree with them, unless a row of ``ON_PURPOSE`` or ``MESSAGES_ON_PURPOSE`` says why not.
What counts is the rcode, the header's flags, and the answer and authority sections as sets of records. A referral's additional
section counts as a set too; elsewhere it holds nothing that none of the others gives.
"""

from __future__ import annotations

import re
import socket
from collections import Counter
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import pytest
from tests.answer.zones import the_table, zone_texts
from tests.interop.raw_messages import RAW_MESSAGES, message
from tests.interop.real_servers import Bind, Knot, Nsd, PrimaryZone, RealServer

from mailname.answer import Unserved, ZoneTable, respond
from mailname.wire.message import Unreadable, read_request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dns.name import Name
    from dns.rdata import Rdata
    from dns.rrset import RRset

#: Question -> why we answer otherwise than two of the three. A pattern over "name type +bufsize".
ON_PURPOSE = {
    r".*\.wide\.example\.tech\..*|wide\.example\.tech\..*": (
        "RFC 9471 wants TC when in-domain glue does not fit: Knot does so, BIND 9.18 and NSD 4.6 are older than that"
    ),
    r".*wide-sibling\.example\.tech\. .* \+(noedns|bufsize=512)": (
        "addresses that do not all fit: BIND and NSD write all A before any AAAA, Knot and we go host by host"
    ),
    r"into-child\.example\.tech\. A .*": (
        "the alias leads below a zone cut: Knot and we refer, BIND stops at the CNAME, NSD looks into the child zone"
    ),
    r"chain\d+\.example\.tech\..*": "an alias of an alias of ...: BIND gives up at 12 (SERVFAIL), Knot at 5, we at 16, NSD later",
    r".*\.selfish\.example\.tech\. .*": "a DNAME into itself: each gives up at another length",
    r".* ANY .*": "RFC 8482 leaves open which RRset is given; BIND gives all, Knot, NSD and we one (by UDP)",
}

#: Malformed or odd message -> why we answer otherwise than two of the three, or why it is not ``respond``'s to answer.
MESSAGES_ON_PURPOSE = {
    "OPT whose owner is a pointer to the root": "the owner must be a zero octet (RFC 6891 section 6.1.2); no client does this",
    "class CH, version.bind": "refused: what runs here is nobody's business",
    "TSIG with an unknown key": "the signature is checked before respond is called",
    "EDNS and TSIG with an unknown key": "the signature is checked before respond is called",
    "NOTIFY": "answered by mailname.transfer",
    "NOTIFY for a zone of others": "answered by mailname.transfer",
    "UPDATE for a zone of others": "answered by mailname.server.updating",
    "IXFR by UDP, with a SOA": "answered by mailname.transfer; what it does not answer is NOTIMP, and the client comes by TCP",
}

TYPES = ("A", "AAAA", "MX", "NS", "SOA", "TXT", "CNAME", "DNAME", "DS", "SRV", "TYPE65400", "RRSIG", "NSEC", "ANY")
TYPES_AT = ("A", "CNAME", "DS", "NSEC", "TYPE65400")
TYPES_AROUND = ("A", "DS")
_ONE_OF_MANY = re.compile(r"(host|chain|ns)(\d+)\.(?!sub|deeper)", re.IGNORECASE)

Records = frozenset[tuple[str, int, str, str]]


@dataclass(frozen=True, slots=True)
class Case:
    """A question as it is put to all."""

    name: Name
    rdtype: str
    payload: int | None = 1232

    def __str__(self) -> str:
        return f"{self.name.to_text().lower()} {self.rdtype} " + (f"+bufsize={self.payload}" if self.payload else "+noedns")

    def wire(self) -> bytes:
        edns = 0 if self.payload else -1
        query = dns.message.make_query(self.name, self.rdtype, use_edns=edns, payload=self.payload or 1232, flags=0, id=4711)
        return query.to_wire()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a reply says, without the order in which it says so."""

    rcode: str
    flags: str
    answer: Records
    authority: Records
    additional: Records

    @classmethod
    def of(cls, wire: bytes | None) -> Outcome:
        assert wire is not None, "no reply"
        reply = dns.message.from_wire(wire)
        return cls(
            dns.rcode.to_text(reply.rcode()),
            _flags(wire),
            *map(_records, (reply.answer, reply.authority, reply.additional)),
        )


def _flags(wire: bytes) -> str:
    return f"{int.from_bytes(wire[2:4], 'big') & 0x7FF0:04x}"


def _records(section: list[RRset]) -> Records:
    return frozenset(
        (_text_of(rrset.name), rrset.ttl, dns.rdatatype.to_text(rrset.rdtype), _text_of(rdata))
        for rrset in section
        for rdata in rrset
    )


@cache
def _text_of(said: Name | Rdata) -> str:
    return said.to_text().lower()


def summary(wire: bytes | None) -> str:
    """Say of a reply what matters for odd messages: rcode, flags, number of records, EDNS; or that there is none."""
    if wire is None:
        return "silence"
    flags = f"{dns.rcode.to_text(dns.rcode.Rcode(wire[3] & 0xF))} {_flags(wire)}"
    try:
        reply = dns.message.from_wire(wire)
    except dns.exception.DNSException:
        return f"{flags} {wire[4:12].hex()}"
    edns = f"edns {reply.edns} {reply.ednsflags:08x}" if reply.edns >= 0 else "no edns"
    return f"{flags} {[len(section) for section in reply.sections[1:]]} {edns}"


def cases(table: ZoneTable, apex: str) -> Iterator[Case]:
    """Yield questions for each name of a zone, spelled in other letters too, and for names beside and below."""
    zone = table[dns.name.from_text(apex)]
    assert not isinstance(zone, Unserved)
    for node in zone.nodes():
        owner = node.owner
        many = _ONE_OF_MANY.match(owner.to_text())
        if many and int(many[2]) not in {0, 12}:
            continue
        own = [dns.rdatatype.to_text(rdtype) for rdtype in node.rrsets]
        for rdtype in dict.fromkeys([*own, *TYPES_AT]):
            yield Case(owner, rdtype)
        around = [dns.name.Name([label.swapcase() for label in owner.labels])]
        around += [dns.name.from_text(below, owner) for below in ("below", "*", "two.below")]
        for name in around:
            for rdtype in TYPES_AROUND:
                yield Case(name, rdtype)
        for rdtype in own or ["A"]:
            yield Case(owner, rdtype, None)
            yield Case(owner, rdtype, 512)


def cases_elsewhere() -> Iterator[Case]:
    """Yield questions for names outside all zones, and for names that a DNAME makes too long."""
    label = "x" * 63
    for text in (
        ".",
        "example.",
        "tech.",
        "www.example.org.",
        f"{label}.{label}.long.example.tech.",
        f"{label}.long.example.tech.",
    ):
        for rdtype in TYPES:
            yield Case(dns.name.from_text(text), rdtype)
    for rdtype in ("AXFR", "MAILA", "MAILB", "OPT", "TSIG", "TKEY", "SIG", "TYPE0", "TYPE128", "TYPE65535"):
        yield Case(dns.name.from_text("example.tech."), rdtype)
        yield Case(dns.name.from_text("example.org."), rdtype)


def differences(case: object, ours: Outcome, others: list[Outcome]) -> Iterator[str]:
    """Say where two of the others agree and we do not."""
    truncated = "TC" if int(ours.flags, 16) & dns.flags.TC else ""
    for part in ("rcode", "flags", "answer", "authority"):
        if part in {"answer", "authority"} and truncated:
            continue  # what is in a truncated reply is not to be used (RFC 2181 section 9)
        mine, theirs = getattr(ours, part), [getattr(other, part) for other in others]
        value, votes = Counter(theirs).most_common(1)[0]
        if votes >= 2 and mine != value:
            yield f"{case}: {part}: we {_text(mine)}, they {_text(value)}"
    known = frozenset[tuple[str, int, str, str]]().union(*(other.additional for other in others))
    if ours.additional - known:
        yield f"{case}: additional: we alone have {_text(ours.additional - known)}"
    is_referral = not int(ours.flags, 16) & dns.flags.AA
    value, votes = Counter(other.additional for other in others).most_common(1)[0]
    if is_referral and not truncated and votes >= 2 and ours.additional != value:
        yield f"{case}: glue: we {_text(ours.additional)}, they {_text(value)}"


def _text(value: str | Records) -> str:
    return value if isinstance(value, str) else str(sorted(value))


def ask_udp(server: RealServer, wire: bytes) -> bytes | None:
    """Return the reply, or None when a later question is answered first: each server has one UDP worker, so it will not come."""
    later = message(message_id=1)
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as udp:
        udp.settimeout(10)
        udp.connect((server.address, server.port))
        udp.send(wire)
        udp.send(later)
        reply = udp.recv(65535)
        return None if reply[:2] == later[:2] else reply


def ask_us(table: ZoneTable, wire: bytes) -> bytes | None:
    request = read_request(wire)
    return request.reply if isinstance(request, Unreadable) else respond(request, table, transport="udp")


@pytest.fixture(scope="module")
def others() -> Iterator[tuple[RealServer, ...]]:
    zones = [PrimaryZone(name, text) for name, text in zone_texts().items()]
    with ExitStack() as running:
        yield (
            running.enter_context(Bind(zones, options="minimal-responses no-auth; max-udp-size 1232;")),
            running.enter_context(Knot(zones)),
            running.enter_context(Nsd(zones, options="minimal-responses: yes")),
        )


@pytest.fixture(scope="module")
def table() -> ZoneTable:
    return the_table()


def compare(asked: Iterator[Case], table: ZoneTable, others: tuple[RealServer, ...]) -> list[str]:
    found: list[str] = []
    for case in asked:
        if any(re.fullmatch(pattern, str(case)) for pattern in ON_PURPOSE):
            continue
        wire = case.wire()
        theirs = [Outcome.of(ask_udp(server, wire)) for server in others]
        found += differences(case, Outcome.of(ask_us(table, wire)), theirs)
    return found


class TestAnswersLikeTheOthers:
    @pytest.mark.parametrize("apex", zone_texts())
    def test_every_name_of_a_zone_and_names_around_it(self, apex: str, table: ZoneTable, others: tuple[RealServer, ...]) -> None:
        """Where two of BIND, Knot and NSD agree about an answer, we agree with them."""
        assert compare(cases(table, apex), table, others) == []

    def test_names_and_types_that_nobody_serves(self, table: ZoneTable, others: tuple[RealServer, ...]) -> None:
        """The same for questions outside all zones, types that are no data, and names that get too long."""
        assert compare(cases_elsewhere(), table, others) == []

    def test_odd_messages(self, table: ZoneTable, others: tuple[RealServer, ...]) -> None:
        """Malformed messages, other opcodes and classes, EDNS faults: two of three agree, and so do we, or a row says why not."""
        found = {}
        for name, wire in RAW_MESSAGES.items():
            ours = summary(ask_us(table, wire))
            theirs = [summary(ask_udp(server, wire)) for server in others]
            value, votes = Counter(theirs).most_common(1)[0]
            if votes >= 2 and ours != value and name not in MESSAGES_ON_PURPOSE:
                found[name] = f"we {ours}, they {value}"
        assert found == {}
