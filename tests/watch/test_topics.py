"""What is worth a word: causes by a key that stays, countdowns by stages, and what a look cannot tell."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from dns.rdatatype import RdataType
from tests.checks.small_world import SmallWorld, look, name, verdict_of

from mailname.checks.facts import EDNS_OPTIONS, MailCertificate
from mailname.checks.rdap import RegistrationFact
from mailname.watch.next_look import NOT_WELL, WELL, next_look
from mailname.watch.topics import UNKNOWN, look_of, seen_in

if TYPE_CHECKING:
    from mailname.checks import Facts
    from mailname.plan import Plan
    from mailname.watch.topics import Seen, Topic

DAY = 86400
EXPIRE = 14 * DAY


@pytest.fixture(scope="module")
def well() -> tuple[Plan, Facts]:
    world = SmallWorld()
    return world.plan, asyncio.run(look(world))


def of(plan: Plan, facts: Facts) -> Seen:
    return seen_in(plan, facts, verdict_of(plan, facts))


def told(plan: Plan, facts: Facts) -> dict[str, Topic]:
    return {topic.key: topic for topic in of(plan, facts).topics}


def with_expire(facts: Facts, seconds: int) -> Facts:
    probes = [replace(p, expire=seconds) if p.rung == EDNS_OPTIONS and str(p.address) == "192.0.2.1" else p for p in facts.probes]
    return replace(facts, probes=tuple(probes))


class TestTopics:
    def test_of_a_domain_that_is_well_are_none(self, well: tuple[Plan, Facts]) -> None:
        assert of(*well).topics == ()
        assert look_of(*well, verdict_of(*well)).verdict == "well"

    async def test_of_a_fault_have_its_key_its_effect_and_its_fix(self) -> None:
        world = SmallWorld()
        world.host("192.0.2.1").udp = world.host("192.0.2.1").tcp = "silent"
        facts = await look(world)
        (topic,) = of(world.plan, facts).topics
        assert (topic.key, topic.stage, topic.wakes) == ("NS-01 ns1.example.tech", 0, False)
        assert "mail arrives" in topic.effect
        kept = look_of(world.plan, facts, verdict_of(world.plan, facts))
        assert (kept.topic, kept.verdict, kept.command) == (topic.key, "fragile", topic.command)

    async def test_where_mail_does_not_arrive_wake(self) -> None:
        world = SmallWorld()
        world.delegate({})
        (topic,) = of(world.plan, await look(world)).topics
        assert (topic.key, topic.stage, topic.wakes) == ("DELEG-01", 1, True)
        assert "Senders try again for some days" in topic.effect

    def test_of_what_could_not_be_seen_wait_and_are_blind(self, well: tuple[Plan, Facts]) -> None:
        plan, facts = well
        seen = of(plan, replace(facts, probes=(), mail=(), control=(), zone_file=None))
        assert [(topic.key, topic.after) for topic in seen.topics] == [(UNKNOWN, 1800.0)]
        assert seen.blind_to_all

    @pytest.mark.parametrize(("days", "stage"), [(13.9, None), (12, 0), (7.1, 0), (6.9, 1), (3.4, 2), (1.7, 3), (0.1, 3)])
    def test_of_a_copy_that_is_not_refreshed_grow_by_the_parts_of_expire(
        self, well: tuple[Plan, Facts], days: float, stage: int | None
    ) -> None:
        """Half, a quarter, an eighth of the SOA's expire (RFC 7314 tells what is left)."""
        plan, facts = well
        found = told(plan, with_expire(facts, int(days * DAY))).get("SERIAL-03 ns1.example.tech")
        assert (found.stage if found else None) == stage
        if days == 3.4:
            assert found is not None
            assert found.says.startswith("ns1.example.tech will stop answering in 3 days")
            assert "1 of 2 name servers is left" in found.effect

    @pytest.mark.parametrize(("days", "stage"), [(31, None), (29, 1), (13, 2), (2, 4), (0.5, 5), (-1, 6)])
    def test_of_a_registration_that_ends_grow_by_the_days(self, well: tuple[Plan, Facts], days: float, stage: int | None) -> None:
        plan, facts = well
        ends = facts.at + timedelta(days=days)
        registration = RegistrationFact("https://rdap.example/", status=("active",), ends=ends)
        found = told(plan, replace(facts, registration=registration)).get("REG-02")
        assert (found.stage if found else None) == stage

    @pytest.mark.parametrize(("days", "stage"), [(15, None), (13, 1), (6, 2), (0.5, 4), (-1, 5)])
    def test_of_a_certificate_that_ends_grow_by_the_days(self, well: tuple[Plan, Facts], days: float, stage: int | None) -> None:
        plan, facts = well
        certificate = MailCertificate(facts.at + timedelta(days=days), ("mail.example.tech",))
        found = told(plan, replace(facts, mail=tuple(replace(one, certificate=certificate) for one in facts.mail)))
        topic = found.get("MAIL-04 mail.example.tech")
        assert (topic.stage if topic else None) == stage

    def test_of_countdowns_that_were_not_seen_are_blind(self, well: tuple[Plan, Facts]) -> None:
        plan, facts = well
        failed = replace(facts, registration=RegistrationFact("https://rdap.example/", "it did not answer"))
        assert {"REG-02", "MAIL-04 mail.example.tech"} <= of(plan, facts).blind & of(plan, failed).blind


class TestNextLook:
    def test_follows_the_shortest_ttl_within_bounds(self, well: tuple[Plan, Facts]) -> None:
        plan, facts = well
        verdict = verdict_of(plan, facts)

        def with_ttl(ttl: int) -> Facts:
            probes = []
            for probe in facts.probes:
                parts = (probe.answer, probe.authority, probe.additional)
                answer, authority, additional = (tuple(replace(record, ttl=ttl) for record in part) for part in parts)
                probes.append(replace(probe, answer=answer, authority=authority, additional=additional))
            return replace(facts, probes=tuple(probes))

        assert 0.9 * WELL[0] <= next_look(plan, with_ttl(5), verdict) <= WELL[0]
        assert 0.9 * 1200 <= next_look(plan, with_ttl(1200), verdict) <= 1200
        assert next_look(plan, with_ttl(99999), verdict) <= WELL[1]
        assert next_look(plan, facts, verdict, waits=7.0) == 7.0

    def test_is_sooner_while_something_is_wrong(self, well: tuple[Plan, Facts]) -> None:
        plan, facts = well
        wrong = with_expire(facts, DAY)
        assert NOT_WELL[0] * 0.9 <= next_look(plan, wrong, verdict_of(plan, wrong)) <= NOT_WELL[1]

    def test_of_many_domains_are_spread(self, well: tuple[Plan, Facts]) -> None:
        plan, facts = well
        verdict = verdict_of(plan, facts)
        plans = [replace(plan, domain=name(f"d{number}.example.")) for number in range(100)]
        bare = replace(facts, probes=tuple(p for p in facts.probes if p.qtype != RdataType.SOA))
        assert len({round(next_look(one, bare, verdict)) for one in plans}) > 50
