"""Where what was seen fits two causes, both are told, the likelier first, with the probe that decides; or the check makes it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from ipaddress import ip_address
from typing import TYPE_CHECKING

import dns.rdata
import pytest
from tests.checks import test_explain as one
from tests.checks.json_schema import mistakes
from tests.checks.small_world import ROOT, SmallWorld, look, name, verdict_of

from mailname.checks.facts import ControlFact, Outcome, Record
from mailname.checks.facts_knock import Knock
from mailname.checks.mended_facts import answering
from mailname.checks.sweep import Pace, Shared, look_at
from mailname.checks.verdict_schema import check_schema

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailname.checks import Cause, Facts, Verdict
    from mailname.checks.facts import Probe


async def broken(*faults: Callable[[SmallWorld], None]) -> tuple[SmallWorld, Facts]:
    world = SmallWorld()
    for fault in faults:
        fault(world)
    return world, await look(world)


def cause_of(world: SmallWorld, facts: Facts) -> Cause:
    verdict: Verdict = verdict_of(world.plan, facts)
    assert mistakes(verdict.to_json(), check_schema()) == []
    assert verdict.cause is not None
    return verdict.cause


def wheres(cause: Cause) -> list[str]:
    return [candidate.where for candidate in cause.choice.candidates] if cause.choice else []


def no_sign_of_life(facts: Facts) -> Facts:
    return replace(facts, knocks=tuple(Knock(knock.address, knock.port, Outcome.SILENT) for knock in facts.knocks))


class TestSilentServer:
    async def test_on_a_machine_that_is_up_is_behind_a_packet_filter(self) -> None:
        """Another port of it was tried, and answered: one candidate is left, and the cause says it."""
        world, facts = await broken(one.server_silent)
        cause = cause_of(world, facts)
        assert cause.choice is None
        assert "The machine is up: TCP port 22 of 192.0.2.1 answers." in cause.finding.says
        assert cause.finding.where == "firewall on ns1.example.tech"

    async def test_on_a_machine_without_sign_of_life_is_told_as_either(self) -> None:
        """It is down, or all of it is filtered; a ping tells."""
        world, facts = await broken(one.server_silent)
        cause = cause_of(world, no_sign_of_life(facts))
        assert wheres(cause) == ["provider of ns1.example.tech", "firewall on ns1.example.tech"]
        assert cause.choice is not None
        assert cause.choice.command == "ping -c 3 192.0.2.1"
        assert "TCP ports 22, 25, 80 and 443 are silent too" in cause.choice.candidates[0].speaks

    async def test_may_have_moved_where_nobody_serves_the_zone(self) -> None:
        """Nobody could then say where it is now."""
        world, facts = await broken(one.server_silent, one.primary_machine_dead)
        assert "registrar" in wheres(cause_of(world, replace(no_sign_of_life(facts), mail=())))

    async def test_whose_port_is_closed_is_certain(self) -> None:
        world, facts = await broken(one.server_stopped)
        assert facts.knocks == ()
        assert cause_of(world, facts).choice is None

    async def test_of_many_domains_is_not_knocked_at(self) -> None:
        """It would look like a search for open ports."""
        world = SmallWorld()
        one.server_silent(world)
        async with world:
            _, facts, _ = await look_at(world.plan.domain, Shared(world.network, world.world(), Pace(0)))
        assert facts.knocks == ()


class TestMuteTransport:
    @pytest.mark.parametrize(
        ("root", "wanted"), [("answers", []), ("silent", ["your own network", "firewall on ns1.example.tech"])]
    )
    async def test_at_every_server_is_compared_with_the_root(self, root: str, wanted: list[str]) -> None:
        """Over TCP the root is asked only then: where it is mute as well, our own network is the first to look at."""
        world = SmallWorld()
        for address in ("192.0.2.1", "198.51.100.2"):
            world.host(address).tcp = "silent"
        world.hosts[ROOT].tcp = "silent" if root == "silent" else "answers"
        facts = await look(world)
        assert wheres(cause_of(world, facts))[:2] == wanted

    async def test_at_one_server_asks_nobody_more(self) -> None:
        world, facts = await broken(one.tcp_blocked)
        assert not any(probe.transport == "tcp" for probe in facts.at_rung("root"))
        assert cause_of(world, facts).choice is None


def soa(probe: Probe, serial: int) -> Probe:
    rdata = dns.rdata.from_text("IN", "SOA", f"a.nic.tech. h.nic.tech. {serial} 1 1 1 1")
    asked = replace(probe, qname=name("tech."), qtype=rdata.rdtype)
    return replace(answering(asked, ()), answer=(Record(asked.qname, 60, rdata),))


def parents(facts: Facts, old: int | None, new: int | None) -> Facts:
    """Let a second server of the TLD deny the domain, and both tell these serials."""
    right = next(probe for probe in facts.at_rung("tld") if probe.qtype.name == "NS")
    wrong = replace(answering(replace(right, address=ip_address("198.18.0.9"), server=name("b.nic.tech.")), ()), aa=True)
    said = [soa(probe, serial) for probe, serial in ((wrong, old), (right, new)) if serial is not None]
    return replace(facts, probes=(*facts.probes, wrong, *said))


class TestParentsThatDisagree:
    @pytest.mark.parametrize(
        ("old", "new", "word"), [(6, 7, "The change is travelling"), (7, 7, "b.nic.tech (198.18.0.9) is broken")]
    )
    def test_are_told_apart_by_their_serials(self, old: int, new: int, word: str) -> None:
        """An older serial: it is on its way. The same serial and other data: that server is broken."""
        world = SmallWorld()
        cause = cause_of(world, parents(asyncio.run(look(world)), old, new))
        assert (cause.finding.code, cause.choice) == ("DELEG-05", None)
        assert word in cause.finding.says

    def test_without_serials_are_told_as_either(self) -> None:
        world = SmallWorld()
        cause = cause_of(world, parents(asyncio.run(look(world)), None, None))
        assert wheres(cause) == ["wait", "registrar"]
        assert cause.choice is not None
        assert cause.choice.command == "dig +norec @198.18.0.9 tech SOA"


class TestSecondaryThatFails:
    async def test_and_cannot_be_asked_has_expired_or_never_had_the_zone(self) -> None:
        world, facts = await broken(one.servfail_on_secondary)
        cause = cause_of(world, facts)
        assert cause.choice is not None
        assert [candidate.says.split(" ")[-1] for candidate in cause.choice.candidates] == ["expire.", "failed."]
        assert cause.choice.command == "mailname status example.tech"


class TestSecondaryBehind:
    async def test_of_whom_nobody_tells_has_not_heard_or_cannot_fetch(self) -> None:
        """Its own status decides; where that is known, one of both is told as the cause."""
        world, facts = await broken(one.behind)
        cause = cause_of(world, facts)
        assert (cause.finding.code, wheres(cause)) == ("XFER-03", ["wait", "configuration on ns2.example.tech"])
        told = replace(facts, control=(ControlFact(one.NS1, one.secondary()),))
        assert cause_of(world, told).choice is None


class TestSilentMailHost:
    def silent(self, world: SmallWorld) -> Facts:
        facts = asyncio.run(look(world))
        quiet = (replace(visit, outcome=Outcome.SILENT, connected=False, banner="") for visit in facts.mail)
        return replace(facts, mail=tuple(quiet))

    def test_on_a_machine_that_is_up_is_filtered_there_or_here(self) -> None:
        """The same machine answers DNS; nobody else's port 25 was tried."""
        world = SmallWorld()
        cause = cause_of(world, self.silent(world))
        assert wheres(cause) == ["firewall on mail.example.tech", "your own network"]
        assert cause.choice is not None
        assert cause.choice.command == "nc -vz 198.51.100.2 25"

    def test_beside_another_that_answers_is_filtered_there(self) -> None:
        """Our own network lets port 25 out."""
        world = SmallWorld()
        facts = self.silent(world)
        other = replace(facts.mail[0], address=ip_address("203.0.113.4"), outcome=Outcome.ANSWER, connected=True)
        cause = cause_of(world, replace(facts, mail=(*facts.mail, other)))
        assert cause.choice is None
        assert "The machine is up" in cause.finding.says
