"""Primaries and secondaries joined in memory: whatever happens between them, they end in step, and clients never see worse."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.transfer.world import COPY, EXPIRE, FIRST, LAST, REFRESH, RETRY, SECOND, TIMEOUT, Source, Weather, World

from mailname.transfer.timers import LONGEST_PAUSE
from mailname.zone import Serial

if TYPE_CHECKING:
    from mailname.transfer.actions import Peer

HOUR, DAY, YEAR = 3600.0, 86400.0, 31536000.0


def joined(serial: int = 1) -> World:
    """Return a world in which all hold the same version."""
    world = World()
    world.start()
    for source in (world.first, world.second):
        source.publish(Serial(serial))
    world.run(1.0)
    assert [copy.served for copy in world.copies] == [Serial(serial)] * 2
    return world


class TestFairWeather:
    def test_change_arrives_at_once_everywhere(self) -> None:
        """By NOTIFY, a connection and its answer each; not at refresh, and no question before."""
        world = joined()
        world.run(50.0)
        world.first.publish(Serial(2))
        world.run(0.1)
        assert [copy.served for copy in world.copies] == [Serial(2)] * 2
        assert world.first.rules.notifying[0].state == "acknowledged"

    def test_secondary_that_starts_first_finds_the_primary(self) -> None:
        """It asks again by itself."""
        world = World()
        world.copy.start()
        world.last.start()
        world.run(30.0)
        world.start()
        world.first.publish(Serial(1))
        world.run(1.0)
        assert world.last.served == Serial(1)


class TestPartition:
    def test_past_expire_nothing_is_answered_and_afterwards_all_is_well_soon(self) -> None:
        """RETRY after the network is back, at most."""
        world = joined()
        world.run(50.0)
        world.cut = {frozenset((FIRST, COPY)), frozenset((SECOND, COPY))}
        served = []
        for seconds in (EXPIRE - 60.0, 150.0):
            world.run(seconds)
            served.append(world.copy.served)
        world.heal()
        world.run(RETRY + TIMEOUT + 1.0)
        assert [*served, world.copy.served] == [Serial(1), None, Serial(1)]

    def test_primary_that_is_started_again_ends_it_at_once(self) -> None:
        """Its NOTIFY tells the serial that had expired."""
        world = joined()
        for source in (world.first, world.second):
            source.crash()
        world.run(EXPIRE + 5.0)
        assert world.copy.served is None
        world.first.start()
        world.run(0.1)
        assert world.copy.served == Serial(1)

    def test_secondary_behind_one_that_had_expired_is_told_when_it_answers_again(self) -> None:
        """It holds nothing, and would ask again minutes later."""
        world = joined()
        for source in (world.first, world.second):
            source.crash()
        world.run(EXPIRE + 5.0)
        world.last.crash()
        world.last.disk = None
        world.last.held = world.last.seen = None
        world.last.start()
        world.run(2000.0)
        assert world.last.served is None
        world.first.start()
        world.run(0.2)
        assert world.last.served == Serial(1)

    def test_lost_notify_is_repaired(self) -> None:
        """The primary repeats it."""
        world = joined()
        world.cut = {frozenset((FIRST, COPY))}
        world.first.publish(Serial(2))
        world.run(5.0)
        world.heal()
        world.run(5.0)
        assert world.last.served == Serial(2)


class TestClock:
    @pytest.mark.parametrize("jump", [HOUR, -HOUR, DAY, -DAY, YEAR, -YEAR])
    @pytest.mark.parametrize("stopped", [False, True], ids=["while it runs", "while it is stopped"])
    def test_that_jumps_expires_nothing_early_and_keeps_nothing_late(self, jump: float, stopped: bool) -> None:
        """No primary is there to ask; the clock that never jumps knows the age, and the jump is told."""
        world = joined()
        world.cut = {frozenset((FIRST, COPY)), frozenset((SECOND, COPY))}
        since = world.copy.confirmed
        assert since is not None
        world.run(300.0)
        if stopped:
            world.copy.crash()
            world.copy.wall_offset += jump
            world.run(200.0)
            world.copy.start()
        else:
            world.copy.set_wall(jump)
            world.run(200.0)
        assert world.copy.logic.jumped == pytest.approx(jump)
        world.run(since + EXPIRE - 1.0 - world.now)
        assert world.copy.served == Serial(1)
        world.run(2.0)
        assert world.copy.served is None

    @pytest.mark.parametrize("jump", [-HOUR, -DAY, -YEAR])
    def test_that_is_set_back_across_a_boot_is_told(self, jump: float) -> None:
        """At least the time since the boot has passed; how much more, nobody can know."""
        world = joined()
        world.copy.crash()
        world.cut = {frozenset((FIRST, COPY)), frozenset((SECOND, COPY))}
        world.run(200.0)
        world.copy.reboot()
        world.copy.set_wall(jump)
        world.run(100.0)
        world.copy.start()
        assert world.copy.logic.jumped == pytest.approx(jump + 200.0, abs=2.0)
        world.heal()
        world.run(REFRESH)
        assert world.copy.logic.jumped == 0.0


weathers = st.builds(Weather, lost=st.booleans(), doubled=st.booleans(), delay=st.sampled_from([0.0, 0.01, 0.01, 0.5, 2.0, 30.0]))
COPIES = st.sampled_from(["copy", "last"])
SOURCES = st.sampled_from(["first", "second"])
PAIRS = st.sampled_from([frozenset((FIRST, COPY)), frozenset((SECOND, COPY)), frozenset((COPY, LAST))])
JUMPS = st.sampled_from([HOUR, -HOUR, DAY, -DAY, YEAR, -YEAR])
PAUSES = st.sampled_from([0.0, 0.02, 0.1, 1.0, 5.0, 50.0, 150.0, 400.0, 1200.0])


class AnyHistory(RuleBasedStateMachine):
    """Whatever may happen to them, in any order. Each step is followed by looking at what a client would see."""

    @initialize(serial=st.sampled_from([1, 4294967290, 2147483640]), seed=st.integers(0, 3))
    def begin(self, serial: int, seed: int) -> None:
        chance = random.Random(seed).random
        self.world = World(chance if seed else lambda: 0.0)
        self.newest = Serial(serial)
        self.older = [self.newest]
        for source in (self.world.first, self.world.second):
            source.published = self.newest
        self.world.start()

    @rule(step=st.sampled_from([1, 1, 1, 7, 1000]))
    def publish(self, step: int) -> None:
        self.older.append(self.newest)
        self.newest = self.newest.plus(step)
        self.world.first.publish(self.newest)

    @rule()
    def second_primary_follows(self) -> None:
        self.world.second.publish(self.newest)

    @rule(number=st.integers(0, 20))
    def second_primary_goes_back(self, number: int) -> None:
        self.world.second.publish(self.older[number % len(self.older)])

    @rule(forecast=st.lists(weathers, min_size=1, max_size=8))
    def weather_comes(self, forecast: list[Weather]) -> None:
        self.world.forecast += forecast

    @rule(pair=PAIRS)
    def cut(self, pair: frozenset[Peer]) -> None:
        self.world.cut.add(pair)

    @rule(which=COPIES)
    def cut_off(self, which: str) -> None:
        copy = getattr(self.world, which)
        self.world.cut.update(frozenset((copy.at, primary)) for primary in copy.primaries)

    @rule(which=COPIES, seconds=PAUSES, boots=st.booleans(), jump=st.just(0.0) | JUMPS)
    def stand_still(self, which: str, seconds: float, boots: bool, jump: float) -> None:
        copy = getattr(self.world, which)
        copy.crash()
        self.world.run(seconds)
        if boots:
            copy.reboot()
            copy.set_wall(jump)
        copy.start()

    @rule(pair=PAIRS)
    def mend(self, pair: frozenset[Peer]) -> None:
        self.world.cut.discard(pair)

    @rule(seconds=PAUSES)
    def time_passes(self, seconds: float) -> None:
        self.world.run(seconds)

    @rule(which=SOURCES | COPIES)
    def crash_or_start(self, which: str) -> None:
        node = getattr(self.world, which)
        if node.up:
            node.crash()
        else:
            node.start()

    @rule(which=COPIES, jump=JUMPS)
    def wall_clock_jumps(self, which: str, jump: float) -> None:
        getattr(self.world, which).set_wall(jump)

    @rule(which=COPIES)
    def boot(self, which: str) -> None:
        copy = getattr(self.world, which)
        if not copy.up:
            copy.reboot()

    @rule(which=COPIES, number=st.integers(0, 5))
    def older_state_is_restored(self, which: str, number: int) -> None:
        copy = getattr(self.world, which)
        if not copy.up:
            copy.restore(number)

    @rule(
        source=st.sampled_from([FIRST, SECOND]),
        ahead=st.none() | st.sampled_from([1, 5, 2147483647, 2147483648, 4294967295]) | st.integers(0, 4294967295),
        count=st.sampled_from([1, 3, 100]),
    )
    def somebody_notifies_in_a_primary_s_name(self, source: Peer, ahead: int | None, count: int) -> None:
        told = Serial((self.newest.value + ahead) % (1 << 32)) if ahead is not None else None
        for _ in range(count):
            if self.world.copy.up:
                self.world.copy.on_notify(source, told)

    @invariant()
    def nothing_worse_is_seen(self) -> None:
        if hasattr(self, "world"):
            self.world.look()

    def teardown(self) -> None:
        """Heal everything: both end in step, and then a change arrives at once."""
        if not hasattr(self, "world"):
            return
        world = self.world
        world.heal()
        world.second.publish(self.newest)
        world.run(LONGEST_PAUSE + 2 * REFRESH + 2 * TIMEOUT + 30.0)
        assert [copy.served for copy in world.copies] == [self.newest] * 2, "they do not end in step"
        assert not any(copy.logic.failures or copy.logic.jumped for copy in world.copies)
        assert isinstance(world.first, Source)
        world.run(70.0)
        world.forecast += [Weather(), Weather(), Weather(delay=0.1)]
        for step in (1, 2):  # the second NOTIFY comes while the first version is transferred
            world.first.publish(self.newest.plus(step))
            world.run(0.05)
        world.run(0.2)
        assert [copy.served for copy in world.copies] == [self.newest.plus(2)] * 2, "a change waits though all is quiet"


TestAnyHistory = AnyHistory.TestCase
TestAnyHistory.settings = settings(max_examples=100, stateful_step_count=30)
