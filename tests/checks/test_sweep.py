"""Many domains share what they learn of the world, and leave others in peace."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from ipaddress import ip_address

import dns.name
from tests.checks.small_world import ROOT, SmallWorld, name, zone_of

from mailname.answer import ZoneTable
from mailname.checks.facts import EDNS_VERSION
from mailname.checks.observe_servers import FOREIGN
from mailname.checks.patience import patiently
from mailname.checks.sweep import Pace, Shared, look_at


class TestShared:
    async def test_root_is_asked_once_for_a_tld(self) -> None:
        """However many domains there are below it, and at the same time."""
        world = SmallWorld()
        async with world:
            shared = Shared(world.network, replace(world.world(), resolver=None), Pace(0))
            names = [name("example.tech."), *(name(f"missing{number}.tech.") for number in range(5))]
            looks = await asyncio.gather(*(look_at(one, shared) for one in names))
        assert [verdict.verdict for _, _, verdict in looks] == ["well", *["broken"] * 5]
        asked = {id(probe) for _, facts, _ in looks for probe in facts.probes if probe.address == ROOT}
        assert len(asked) == 1

    async def test_root_that_delegates_below_a_tld_is_asked_for_each_domain(self) -> None:
        """There are no name servers for tech. then, only a name that exists because of what stands below it."""
        world = SmallWorld()
        delegated = "\n".join(
            f"example.tech. NS ns{n}.example.tech.\nns{n}.example.tech. A {a}" for n, a in ((1, "192.0.2.1"), (2, "198.51.100.2"))
        )
        text = f"$TTL 60\n@ SOA a. b. 1 1 1 1 1\n@ NS a.\n{delegated}\n"
        world.host(str(ROOT)).table = ZoneTable({dns.name.root: zone_of(text, ".")})
        async with world:
            shared = Shared(world.network, replace(world.world(), resolver=None), Pace(0))
            names = [name("example.tech."), name("missing.tech.")]
            looks = [await look_at(one, shared) for one in names]
        assert [verdict.verdict for _, _, verdict in looks] == ["well", "broken"]

    async def test_mail_host_is_visited_once(self) -> None:
        """Its greeting is a fact of each domain that names it."""
        world = SmallWorld()
        async with world:
            shared = Shared(world.network, replace(world.world(), resolver=None), Pace(0))
            looks = [await look_at(name("example.tech."), shared) for _ in range(3)]
        assert [len(facts.mail) for _, facts, _ in looks] == [1, 1, 1]
        assert len(shared.visits) == 1

    async def test_silent_server_is_waited_for_once(self) -> None:
        world = SmallWorld()
        world.host("192.0.2.1").udp = world.host("192.0.2.1").tcp = "silent"
        async with world:
            shared = Shared(world.network, replace(world.world(), resolver=None), Pace(0))
            first, second = [await look_at(name("example.tech."), shared) for _ in range(2)]
        assert first[2].cause is not None
        assert second[2].cause is not None
        assert [first[2].cause.finding.code, second[2].cause.finding.code] == ["NS-01", "NS-01"]
        again = [p for p in second[1].probes if str(p.address) == "192.0.2.1" and p.rung == "servers"]
        assert second[1].queries < first[1].queries
        assert {probe.outcome.value for probe in again} == {"silent"}

    async def test_manners_of_a_name_server_are_seen_once(self) -> None:
        """Whether it resolves for strangers, and how it takes versions to come, depends on no zone; its data do."""
        world = SmallWorld()
        async with world:
            shared = Shared(world.network, replace(world.world(), resolver=None), Pace(0))
            first, second = [(await look_at(name("example.tech."), shared))[1] for _ in range(2)]
        manners = [[p for p in facts.probes if p.rung == EDNS_VERSION or p.qname == FOREIGN] for facts in (first, second)]
        assert manners[0] == manners[1]
        assert len(manners[0]) == 2 * len(world.plan.name_servers)
        assert [len(facts.probes) for facts in (first, second)] == [len(first.probes)] * 2
        assert second.queries <= first.queries - len(manners[0])


class TestPace:
    async def test_bounds_the_questions_to_one_address(self) -> None:
        """By the loop's clock: thirty questions at ten a second cannot be asked before two and a half seconds' worth of turns."""
        loop = asyncio.get_running_loop()
        slept: list[float] = []
        pace = Pace(10.0)
        address = ip_address("192.0.2.1")
        now = loop.time()
        # Only the plan of turns is looked at; nobody waits for it here.
        turns = [asyncio.ensure_future(pace.turn(address)) for _ in range(30)]
        await asyncio.sleep(0)
        slept.append(pace._next[address] - now)
        for turn in turns:
            turn.cancel()
        await asyncio.gather(*turns, return_exceptions=True)
        assert slept[0] >= 2.5

    async def test_leaves_other_addresses_alone(self) -> None:
        pace = Pace(0.001)
        for number in range(20):
            await pace.turn(ip_address(f"192.0.2.{number}"))
        assert len(pace._next) == 20


class TestPatience:
    async def test_ends_with_what_the_work_gives(self) -> None:
        async def work() -> int:
            await asyncio.sleep(0)
            return 5

        assert await patiently(work(), 1.0) == 5

    async def test_does_not_count_the_time_that_we_were_busy(self) -> None:
        """The loop is held up for longer than the timeout; what arrived meanwhile is still taken."""

        async def work() -> str:
            asyncio.get_running_loop().call_soon(time.sleep, 0.3)  # this process is busy
            await asyncio.sleep(0.01)
            return "heard"

        assert await patiently(work(), 0.2) == "heard"
