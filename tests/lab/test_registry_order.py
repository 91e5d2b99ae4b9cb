"""An order at the lab's registry: looked at first where the real one does so, and passed on to its servers one by one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

import pytest
from dns.rdatatype import RdataType
from tests.lab import plan_texts

from mailname.checks.registries import registries
from mailname.cli.check_watch import watch
from mailname.lab import Lab
from mailname.lab.journey import walk
from mailname.lab.registry_order import Order, place_order
from mailname.plan import Plan, load
from mailname.server.network_map import MappedNetwork
from mailname.watch.clock import world_clock

if TYPE_CHECKING:
    from pathlib import Path

    from mailname.server.rehearsed_clock import RehearsedClock
    from mailname.zone import Zone

DE = plan_texts.ORDINARY.replace("example.tech", "example.de")
ALONE = plan_texts.ONE_SERVER_ALONE.replace("example.tech", "example.de")


def plan(text: str) -> Plan:
    return load(text, "plan.toml").plan


async def ordered(text: str, folder: Path, fault: str = "") -> tuple[Order, bool]:
    """Order the delegation of a published plan; return what the registry said, and whether it has the domain now."""
    async with Lab(plan(text), folder) as lab:
        await lab.publish()
        assert await lab.wait_for_secondaries()
        if fault:
            await lab.inject(fault)
        order = await place_order(lab)
        return order, lab.internet.registry.entry(lab.plan.domain) is not None


def broken(order: Order) -> set[str]:
    assert order.decision is not None
    return {one.rule.rule for one in order.decision.objections if one.rule.level == "must"}


class TestGate:
    async def test_takes_what_keeps_the_rules(self, tmp_path: Path) -> None:
        """And says that it has looked."""
        order, known = await ordered(DE, tmp_path)
        assert (order.refused, known) == (False, True)
        assert order.says[0] == "DENIC looks at the name servers first: all is well"

    @pytest.mark.parametrize(
        ("fault", "rules"),
        [
            ("server-down", {"udp", "tcp"}),
            ("tcp-blocked", {"tcp"}),
            ("zone-not-loaded", {"authoritative"}),
        ],
    )
    async def test_refuses_what_does_not_and_says_why(self, fault: str, rules: set[str], tmp_path: Path) -> None:
        """The registry keeps what it had: nothing."""
        order, known = await ordered(DE, tmp_path, fault)
        assert (order.refused, known) == (True, False)
        assert broken(order) == rules
        assert any(line.startswith("must: ") for line in order.says)

    async def test_refuses_one_name_server_alone(self, tmp_path: Path) -> None:
        """There must be two."""
        order, known = await ordered(ALONE, tmp_path)
        assert (broken(order), known) == ({"two-servers"}, False)

    async def test_judges_the_order_not_the_plan(self, tmp_path: Path) -> None:
        """Glue that leads elsewhere is refused, though the plan has it right."""
        async with Lab(plan(DE), tmp_path) as lab:
            await lab.publish()
            assert await lab.wait_for_secondaries()
            entry = lab.wanted_registration()
            wrong = await place_order(lab, entry.with_glue(entry.glue[0][0], (lab.addresses.nobody,)))
            assert "glue" in broken(wrong)
            assert not (await place_order(lab)).refused

    async def test_does_not_stand_before_a_generic_tld(self, tmp_path: Path) -> None:
        """There the same broken server goes unnoticed."""
        order, known = await ordered(plan_texts.ORDINARY, tmp_path, "server-down")
        assert (order.decision, order.says, known) == (None, (), True)

    async def test_is_passed_by_the_journey(self, tmp_path: Path) -> None:
        """A refused order is a step that failed, and the domain is not there."""
        async with Lab(plan(ALONE), tmp_path, registry_delay=60, speed=6000) as lab:
            steps = {step.title: step for step in [step async for step in walk(lab)]}
        assert not steps["register at the registry of de"].ok
        assert "the order is refused" in "".join(steps["register at the registry of de"].says)
        assert steps["the registry's servers learn of it"].says == ("there is nothing to learn: the order was refused",)

    def test_stands_where_the_data_says(self) -> None:
        """Who looks before the order."""
        assert {one.tlds[0] for one in registries() if one.gate} == {"de", "no", "hu", "at", "dk", "fr"}


class ByHand:
    """A clock whose sleepers wake when they are told to."""

    def __init__(self) -> None:
        self.sleepers: dict[float, asyncio.Event] = {}

    async def sleep(self, seconds: float) -> None:
        await self.sleepers.setdefault(seconds, asyncio.Event()).wait()


class TestDelay:
    async def test_lets_the_servers_learn_one_after_the_other(self, tmp_path: Path) -> None:
        """The first at half of the time, the last at its end."""
        async with Lab(plan(plan_texts.ORDINARY), tmp_path, registry_delay=3600) as lab:
            clock = ByHand()
            lab.clock = cast("RehearsedClock", clock)

            def knowing() -> list[bool]:
                zones = [cast("Zone", server.table[lab.internet.registry.apex]) for server in lab.internet.tld_servers]
                return [zone.rrset(lab.plan.domain, RdataType.NS) is not None for zone in zones]

            await place_order(lab)
            await lab.until(lambda: set(clock.sleepers) == {1800.0, 3600.0})
            assert knowing() == [False, False]
            clock.sleepers[1800.0].set()
            assert await lab.until(lambda: knowing() == [True, False])
            clock.sleepers[3600.0].set()
            assert await lab.until(lambda: knowing() == [True, True])

    async def test_is_waited_for_by_the_journey(self, tmp_path: Path) -> None:
        """An hour passes in a moment, and then all is well."""
        async with Lab(plan(plan_texts.ORDINARY), tmp_path, registry_delay=3600, speed=18000) as lab:
            steps = [step async for step in walk(lab)]
        assert [step.title for step in steps if not step.ok] == []
        (travel,) = [step for step in steps if step.title == "the registry's servers learn of it"]
        assert "both servers of tech that answer have the plan's delegation" in travel.says[-1]

    async def test_is_seen_by_a_watch_in_another_process(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """The network file has the clock: check --watch polls in the lab's time, and ends when all have it."""
        rehearsed = plan(plan_texts.ORDINARY)
        async with Lab(rehearsed, tmp_path, registry_delay=7200, speed=36000) as lab:
            await lab.publish()
            assert await lab.wait_for_secondaries()
            await place_order(lab)
            network = MappedNetwork.load(lab.network_file)
            began = lab.clock.now()
            await watch(rehearsed, network, lab.world, clock=world_clock(network))
            assert (lab.clock.now() - began).total_seconds() >= 7000
        told = capsys.readouterr().err
        assert "0 of 2 servers of tech have the plan's delegation" in told
        assert "both servers of tech that answer have the plan's delegation" in told
