"""Answers from signed zones beside those of BIND, Knot and NSD: NSEC, NSEC3, NSEC3 with salt, NSEC3 with opt-out.

The zones are the same octets for all, signatures included, so whole sections can be compared as sets of records. Names asked for:
every owner, names beside, below and between them, the hashed owners of NSEC3 records; with DO, without, and in little space.
Beside and below an owner each name is asked for with A, and with one more type in turn.
Every other question is put; of the two further zones with NSEC3, which differ in their hashes and flags alone, every fifth.
"""

from __future__ import annotations

import re
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import cycle, islice
from typing import TYPE_CHECKING

import dns.message
import dns.name
import dns.rdatatype
import pytest
from dns.rdatatype import RdataType
from tests.answer.zones import signed_table, signed_zone_texts
from tests.interop.real_servers import Bind, Knot, Nsd, PrimaryZone, RealServer
from tests.interop.test_answers_like_the_others import Outcome, ask_udp, ask_us, differences

from mailname.answer import Unserved, ZoneTable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dns.name import Name

#: Question -> why we answer otherwise than two of the three. A pattern over "name type +do|+nodo +bufsize".
ON_PURPOSE = {
    r".*\.ent-star\.nsec\.example\. .* \+do .*": (
        "a wildcard that is an empty non-terminal: BIND and Knot prove that the name is not there, but not that the wildcard has "
        "no data (RFC 4035 section 3.1.3.4); NSD and we do both"
    ),
    r".*\.insecure-ent\.optout\.example\. .* \+do \+bufsize=512": (
        "the address of a name server outside the child does not fit: BIND and NSD say TC, Knot and we leave it out"
    ),
}

TABLE = signed_table()
ZONES = list(signed_zone_texts())

TYPES_AT = ("A", "TXT", "DS", "NSEC", "NSEC3", "RRSIG", "CNAME", "TYPE65400")
TYPES_AROUND = ("DS", "NSEC", "RRSIG")
SPARSE = {"nsec.example.": 2, "nsec3.example.": 2, "salted.example.": 5, "optout.example.": 5}


@dataclass(frozen=True, slots=True)
class Case:
    """A question as it is put to all."""

    name: Name
    rdtype: str
    do: bool = True
    payload: int = 1232

    def __str__(self) -> str:
        do = "+do" if self.do else "+nodo"
        return f"{self.name.to_text().lower()} {self.rdtype} {do} +bufsize={self.payload}"

    def wire(self) -> bytes:
        query = dns.message.make_query(
            self.name, self.rdtype, use_edns=0, want_dnssec=self.do, payload=self.payload, flags=0, id=4711
        )
        return query.to_wire()


def names_around(owner: Name) -> Iterator[Name]:
    """Yield names beside, below and between the owners of a zone."""
    for label in (b"below", b"*", b"\0", b"zzz"):
        yield dns.name.Name([label]).concatenate(owner)
    yield dns.name.from_text("two.below", owner)
    yield dns.name.Name([owner.labels[0] + b"\0", *owner.labels[1:]])
    yield dns.name.Name([label.swapcase() for label in owner.labels])


def cases(apex: str) -> Iterator[Case]:
    zone = TABLE[dns.name.from_text(apex)]
    assert not isinstance(zone, Unserved)
    types = cycle(TYPES_AROUND)
    for node in zone.nodes():
        own = [dns.rdatatype.to_text(rdtype) for rdtype in node.rrsets]
        if RdataType.NSEC3 in node.rrsets:
            for rdtype in ("A", "NSEC3", "RRSIG", "DS"):
                yield Case(node.owner, rdtype)
            yield Case(dns.name.from_text("below", node.owner), "A")
            continue
        for rdtype in dict.fromkeys([*own, *TYPES_AT]):
            yield Case(node.owner, rdtype)
        for rdtype in own:
            yield Case(node.owner, rdtype, do=False)
            yield Case(node.owner, rdtype, payload=512)
        if len(node.owner) == len(zone.apex) and own:
            yield Case(node.owner, "DNSKEY", payload=512)
        for name in names_around(node.owner):
            if name.is_subdomain(zone.apex):
                yield Case(name, "A")
                yield Case(name, next(types))
                yield Case(name, "A", payload=512)


@pytest.fixture(scope="module")
def others() -> Iterator[tuple[RealServer, ...]]:
    zones = [PrimaryZone(name, text) for name, text in signed_zone_texts().items()]
    with ExitStack() as running:
        yield (
            running.enter_context(Bind(zones, options="minimal-responses no-auth; max-udp-size 1232;")),
            running.enter_context(Knot(zones)),
            running.enter_context(Nsd(zones, options="minimal-responses: yes")),
        )


def compare(asked: Iterator[Case], table: ZoneTable, others: tuple[RealServer, ...]) -> list[str]:
    found: list[str] = []
    for case in asked:
        if any(re.fullmatch(pattern, str(case)) for pattern in ON_PURPOSE):
            continue
        wire = case.wire()
        theirs = [Outcome.of(ask_udp(server, wire)) for server in others]
        found += differences(case, Outcome.of(ask_us(table, wire)), theirs)
    return found


class TestSignedAnswersLikeTheOthers:
    @pytest.mark.parametrize("apex", ZONES)
    def test_every_name_of_a_signed_zone_and_names_around_it(self, apex: str, others: tuple[RealServer, ...]) -> None:
        """Where two of BIND, Knot and NSD agree about an answer, its signatures and its proofs, we agree with them."""
        assert compare(islice(cases(apex), None, None, SPARSE.get(apex, 1)), TABLE, others) == []
