"""Signed zones made by chance, on BIND, Knot, NSD and on ours: the same questions, the same answers and proofs.

Twelve zones and a thousand questions; both are the same in every run, the keys are not. One difference is on purpose: with
NSEC, BIND and Knot leave out the proof that a wildcard is an empty non-terminal (docs/answering.md); NSD and we have it.
"""

from __future__ import annotations

import random
from contextlib import ExitStack
from typing import TYPE_CHECKING, cast

import dns.name
import pytest
from dns.rdatatype import RdataType
from tests.answer.plain_forms import Served
from tests.answer.zones import zone_of
from tests.interop.real_servers import Bind, Knot, Nsd, PrimaryZone, RealServer
from tests.interop.signing import MODES, name_by_chance, signed, zone_by_chance
from tests.interop.test_answers_like_the_others import Outcome, ask_udp, ask_us, differences
from tests.interop.test_signed_answers_like_the_others import Case

from mailname.answer import ZoneTable
from mailname.answer.question import answer
from mailname.zone import Kind, Zone
from mailname.zone.denial_index import NsecIndex

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dns.rdtypes.ANY.CNAME import CNAME

PER_MODE = 3
QUESTIONS = 90
TYPES = ("A", "A", "A", "TXT", "DS", "MX", "NS", "CNAME", "RRSIG", "NSEC")


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("signed")
    made = {}
    for mode in MODES:
        for number in range(PER_MODE):
            apex = f"{mode}{number}.example."
            made[apex] = signed(folder, apex, zone_by_chance(random.Random(apex), apex), mode)
    return made


@pytest.fixture(scope="module")
def others(texts: dict[str, str]) -> Iterator[tuple[RealServer, ...]]:
    zones = [PrimaryZone(name, text) for name, text in texts.items()]
    with ExitStack() as running:
        yield (
            running.enter_context(Bind(zones, options="minimal-responses no-auth; max-udp-size 1232;")),
            running.enter_context(Knot(zones)),
            running.enter_context(Nsd(zones, options="minimal-responses: yes")),
        )


def cases(apex: str) -> Iterator[Case]:
    chance = random.Random(f"questions for {apex}")
    for _ in range(QUESTIONS):
        yield Case(dns.name.from_text(name_by_chance(chance, apex)), chance.choice(TYPES))


def leads_to_empty_wildcard(table: ZoneTable, case: Case) -> bool:
    """Tell whether a question, or the alias that it asks for, is answered by a wildcard without data of a zone with NSEC."""
    ((_, zone),) = ((apex, table[apex]) for apex in table)
    assert isinstance(zone, Zone)
    reply = answer(zone, case.name, RdataType[case.rdtype])
    aliases = [rrset.rdatas[0] for rrset in reply.answer if rrset.rdtype == RdataType.CNAME]
    found = zone.lookup(cast("CNAME", aliases[-1]).target if aliases else case.name, RdataType[case.rdtype])
    empty = found.kind == Kind.WILDCARD and found.node is not None and not found.node.rrsets
    return empty and isinstance(zone.denial, NsecIndex)


class TestSignedByChance:
    @pytest.mark.parametrize("mode", MODES)
    def test_answers_are_those_of_the_others(self, mode: str, texts: dict[str, str], others: tuple[RealServer, ...]) -> None:
        """Where two of three agree, we do."""
        found: list[str] = []
        for apex, text in texts.items():
            if apex.startswith(mode) and apex[len(mode)].isdigit():
                table = ZoneTable({dns.name.from_text(apex): zone_of(text, apex)})
                for case in cases(apex):
                    theirs = [Outcome.of(ask_udp(server, case.wire())) for server in others]
                    ours = Outcome.of(ask_us(table, case.wire()))
                    if not (leads_to_empty_wildcard(table, case) and ours.authority == theirs[-1].authority):
                        found += differences(case, ours, theirs)
        assert found == []

    @pytest.mark.parametrize("mode", MODES)
    def test_plain_answers_are_the_references(self, mode: str, texts: dict[str, str]) -> None:
        """From the image, without objects: what is not left to the reference is the same."""
        for apex, text in texts.items():
            if apex.startswith(mode) and apex[len(mode)].isdigit():
                served = Served(ZoneTable({dns.name.from_text(apex): zone_of(text, apex)}))
                plain = [served.agrees(case.wire()) for case in cases(apex)]
                assert sum(plain) > len(plain) / 2
