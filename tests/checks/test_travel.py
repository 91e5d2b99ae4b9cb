"""A change at the registrar on its way: who has it, when to ask again, and when it is seen everywhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING

from tests.checks.small_world import TLD, SmallWorld, name, zone_of

from mailname.answer import ZoneTable
from mailname.checks.observe_travel import follow
from mailname.checks.travel import LONGEST, SHORTEST, Station
from mailname.cli.check_watch import watch

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

LATE = ip_address("198.18.0.8")
BEGAN = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
HEAD = "$TTL {ttl}\n@ SOA a. b. 1 1 1 1 {negative}\n@ NS a.nic\na.nic A 198.18.0.2\n"


class Registry:
    """A TLD with two servers in a small world, and a clock that only sleeping moves."""

    def __init__(self) -> None:
        self.world = SmallWorld()
        root = "$TTL 60\n@ SOA a. b. 1 1 1 1 1\n@ NS a.\ntech NS a.nic.tech\ntech NS b.nic.tech\n"
        root += f"a.nic.tech A {TLD}\nb.nic.tech A {LATE}\n"
        self.world.hosts[ip_address("198.18.0.1")].table = ZoneTable({name("."): zone_of(root, ".")})
        self.new = self.world.hosts[TLD].table
        self.world.host(str(LATE))
        self.now = BEGAN
        self.slept: list[float] = []
        self.changes: list[tuple[float, Callable[[], None]]] = []

    def at(self, seconds: float, *servers: object, delegation: str = "", ttl: int = 3600, negative: int = 60) -> None:
        """Let servers have the plan's delegation from then on, or another one."""
        text = HEAD.format(ttl=ttl, negative=negative) + delegation
        table = self.new if delegation == "new" else ZoneTable({name("tech."): zone_of(text, "tech.")})

        def change() -> None:
            for server in servers:
                self.world.hosts[ip_address(str(server))].table = table

        self.changes.append((seconds, change))
        self.changes.sort(key=lambda one: one[0])

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)
        self.pass_time()

    def pass_time(self) -> None:
        while self.changes and BEGAN + timedelta(seconds=self.changes[0][0]) <= self.now:
            self.changes.pop(0)[1]()

    async def stations(self) -> list[Station]:
        self.pass_time()
        async with self.world as world:
            following = follow(world.plan, network=world.network, world=world.world(), sleep=self.sleep, now=lambda: self.now)
            return [station async for station in following]


class TestTravel:
    async def test_ends_when_all_servers_have_it(self) -> None:
        """One server learns of it after a minute, the other after five; the root is asked but once."""
        registry = Registry()
        registry.at(0, TLD, LATE, delegation="example NS ns9.example\nns9.example A 192.0.2.9\n")
        registry.at(60, TLD, delegation="new")
        registry.at(300, LATE, delegation="new")
        found = await registry.stations()
        counts = [len(station.ready) for station in found]
        assert counts == sorted(counts)
        assert {0, 1, 2} == set(counts)
        assert [station.arrived for station in found] == [*[False] * (len(found) - 1), True]
        assert BEGAN + timedelta(seconds=300) <= found[-1].at <= BEGAN + timedelta(seconds=300 + LONGEST)

    async def test_is_seen_everywhere_when_the_last_old_answer_has_expired(self) -> None:
        """The old TTL counts from the last moment at which a server had the old delegation."""
        registry = Registry()
        registry.at(0, TLD, LATE, delegation="example NS ns9.example\nns9.example A 192.0.2.9\n", ttl=7200)
        registry.at(200, TLD, LATE, delegation="new")
        found = await registry.stations()
        last_old = [station.at for station in found if station.late][-1]
        assert found[-1].everywhere == last_old + timedelta(seconds=7200)
        assert "until 13:5" in found[-1].says() or "until 14:0" in found[-1].says()

    async def test_of_a_new_domain_counts_the_negative_ttl(self) -> None:
        """Who was told that there is no such domain forgets it soon (RFC 2308)."""
        registry = Registry()
        registry.at(0, TLD, LATE, negative=90)
        registry.at(15, TLD, LATE, delegation="new")
        found = await registry.stations()
        last_old = [station.at for station in found if station.late][-1]
        assert found[-1].everywhere == last_old + timedelta(seconds=90)

    async def test_polls_politely(self) -> None:
        """Never more often than each ten seconds, and the seldomer the longer the TTL is."""
        for ttl, pause in ((60, SHORTEST), (3600, 120.0), (86400, LONGEST)):
            registry = Registry()
            registry.at(0, TLD, LATE, delegation="example NS ns9.example\nns9.example A 192.0.2.9\n", ttl=ttl)
            registry.at(20, TLD, LATE, delegation="new")
            await registry.stations()
            assert set(registry.slept) == {pause}

    async def test_that_has_arrived_already_ends_at_once(self) -> None:
        """Of the old answer nothing was seen, so that only its likely end is told."""
        registry = Registry()
        registry.at(0, TLD, LATE, delegation="new")
        (only,) = await registry.stations()
        assert (only.arrived, only.everywhere, registry.slept) == (True, None, [])
        assert "both servers of tech" in only.says()

    async def test_does_not_wait_for_a_server_that_is_silent(self) -> None:
        registry = Registry()
        registry.world.host(str(LATE)).udp = "silent"
        registry.at(0, TLD, delegation="new")
        (only,) = await registry.stations()
        assert only.arrived
        assert "b.nic.tech (198.18.0.8) did not answer" in only.says()


class TestWatch:
    async def test_waits_until_the_old_answers_ttl_has_run_out(self, capsys: pytest.CaptureFixture[str]) -> None:
        """With the time of day at which that is; then nobody can have the old answer."""
        registry = Registry()
        registry.at(0, TLD, LATE, delegation="example NS ns9.example\nns9.example A 192.0.2.9\n", ttl=7200)
        registry.at(200, TLD, LATE, delegation="new")
        registry.pass_time()

        class ByHand:
            sleep = staticmethod(registry.sleep)

            def now(self) -> datetime:
                return registry.now

        async with registry.world as world:
            await watch(world.plan, world.network, world.world(), clock=ByHand())
        assert registry.slept == [240.0, 6960.0]
        told = " ".join(capsys.readouterr().err.split())
        assert "The TTL of their old answer runs out at 14:00:00 UTC at the earliest." in told
        assert "Asked again in 4 minutes, at 12:04:00 UTC." in told
        assert "Looking again then. 14:00:00 UTC: the old answer's TTL has run out everywhere." in told

    async def test_ends_after_two_days_without_the_change(self, capsys: pytest.CaptureFixture[str]) -> None:
        """The verdict that follows says what is missing."""
        registry = Registry()
        registry.at(0, TLD, LATE, delegation="example NS ns9.example\nns9.example A 192.0.2.9\n", ttl=86400)
        registry.pass_time()
        pauses: list[float] = []

        class HalfDays:
            def now(self) -> datetime:
                return registry.now

            async def sleep(self, seconds: float) -> None:
                pauses.append(seconds)
                registry.now += timedelta(hours=12)

        async with registry.world as world:
            await watch(world.plan, world.network, world.world(), clock=HalfDays())
        assert len(pauses) == 4
        assert "0 of 2 servers of tech have the plan's delegation" in capsys.readouterr().err
