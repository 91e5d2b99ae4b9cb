"""Block lists: who is on them, and who does not answer."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest
from tests.checks.small_world import PLAN, RESOLVER, SmallWorld, name, verdict_of, zone_of

from mailname.checks import Facts, Severity, observe
from mailname.checks.observe_lists import listed_name

if TYPE_CHECKING:
    from mailname.checks import Verdict

LIST = name("list.example.")
WORKS = "2.0.0.127 A 127.0.0.2\n"
V6 = PLAN.replace(
    'name = "mail.example.tech"\naddresses = ["198.51.100.2"]', 'name = "mail.example.tech"\naddresses = ["2001:db8::25"]'
)
NIBBLES = "5.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2"
V6_POINT = "2.0.0.0.0.0.f.7.f.f.f.f" + ".0" * 20


async def seen(records: str, text: str = PLAN) -> tuple[Verdict, Facts]:
    """Look with a list that has these records."""
    world = SmallWorld(text)
    zone = zone_of(f"$TTL 60\n@ SOA a. b. 1 1 1 1 1\n@ NS a.\n{records}", "list.example.")
    world.hosts[RESOLVER].table = world.hosts[RESOLVER].table.with_zone(zone.apex, zone)
    async with world:
        facts = await observe(world.plan, network=world.network, world=replace(world.world(), dnsbl=(LIST,)))
    return verdict_of(world.plan, facts), facts


class TestListedName:
    def test_has_octets_or_nibbles_the_last_first(self) -> None:
        """RFC 5782 sections 2.1 and 2.4."""
        assert listed_name(ip_address("198.51.100.2"), LIST) == name("2.100.51.198.list.example.")
        assert listed_name(ip_address("2001:db8::25"), LIST) == name(f"{NIBBLES}.list.example.")
        assert listed_name(ip_address("::ffff:7f00:2"), LIST) == name(f"{V6_POINT}.list.example.")


class TestBlockList:
    async def test_that_lists_the_mail_host_is_told(self) -> None:
        verdict, _ = await seen(f"{WORKS}2.100.51.198 A 127.0.0.4\n")
        assert [(one.code, one.severity) for one in verdict.findings] == [("MAIL-07", Severity.FRAGILE)]
        assert "(198.51.100.2) is on the block list list.example (127.0.0.4)" in verdict.findings[0].says

    async def test_that_lists_its_ipv6_address_is_told(self) -> None:
        verdict, _ = await seen(f"{V6_POINT} A 127.0.0.2\n{NIBBLES} A 127.0.0.2\n", V6)
        assert [one.code for one in verdict.findings] == ["MAIL-07"]

    async def test_that_does_not_list_it_is_well(self) -> None:
        verdict, _ = await seen(WORKS)
        assert (verdict.verdict, verdict.findings) == ("well", ())

    @pytest.mark.parametrize(
        ("records", "why"),
        [
            ("* A 127.255.255.254\n", "it answers 127.255.255.254, by which it refuses to answer"),
            ("", "it does not know its own test point 127.0.0.2"),
            ("* A 127.0.0.2\n", "it lists 127.0.0.1, and so everybody"),
            ("* A 203.0.113.80\n", "it answers 203.0.113.80, which is no value of a list"),
        ],
    )
    async def test_that_refuses_to_answer_is_not_believed(self, records: str, why: str) -> None:
        """Not listed, not clean: a note that nothing is known."""
        verdict, _ = await seen(records)
        assert [(one.code, one.severity) for one in verdict.findings] == [("MAIL-08", Severity.NOTE)]
        assert why in verdict.findings[0].says
        assert verdict.verdict == "well"

    async def test_is_asked_only_when_named(self) -> None:
        """Three questions for one address and one list, none without."""
        _, facts = await seen(WORKS)
        world = SmallWorld()
        async with world:
            without = await world.look()
        assert facts.queries - without.queries == 3
        assert Facts.from_json(facts.to_json()).dnsbl == (LIST,)
