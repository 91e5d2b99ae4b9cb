"""Primaries and secondaries joined in memory: a fake clock for each, disks, and a network that loses, doubles, delays and cuts.

The messages are real ones (NOTIFY, AXFR); only sockets, disks and time are not. A ``Copy`` does what the server's
``SecondaryZone`` does, in the same order: it writes before it answers, and answers before it tells others.
"""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from typing import TYPE_CHECKING

import dns.message
from tests.transfer.zones import APEX, peer, zone

from mailname.errors import TransferError
from mailname.transfer import axfr, notify
from mailname.transfer.actions import Action, AskForSoa, Expire, Peer, Resume, SendNotify, Transfer
from mailname.transfer.moment import ClockWatch, Memory, Moment, elapsed
from mailname.transfer.primary import Primary
from mailname.transfer.secondary import Failure, Secondary
from mailname.zone import Serial

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailname.zone import Zone

REFRESH, RETRY, EXPIRE = 100, 10, 1000
TIMEOUT = 3.0
EPOCH = 1_700_000_000.0
FIRST, SECOND = peer("192.0.2.1"), peer("192.0.2.2")  # two primaries
COPY, LAST = peer("192.0.2.3"), peer("192.0.2.4")  # their secondary, and a secondary of that


@lru_cache(maxsize=1024)
def version(serial: int) -> Zone:
    """Return the zone with this serial."""
    return zone(serial, refresh=REFRESH, retry=RETRY, expire=EXPIRE)


@lru_cache(maxsize=1024)
def messages(serial: int) -> tuple[bytes, ...]:
    """Return the messages that transfer it."""
    return tuple(wire for wire, _ in axfr.outgoing(version(serial), 1))


@lru_cache(maxsize=1024)
def told_by(serial: int) -> Serial:
    """Return the serial that a secondary reads in its NOTIFY."""
    return Serial(dns.message.from_wire(notify.message(version(serial), 1)).answer[0][0].serial)


@dataclass(frozen=True)
class Weather:
    """What happens to one datagram or connection: lost, doubled, seconds under way."""

    lost: bool = False
    doubled: bool = False
    delay: float = 0.01


class Node:
    """A machine with a server on it, its clocks, and what it answers. ``life`` ends what was under way at a crash."""

    def __init__(self, world: World, at: Peer, secondaries: tuple[Peer, ...]) -> None:
        self.world = world
        self.at = at
        self.up = False
        self.life = 0
        self.boot = 1
        self.booted_at = -5000.0
        self.wall_offset = 0.0
        self.rules = Primary(secondaries)
        self.served: Serial | None = None

    @property
    def now(self) -> float:
        """Return the clock that never jumps."""
        return self.world.now - self.booted_at

    @property
    def moment(self) -> Moment:
        """Look at both clocks."""
        return Moment(self.now, EPOCH + self.world.now + self.wall_offset, f"boot {self.boot}")

    def later(self, seconds: float, event: Callable[[], None]) -> None:
        """Do something in a while, unless this server has ended by then."""
        life = self.life

        def if_alive() -> None:
            if self.up and self.life == life:
                event()

        self.world.at(self.world.now + seconds, if_alive)

    def start(self) -> None:
        """Begin to run."""
        self.up = True

    def crash(self) -> None:
        """Stop at once; only the disk remains."""
        self.up = False
        self.life += 1
        self.served = None

    def reboot(self) -> None:
        """Let the machine forget the clock that never jumps."""
        self.boot += 1
        self.booted_at = self.world.now

    def announce(self, serial: Serial) -> None:
        """Tell the secondaries of a version that is now answered."""
        self.do(self.rules.on_published(serial, self.now))

    def do(self, actions: list[Action]) -> None:
        """Carry out what the logic wants."""
        for action in actions:
            assert isinstance(action, SendNotify)
            self.world.notify(self, action)

    def on_timer(self) -> None:
        """Do what is due."""
        self.do(self.rules.on_timer(self.now))

    def next_wakeup(self) -> float | None:
        """Return when something is due, in the world's time."""
        due = self.rules.next_wakeup()
        return None if due is None or not self.up else due + self.booted_at

    def on_notify(self, source: Peer, told: Serial | None) -> None:
        """Take a NOTIFY."""


class Source(Node):
    """A primary. Its versions come from somebody who knows what he does, or does not."""

    def __init__(self, world: World, at: Peer, secondaries: tuple[Peer, ...]) -> None:
        super().__init__(world, at, secondaries)
        self.published: Serial | None = None

    def publish(self, serial: Serial) -> None:
        """Take a version, on the disk at least."""
        self.published = serial
        if self.up:
            self.served = serial
            self.announce(serial)

    def start(self) -> None:
        """Answer what is on the disk, and tell everybody, who may have waited for it."""
        super().start()
        self.rules = Primary(self.rules.secondaries)
        if self.published is not None:
            self.publish(self.published)


class Copy(Node):
    """A secondary."""

    def __init__(self, world: World, at: Peer, primaries: tuple[Peer, ...], secondaries: tuple[Peer, ...] = ()) -> None:
        super().__init__(world, at, secondaries)
        self.primaries = primaries
        self.logic = Secondary(primaries)
        self.held: Serial | None = None
        self.disk: tuple[Serial, Memory] | None = None
        self.backups: list[tuple[Serial, Memory]] = []
        self.watch = ClockWatch(self.moment)
        self.seen: Serial | None = None  # the newest that a client was told
        self.confirmed: float | None = None  # when a primary last confirmed what is held: the truth, which no clock tells
        self.truthful = True  # the wall clock may be believed, so far as it matters
        self.transfers = 0

    def start(self) -> None:
        """Answer from the disk, as far as it may be."""
        super().start()
        self.rules = Primary(self.rules.secondaries)
        self.logic = Secondary(self.primaries, self.world.chance)
        self.watch = ClockWatch(self.moment)
        self.transfers = 0
        self.held, before, age = None, None, float("inf")
        if self.disk is not None:
            self.held, before = self.disk
            passed = elapsed(before.at, self.moment)
            before = replace(before, jumped=before.jumped + passed.jumped)
            age = float("inf") if before.age is None else before.age + passed.seconds
        kept = version(self.held.value) if self.held is not None else None
        actions = self.logic.on_start(self.now, kept, age, before=before)
        if not self.logic.expired:
            self.served = self.held
            assert before is None or not before.expired, "what had expired is answered unconfirmed"
        self.do(actions)

    def crash(self) -> None:
        """Stop at once."""
        super().crash()
        if self.disk is not None:
            self.backups.append(self.disk)

    def restore(self, number: int) -> None:
        """Put back an older state folder. Who was told a newer serial before is told a lower one until a primary is reached."""
        assert not self.up
        if self.backups:
            self.disk = self.backups[number % len(self.backups)]
            self.seen, self.truthful = None, False

    def set_wall(self, seconds: float) -> None:
        """Set the wall clock."""
        self.wall_offset += seconds
        if self.up:
            if jumped := self.watch.on_look(self.moment):
                self.do(self.logic.on_clock_jumped(jumped, self.now))
                self.keep()
        else:
            self.truthful = False

    def reboot(self) -> None:
        """Let the machine forget the clock that never jumps."""
        super().reboot()
        self.watch = ClockWatch(self.moment)

    def keep(self) -> None:
        """Write what has to be remembered."""
        if self.held is not None:
            self.disk = self.held, self.logic.memory(self.moment)

    def do(self, actions: list[Action]) -> None:
        """Carry out what the logic wants."""
        for action in actions:
            match action:
                case AskForSoa():
                    self.world.exchange(self, action.peer, partial(self._soa_of, action.peer), self._soa(action.peer))
                case Transfer():
                    self.transfers += 1
                    assert self.transfers == 1, "two transfers at a time"
                    self.world.exchange(self, action.peer, partial(self._fetch, action), self._transferred)
                case Expire():
                    self.served = None
                case Resume():
                    assert self.held is not None
                    self.served = self.held
                    self.announce(self.held)
                case SendNotify():
                    self.world.notify(self, action)

    def on_timer(self) -> None:
        """Do what is due."""
        self.do(self.logic.on_timer(self.now))
        super().on_timer()

    def next_wakeup(self) -> float | None:
        """Return when something is due, in the world's time."""
        if not self.up:
            return None
        times = [self.logic.next_wakeup(), self.rules.next_wakeup()]
        return min((due + self.booted_at for due in times if due is not None), default=None)

    def on_notify(self, source: Peer, told: Serial | None) -> None:
        """Take a NOTIFY."""
        sender = self.logic.sender(source.address, None)
        assert isinstance(sender, Peer)
        self.do(self.logic.on_notify(sender, told, self.now))

    def _soa_of(self, asked: Peer) -> Serial | None:
        return self.world.nodes[asked].served

    def _fetch(self, wanted: Transfer) -> Serial | axfr.NotNewerError | None:
        offered = self.world.nodes[wanted.peer].served
        if offered is None:
            return None
        incoming = axfr.Incoming(APEX, 1, str(wanted.peer), None if wanted.hinted else wanted.offered, wanted.unless)
        try:
            for wire in messages(offered.value):
                incoming.take(wire)
        except axfr.NotNewerError as error:
            return error
        except TransferError:
            return None
        assert incoming.zone == version(offered.value)
        return incoming.zone.serial

    def _soa(self, asked: Peer) -> Callable[[object], None]:
        def done(offered: object) -> None:
            if isinstance(offered, Serial):
                self._settle(self.logic.on_soa(asked, offered, self.now), offered)
            else:
                self._settle(self.logic.on_no_soa(asked, Failure(str(asked), "timeout-udp", "no answer"), self.now))

        return done

    def _transferred(self, got: object) -> None:
        self.transfers -= 1
        if isinstance(got, axfr.NotNewerError):
            self._settle(self.logic.on_not_newer(got.offered, self.now), got.offered)
        elif isinstance(got, Serial):
            self.held = got
            self.disk = got, Memory(self.moment, 0.0)
            self.served = got
            self._settle(self.logic.on_transferred(version(got.value), self.now), got)
            self.announce(got)
        else:
            self._settle(self.logic.on_not_transferred(Failure("", "timeout-tcp", "no answer"), self.now))

    def _settle(self, actions: list[Action], serial: Serial | None = None) -> None:
        if serial is not None and serial == self.held:
            self.confirmed, self.truthful = self.world.now, True
        assert self.logic.confirmed_at is None or self.logic.confirmed_at < self.now or self.confirmed == self.world.now
        self.do(actions)
        self.keep()

    def look(self) -> None:
        """Check what nobody may ever see."""
        if self.served is not None:
            assert self.served == self.held
            assert self.seen is None or not self.seen.is_newer_than(self.served), "a serial fell"
            self.seen = self.served
        if self.up and self.truthful and self.held is not None:
            assert self.confirmed is not None
            age = self.world.now - self.confirmed
            if self.served is not None:
                assert age <= EXPIRE + 0.001, "an expired zone is answered"
            else:
                assert age >= EXPIRE - 0.001, "a zone expired early"


@dataclass
class World:
    """Two primaries, a secondary of both, a secondary of that one, and what lies between them."""

    chance: Callable[[], float] = lambda: 0.0
    forecast: list[Weather] = field(default_factory=list)
    cut: set[frozenset[Peer]] = field(default_factory=set)
    now: float = 0.0
    nodes: dict[Peer, Node] = field(default_factory=dict)
    _events: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _order: itertools.count[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.first, self.second = Source(self, FIRST, (COPY,)), Source(self, SECOND, (COPY,))
        self.copy, self.last = Copy(self, COPY, (FIRST, SECOND), (LAST,)), Copy(self, LAST, (COPY,))
        self.nodes = {node.at: node for node in (self.first, self.second, self.copy, self.last)}

    @property
    def copies(self) -> tuple[Copy, Copy]:
        """Return the secondaries."""
        return self.copy, self.last

    def start(self) -> None:
        """Start every server that does not run."""
        for node in self.nodes.values():
            if not node.up:
                node.start()

    def at(self, when: float, event: Callable[[], None]) -> None:
        """Let something happen at a time."""
        heapq.heappush(self._events, (when, next(self._order), event))

    def weather(self) -> Weather:
        """Return what happens to the next message."""
        return self.forecast.pop(0) if self.forecast else Weather()

    def reaches(self, one: Peer, other: Peer) -> bool:
        """Tell whether messages go through between two."""
        return frozenset((one, other)) not in self.cut and self.nodes[one].up and self.nodes[other].up

    def notify(self, source: Node, action: SendNotify) -> None:
        """Carry a NOTIFY and its answer, each on its own."""
        told, target = told_by(action.serial.value), self.nodes[action.peer]

        def arrive() -> None:
            if self.reaches(source.at, target.at):
                target.on_notify(source.at, told)
                if not (weather := self.weather()).lost:
                    source.later(weather.delay, lambda: source.rules.on_notify_answer(action.peer, told, "NOERROR"))

        weather = self.weather()
        if weather.lost:
            source.later(TIMEOUT, lambda: source.rules.on_notify_failed(action.peer, action.serial, "no answer"))
            return
        for _ in range(1 + weather.doubled):
            self.at(self.now + weather.delay, arrive)

    def exchange(self, asker: Node, asked: Peer, ask: Callable[[], object], done: Callable[[object], None]) -> None:
        """Carry a question and its answer: either both arrive, or the asker waits in vain."""
        there, back = self.weather(), self.weather()
        life = asker.life
        if there.lost or not self.reaches(asker.at, asked):
            asker.later(TIMEOUT, lambda: done(None))
            return

        def arrive() -> None:
            answer = None if back.lost or not self.reaches(asker.at, asked) else ask()
            if asker.life == life:
                asker.later(TIMEOUT if answer is None else back.delay, lambda: done(answer))

        self.at(self.now + there.delay, arrive)

    def run(self, seconds: float) -> None:
        """Let time pass, event after event, and look at the secondaries after each."""
        until = self.now + seconds
        while True:
            times = [node.next_wakeup() for node in self.nodes.values()]
            times.append(self._events[0][0] if self._events else None)
            due = [when for when in times if when is not None and when <= until]
            if not due:
                self.now = until
                return
            self.now = max(self.now, min(due))
            if self._events and self._events[0][0] <= self.now:
                heapq.heappop(self._events)[2]()
            for node in self.nodes.values():
                # A moment later, so that rounding does not leave a timer a hair before its time for ever.
                if node.up and (wakeup := node.next_wakeup()) is not None and wakeup <= self.now + 1e-6:
                    self.now = max(self.now, wakeup + 1e-6)
                    node.on_timer()
            self.look()

    def look(self) -> None:
        """Check what nobody may ever see."""
        for copy in self.copies:
            copy.look()

    def heal(self) -> None:
        """End all faults."""
        self.cut.clear()
        self.forecast.clear()
        self.start()
