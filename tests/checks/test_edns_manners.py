"""How servers take what is new in EDNS, and what they tell by it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from ipaddress import ip_address

import pytest
from dns.rdatatype import RdataType
from tests.checks.small_world import SmallWorld, codes, look, name, verdict_of

from mailname.checks import Facts, Severity
from mailname.checks.asking import Addressee, Asker
from mailname.checks.facts import EDNS_OPTIONS, Probe


class TestManners:
    async def test_of_a_server_that_follows_the_rules_are_no_word_worth(self) -> None:
        """And two questions an address are all that is asked."""
        world = SmallWorld()
        facts = await look(world)
        odd = [probe for probe in facts.probes if probe.rung.startswith("edns")]
        assert (verdict_of(world.plan, facts).findings, len(odd)) == ((), 4)

    async def test_of_one_that_ignores_the_version_are_a_note(self) -> None:
        """RFC 6891 section 6.1.3; nobody has a use for version 1 today."""
        world = SmallWorld()
        world.host("192.0.2.1").edns = "versions ignored"
        verdict = verdict_of(world.plan, await look(world))
        assert [(one.code, one.severity, one.says) for one in verdict.findings] == [
            (
                "NS-12",
                Severity.NOTE,
                "ns1.example.tech (192.0.2.1) answers NOERROR to questions with EDNS version 1, where BADVERS belongs.",
            )
        ]

    async def test_of_several_that_ignore_it_are_one_note(self) -> None:
        """One sentence for the fleet of one make, whatever number of addresses it has."""
        world = SmallWorld()
        for address in ("192.0.2.1", "198.51.100.2"):
            world.host(address).edns = "versions ignored"
        (note,) = verdict_of(world.plan, await look(world)).findings
        assert (note.code, note.severity, note.server) == ("NS-12", Severity.NOTE, None)
        assert note.says == (
            "ns1.example.tech (192.0.2.1) and ns2.example.tech (198.51.100.2) answer NOERROR to questions with EDNS version 1,"
            " where BADVERS belongs."
        )

    async def test_of_one_without_edns_are_not_asked(self) -> None:
        """NS-10 tells all."""
        world = SmallWorld()
        world.host("192.0.2.1").edns = "refused"
        facts = await look(world)
        assert codes(verdict_of(world.plan, facts)) == ("NS-10", ())
        assert {str(p.address) for p in facts.probes if p.rung.startswith("edns")} == {"198.51.100.2"}


class TestQuestions:
    async def test_to_a_server_that_drops_edns_wait_until_that_is_known(self) -> None:
        """One that is silent while another sees whether EDNS was the reason is not asked with EDNS again: it would be lost."""
        world = SmallWorld()
        world.host("192.0.2.1").edns = "dropped"
        async with world:
            asker = Asker(world.network, world.world())
            whom = Addressee("servers", world.plan.domain, name("ns1.example.tech."), asker.at(ip_address("192.0.2.1")))

            async def later() -> Probe:
                await asyncio.sleep(0.1)
                return await asker.ask(whom, world.plan.domain, RdataType.MX)

            first, second = await asyncio.gather(asker.ask(whom, world.plan.domain, RdataType.SOA), later())
        assert (first.answered, second.answered, second.edns) == (True, True, False)


def with_expire(facts: Facts, seconds: int) -> Facts:
    """Let the secondary tell how long its copy lasts."""
    probes = tuple(
        replace(p, expire=seconds) if p.rung == EDNS_OPTIONS and str(p.address) == "192.0.2.1" else p for p in facts.probes
    )
    return replace(facts, probes=probes)


class TestExpiry:
    """The plan's timers: refresh four hours, retry one hour, expire fourteen days."""

    @pytest.mark.parametrize(
        ("left", "found"), [(1_209_600, ()), (1_209_600 - 30_000, ()), (600_000, ("SERIAL-03",)), (0, ("SERIAL-03",))]
    )
    async def test_is_told_after_two_turns_without_the_primary(self, left: int, found: tuple[str, ...]) -> None:
        """One refresh that failed may be chance."""
        world = SmallWorld()
        verdict = verdict_of(world.plan, with_expire(await look(world), left))
        assert tuple(one.code for one in verdict.findings) == found

    async def test_is_told_with_both_times(self) -> None:
        world = SmallWorld()
        verdict = verdict_of(world.plan, with_expire(await look(world), 172_800))
        assert verdict.cause is not None
        assert verdict.cause.finding.says == (
            "ns1.example.tech (192.0.2.1) has not reached its primary for 12 days; its copy (serial 2026112201) expires in"
            " 2 days, and then it answers no more."
        )

    async def test_is_kept_with_the_facts(self) -> None:
        facts = with_expire(await look(SmallWorld()), 172_800)
        assert Facts.from_json(facts.to_json()).probes == facts.probes
