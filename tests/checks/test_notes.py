"""What is worth a word and does not make the domain unwell."""

from __future__ import annotations

import io
from dataclasses import replace
from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest
from rich.console import Console
from tests.checks.small_world import PLAN, RESOLVER, SmallWorld, edited, look, name, verdict_of, zone_of
from tests.checks.test_explain import with_timers

from mailname.checks import Severity
from mailname.checks.referral_size import referral_octets
from mailname.checks.server_set import different_machines
from mailname.cli.verdict_html import page
from mailname.cli.verdict_view import print_verdict

if TYPE_CHECKING:
    from mailname.server.network import IPAddress

ONE_SERVER = PLAN.replace(
    '[[name_server]]\nname = "ns1.example.tech"\naddresses = ["192.0.2.1"]\nrole = "secondary"\n',
    "",
)
NEIGHBOURS = PLAN.replace("198.51.100.2", "192.0.2.200")
ADDRESS: IPAddress = ip_address("192.0.2.1")
DOMAIN = name("example.tech.")


async def found(world: SmallWorld) -> tuple[str, dict[str, Severity]]:
    verdict = verdict_of(world.plan, await look(world))
    return verdict.verdict, {finding.code: finding.severity for finding in verdict.findings}


class TestServerSet:
    async def test_one_server_as_planned_is_a_note(self) -> None:
        """The owner's choice, which he is told of."""
        assert await found(SmallWorld(ONE_SERVER)) == ("well", {"DELEG-06": Severity.NOTE})

    async def test_two_servers_in_one_network_are_a_note(self) -> None:
        """They fall together."""
        assert await found(SmallWorld(NEIGHBOURS)) == ("well", {"DELEG-07": Severity.NOTE})

    async def test_two_names_of_one_machine_are_a_fault(self) -> None:
        """That is one name server."""
        world = SmallWorld()
        facts = await look(world)
        one, other = world.plan.name_servers
        same = replace(world.plan, name_servers=(one, replace(other, addresses=one.addresses)))
        assert [finding.severity for finding in different_machines(same, facts)] == [Severity.FRAGILE]

    async def test_two_machines_in_two_networks_are_well(self) -> None:
        """The ordinary case."""
        assert await found(SmallWorld()) == ("well", {})


class TestReferralOctets:
    @pytest.mark.parametrize(("servers", "fits"), [(2, True), (13, False)])
    def test_counts_names_and_addresses(self, servers: int, fits: bool) -> None:
        """Thirteen servers with names of their own and two addresses each do not fit beside the longest name."""
        glue = {
            name(f"a-rather-long-name-{n}.example.tech."): frozenset({ip_address(f"192.0.2.{n}"), ip_address(f"2001:db8::{n}")})
            for n in range(1, servers + 1)
        }
        assert (referral_octets(DOMAIN, glue) <= 512) is fits

    async def test_that_are_too_many_are_a_note(self) -> None:
        """The domain resolves all the same."""
        world = SmallWorld()
        world.delegate({name(f"a-rather-long-name-{n}.example.tech."): (ADDRESS,) for n in range(20)})
        assert (await found(world))[1]["DELEG-09"] is Severity.NOTE


class TestSoaMaster:
    async def test_without_address_is_a_note(self) -> None:
        """The rest of the zone is as planned, but for the SOA."""
        world = SmallWorld()
        soa = "$TTL 60\n@ SOA nowhere hostmaster 2026112201 14400 3600 1209600 1800\n@ NS ns1\n@ NS ns2\n"
        hosts = "ns1 A 192.0.2.1\nns2 A 198.51.100.2\n@ A 192.0.2.1\n@ MX 10 mail\nmail A 198.51.100.2\n"
        served = zone_of(soa + hosts, "example.tech.")
        world.serve(edited(served))
        assert (await found(world))[1]["SOA-02"] is Severity.NOTE


class TestNote:
    async def test_is_told_beneath_the_verdict(self) -> None:
        """On the terminal and on the page; it changes nothing of the verdict."""
        world = SmallWorld(NEIGHBOURS)
        facts = await look(world)
        verdict = verdict_of(world.plan, facts)
        printed = Console(width=200, file=io.StringIO(), record=True)
        print_verdict(printed, world.plan, facts, verdict)
        says = "are in the same network"
        assert (verdict.verdict, [says in one.says for one in verdict.notes]) == ("well", [True])
        assert says in printed.export_text()
        assert says in page(world.plan, facts, verdict)


class TestCache:
    async def test_that_remembers_another_mx_is_a_note_with_its_end(self) -> None:
        """The name servers have the new one already."""
        world = SmallWorld()
        before = edited(world.zone, without=[("example.tech.", "MX")], add="@ MX 20 old.example.net.")
        world.hosts[RESOLVER].table = world.hosts[RESOLVER].table.with_zone(before.apex, before)
        facts = await look(world)
        notes = {one.code: one.says for one in verdict_of(world.plan, facts).notes}
        assert list(notes) == ["CACHE-01"]
        assert "another MX of example.tech than its name servers, and remembers it for 1 minute more" in notes["CACHE-01"]

    async def test_that_remembers_a_host_s_address_or_its_absence_is_noted(self) -> None:
        """A denial is remembered for the SOA's TTL that is left, or its minimum where that is lower."""
        world = SmallWorld()
        before = with_timers(edited(world.zone, without=[("mail.example.tech.", "A")]), minimum=120)
        world.hosts[RESOLVER].table = world.hosts[RESOLVER].table.with_zone(before.apex, before)
        (says,) = [one.says for one in verdict_of(world.plan, await look(world)).notes]
        assert "another A of mail.example.tech than its name servers, and remembers it for 2 minutes more" in says

    async def test_that_has_what_is_served_is_well(self) -> None:
        """The same answer, whatever its TTL."""
        assert await found(SmallWorld()) == ("well", {})
