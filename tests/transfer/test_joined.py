"""A primary and a secondary joined in memory: a fake clock, and a network that loses, doubles, delays and cuts.

The messages are real ones (NOTIFY, AXFR); only sockets and time are not.
"""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import dns.message
from hypothesis import given
from hypothesis import strategies as st
from tests.transfer.zones import APEX, peer, zone

from mailname.errors import TransferError
from mailname.transfer import axfr, notify
from mailname.transfer.actions import Action, AskForSoa, Expire, Resume, SendNotify, Transfer
from mailname.transfer.primary import Primary
from mailname.transfer.secondary import Failure, Secondary
from mailname.zone import Serial, Zone

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailname.transfer.actions import Peer

Answer = Zone | Serial | None
US, THEM = peer("192.0.2.1"), peer("192.0.2.2")  # the secondary, the primary
REFRESH, RETRY, EXPIRE = 100, 10, 1000
TIMEOUT = 3.0


@dataclass(frozen=True)
class Weather:
    """What happens to one datagram or connection: lost, doubled, seconds under way."""

    lost: bool = False
    doubled: bool = False
    delay: float = 0.01


@dataclass
class World:
    """One primary, one secondary, and what lies between them."""

    weather: Callable[[], Weather]
    primary: Primary = field(default_factory=lambda: Primary((US,)))
    secondary: Secondary = field(default_factory=lambda: Secondary((THEM,)))
    cut: bool = False
    now: float = 0.0
    published: Zone | None = None
    served: Zone | None = None
    seen: list[Serial] = field(default_factory=list)
    confirmed_at: float | None = None
    _events: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _order: itertools.count[int] = field(default_factory=itertools.count)

    def at(self, when: float, event: Callable[[], None]) -> None:
        heapq.heappush(self._events, (when, next(self._order), event))

    def start(self) -> None:
        self.do(self.secondary.on_start(self.now, None, 0.0))

    def publish(self, serial: int) -> None:
        self.published = zone(serial, refresh=REFRESH, retry=RETRY, expire=EXPIRE)
        self.do(self.primary.on_published(Serial(serial), self.now))

    def do(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case SendNotify(serial=serial):
                    self._notify(serial)
                case AskForSoa(peer=asked):
                    self._exchange(self._soa_answer, self._soa_answered(asked))
                case Transfer():
                    self._exchange(self._transfer_answer(action), self._transferred(action.peer))
                case Expire():
                    self.served = None
                case Resume():
                    assert self.secondary.held is not None
                    self.served = zone(self.secondary.held.value, refresh=REFRESH, retry=RETRY, expire=EXPIRE)

    def _notify(self, serial: Serial) -> None:
        """One datagram each way, each on its own."""
        assert self.published is not None
        wire = notify.message(self.published, 1)
        told = Serial(dns.message.from_wire(wire).answer[0][0].serial)

        def arrive() -> None:
            if not self.cut:
                self.do(self.secondary.on_notify(THEM, told, self.now))
                weather = self.weather()
                if not weather.lost:
                    self.at(self.now + weather.delay, lambda: self.primary.on_notify_answer(US, told, "NOERROR"))

        weather = self.weather()
        if weather.lost or self.cut:
            self.at(self.now + TIMEOUT, lambda: self.primary.on_notify_failed(US, serial, "no answer"))
            return
        for _ in range(1 + weather.doubled):
            self.at(self.now + weather.delay, arrive)

    def _exchange(self, ask: Callable[[], Answer], done: Callable[[Answer], None]) -> None:
        """Carry a question and its answer: either both arrive, or the asker waits in vain."""
        there, back = self.weather(), self.weather()
        if there.lost or self.cut:
            self.at(self.now + TIMEOUT, lambda: done(None))
            return

        def arrive() -> None:
            answer = None if self.cut or back.lost else ask()
            self.at(self.now + (TIMEOUT if answer is None else back.delay), lambda: done(answer))

        self.at(self.now + there.delay, arrive)

    def _soa_answer(self) -> Serial | None:
        return self.published.serial if self.published else None

    def _soa_answered(self, asked: Peer) -> Callable[[Answer], None]:
        def done(offered: Answer) -> None:
            if not isinstance(offered, Serial):
                self.do(self.secondary.on_no_soa(asked, Failure(str(asked), "timeout-udp", "no answer"), self.now))
                return
            self.do(self.secondary.on_soa(asked, offered, self.now))
            if self.secondary.confirmed_at == self.now:
                self._confirmed()

        return done

    def _transfer_answer(self, wanted: Transfer) -> Callable[[], Answer]:
        def answer() -> Answer:
            assert self.published is not None
            offered = None if wanted.hinted else wanted.offered
            incoming = axfr.Incoming(APEX, 1, str(THEM), offered, wanted.unless)
            try:
                for wire, _ in axfr.outgoing(self.published, 1):
                    incoming.take(wire)
            except axfr.NotNewerError as error:
                return error.offered
            except TransferError:
                return None
            return incoming.zone

        return answer

    def _transferred(self, asked: Peer) -> Callable[[Answer], None]:
        def done(got: Answer) -> None:
            if got is None:
                self.do(self.secondary.on_not_transferred(Failure(str(asked), "timeout-tcp", "no answer"), self.now))
                return
            if isinstance(got, Serial):
                self.do(self.secondary.on_not_newer(got, self.now))
                if self.secondary.confirmed_at == self.now:
                    self._confirmed()
                return
            self.served = got
            self.primary.on_transferred(US.address, None, got.serial)
            actions = self.secondary.on_transferred(got, self.now)
            self._confirmed()
            self.do(actions)

        return done

    def _confirmed(self) -> None:
        self.confirmed_at = self.now
        assert self.served is not None
        self.seen.append(self.served.serial)

    def run(self, until: float) -> None:
        """Let time pass, event after event, and look at the secondary after each."""
        while True:
            timers = (self.primary.next_wakeup(), self.secondary.next_wakeup())
            due = [when for when in (*timers, self._events[0][0] if self._events else None) if when is not None and when <= until]
            if not due:
                self.now = until
                return
            self.now = max(self.now, min(due))
            if self._events and self._events[0][0] <= self.now:
                heapq.heappop(self._events)[2]()
            self.do(self.primary.on_timer(self.now))
            self.do(self.secondary.on_timer(self.now))
            self.look()

    def serves(self) -> bool:
        """Tell whether the secondary answers from the zone."""
        return self.served is not None

    def look(self) -> None:
        """Check what a client of the secondary may never see."""
        if self.served is not None:
            assert self.confirmed_at is not None
            assert self.now - self.confirmed_at <= EXPIRE, "an expired zone is answered"
        assert all(not before.is_newer_than(after) for before, after in itertools.pairwise(self.seen)), "a serial fell"


def fine() -> Weather:
    """Nothing happens to anything."""
    return Weather()


class TestFairWeather:
    def test_change_arrives_by_notify(self) -> None:
        """Within three messages' time, not at refresh."""
        world = World(fine)
        world.publish(1)
        world.start()
        world.run(1.0)
        world.publish(2)
        world.run(2.0)
        assert world.secondary.held == Serial(2)
        assert world.primary.notifying[0].state == "acknowledged"

    def test_secondary_that_starts_first_finds_the_primary(self) -> None:
        """It asks again by itself."""
        world = World(fine)
        world.start()
        world.run(30.0)
        world.publish(1)
        world.run(31.0)
        assert world.secondary.held == Serial(1)


class TestPartition:
    def test_past_expire_nothing_is_answered_and_afterwards_all_is_well_at_once(self) -> None:
        """RETRY after the network is back, at most."""
        world = World(fine)
        world.publish(1)
        world.start()
        world.run(1.0)
        world.cut = True
        world.run(EXPIRE - 1.0)
        assert world.serves()
        world.run(EXPIRE + 5.0)
        assert not world.serves()
        world.cut = False
        world.run(EXPIRE + 5.0 + RETRY + TIMEOUT)
        assert world.serves()

    def test_lost_notify_is_repaired(self) -> None:
        """The primary repeats it."""
        world = World(fine)
        world.publish(1)
        world.start()
        world.run(1.0)
        world.cut = True
        world.publish(2)
        world.run(5.0)
        world.cut = False
        world.run(15.0)
        assert world.secondary.held == Serial(2)


weathers = st.builds(Weather, lost=st.booleans(), doubled=st.booleans(), delay=st.sampled_from([0.0, 0.01, 0.5, 2.0, 30.0]))
steps = st.one_of(st.just("publish"), st.just("cut"), st.just("heal"), st.sampled_from([0.0, 0.1, 1.0, 5.0, 50.0, 400.0, 1200.0]))


class TestAnyWeather:
    @given(st.lists(steps, max_size=15), st.lists(weathers, max_size=60), st.sampled_from([1, 4294967294]))
    def test_once_it_clears_both_hold_the_same(self, history: list[str | float], forecast: list[Weather], first: int) -> None:
        """Loss, duplicates, delay, reordering, partition: no serial falls, nothing expired is answered, and it ends in step."""
        ahead = iter(forecast)
        world = World(lambda: next(ahead, Weather()))
        world.start()
        serial = Serial(first)
        world.publish(serial.value)
        for step in history:
            if step == "publish":
                serial = serial.plus(1)
                world.publish(serial.value)
            elif step == "cut":
                world.cut = True
            elif step == "heal":
                world.cut = False
            else:
                assert isinstance(step, float)
                world.run(world.now + step)
        world.cut = False
        world.weather = fine
        world.run(world.now + 2 * REFRESH + 60.0)
        assert world.secondary.held == serial
        assert world.served is not None
        assert world.served.serial == serial
