"""What is worth a note above the domain and in its SOA, and no more than that."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import dns.rcode
import pytest
from dns.rdatatype import RdataType
from tests.checks.small_world import SmallWorld, look, name, verdict_of
from tests.checks.test_observe_domain import FOREIGN, seen, with_provider

from mailname.checks import Severity
from mailname.checks.facts import Outcome, Record
from mailname.checks.soa_contact import why_no_mailbox

if TYPE_CHECKING:
    from mailname.checks import Facts
    from mailname.checks.facts import Probe

DOMAIN = name("example.tech.")


def parent_of(facts: Facts) -> Probe:
    return next(p for p in facts.at_rung("tld") if p.qtype == RdataType.NS and p.qname == DOMAIN)


class TestOneOfSeveralParents:
    async def notes(self, *others: dict[str, Any]) -> tuple[str, list[str]]:
        """Judge a healthy domain whose TLD has more servers: like the first, but for these."""
        world = SmallWorld()
        facts = await look(world)
        first = parent_of(facts)
        more = [
            replace(first, server=name(f"{letter}.nic.tech."), address=ip_address(f"198.18.0.{number}"), **other)
            for number, (letter, other) in enumerate(zip("bcd", others, strict=False), 200)
        ]
        verdict = verdict_of(world.plan, replace(facts, probes=(*facts.probes, *more)))
        assert all(one.severity is Severity.NOTE for one in verdict.findings)
        return verdict.verdict, [f"{one.code} {one.says}" for one in verdict.findings]

    async def test_that_is_silent_is_named(self) -> None:
        """How many there are, and which."""
        verdict, (note,) = await self.notes({"outcome": Outcome.SILENT, "rcode": None, "authority": ()}, {})
        assert verdict == "well"
        assert note.startswith("TLD-03 1 of 3 servers of tech is of no use from here: b.nic.tech (198.18.0.200) does not answer;")

    async def test_that_are_broken_are_one_note(self) -> None:
        """Each with what it said."""
        refused = {"rcode": dns.rcode.REFUSED, "authority": (), "additional": ()}
        closed = {"outcome": Outcome.REFUSED, "rcode": None, "authority": (), "additional": ()}
        _, (note,) = await self.notes(refused, closed)
        assert "b.nic.tech (198.18.0.200) answers REFUSED and c.nic.tech (198.18.0.201) refuses connections" in note

    async def test_out_of_our_own_reach_are_no_word_worth(self) -> None:
        """A machine without IPv6 says nothing of a server that has nothing else."""
        world = SmallWorld()
        facts = await look(world)
        far = replace(
            parent_of(facts),
            server=name("b.nic.tech."),
            address=ip_address("2001:db8:9::1"),
            outcome=Outcome.UNREACHABLE,
            rcode=None,
            authority=(),
            additional=(),
        )
        assert verdict_of(world.plan, replace(facts, probes=(*facts.probes, far))).findings == ()


class TestGlueOutside:
    @pytest.mark.parametrize(("address", "found"), [("192.0.2.1", []), ("192.0.2.99", ["DELEG-12"])])
    async def test_is_compared_with_the_name(self, address: str, found: list[str]) -> None:
        """The name's own address is a courtesy, another one an old host record."""
        world = with_provider(SmallWorld(FOREIGN))
        facts, _ = await seen(world)
        parent = parent_of(facts)
        glue = replace(parent, additional=(Record.from_text(f"ns1.provider.net. 60 IN A {address}"),))
        probes = tuple(glue if probe is parent else probe for probe in facts.probes)
        verdict = verdict_of(world.plan, replace(facts, probes=probes))
        assert ([one.code for one in verdict.findings], verdict.cause) == (found, None)
        if found:
            assert "gives 192.0.2.99 for ns1.provider.net, which is at 192.0.2.1" in verdict.findings[0].says


class TestContact:
    @pytest.mark.parametrize(
        ("rname", "why"),
        [
            ("hostmaster.example.tech.", ""),
            (r"first\\.last.example.com.", ""),
            ("tech.example.co.uk.", ""),
            (".", "empty"),
            ("hostmaster.", "no domain"),
            ("hostmaster.tech.", "goes nowhere"),
            ("hostmaster@example.tech.", "has an @"),
            ("hostmaster.example.tech.example.tech.", "twice"),
            ("hostmaster@example.tech.example.tech.", "has an @"),
        ],
    )
    def test_is_read_as_a_mailbox(self, rname: str, why: str) -> None:
        said = why_no_mailbox(name(rname), DOMAIN)
        assert why in said
        assert bool(said) == bool(why)

    async def test_that_is_none_is_a_note(self) -> None:
        """As it stands when somebody wrote an at sign into the zone file."""
        world = SmallWorld()
        facts = await look(world)

        def bent(record: Record) -> Record:
            return replace(record, rdata=record.rdata.replace(rname=name("me@example.tech."))) if record.rdtype == 6 else record

        probes = tuple(replace(p, answer=tuple(map(bent, p.answer))) for p in facts.probes)
        verdict = verdict_of(world.plan, replace(facts, probes=probes))
        assert [(one.code, one.severity) for one in verdict.findings if one.code != "ZONE-02"] == [("SOA-03", Severity.NOTE)]
        assert "has me@example.tech as its contact (RNAME), which is no mailbox: it has an @" in verdict.findings[0].says
