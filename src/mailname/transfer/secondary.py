"""One zone on a secondary: when to ask, when to transfer, when to stop answering (RFC 1034 section 4.3.5, RFC 1996).

Several primaries are asked together, and the highest serial by RFC 1982 wins; where its transfer fails, the next best is taken.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mailname.transfer.actions import AskForSoa, Expire, Peer, Resume, Transfer
from mailname.transfer.hints import Hints, sender
from mailname.transfer.moment import Memory, Moment, told_jump
from mailname.transfer.offers import Failure, best, refusal
from mailname.transfer.timers import Timers, jittered, pause_for_more, pause_without_zone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from ipaddress import IPv4Address, IPv6Address

    from dns.name import Name

    from mailname.transfer.actions import Action
    from mailname.zone import Serial, Zone

__all__ = ["Failure", "Secondary"]

PATIENCE = 0.5  # seconds that a primary with a newer serial waits for what the others offer
_NEVER = float("inf")


def _no_chance() -> float:
    return 0.0


@dataclass(slots=True)
class Secondary:
    """One zone on a secondary. Holds no socket, reads no clock; times are seconds of a clock that never jumps.

    Attributes:
        primaries: whom to ask, in order of preference where serials are the same.
        chance: gives random numbers from 0 to 1, for the jitter of the timers.
        held: the serial held.
        confirmed_at: when a primary last confirmed that serial.
        expire_at: when it is not answered any more unless confirmed.
        failures: tries that failed since then.
        jumped: by how many seconds the wall clock jumped since then: what it would add to the copy's age.
        problems: what is wrong with each primary that did not do well when last asked.

    """

    primaries: tuple[Peer, ...]
    chance: Callable[[], float] = _no_chance
    held: Serial | None = None
    timers: Timers | None = None
    refresh_at: float = 0.0
    confirmed_at: float | None = None
    expire_at: float | None = None
    expired: bool = False
    started: bool = False
    failures: int = 0
    jumped: float = 0.0
    last_failure: Failure | None = None
    problems: dict[Peer, Failure] = field(default_factory=dict)
    _hints: Hints = field(default_factory=Hints)
    _asking: set[Peer] = field(default_factory=set)
    _asked: set[Peer] = field(default_factory=set)
    _offers: dict[Peer, Serial] = field(default_factory=dict)
    _source: Transfer | None = None
    _patience_until: float | None = None
    _well: bool = False
    _missed: bool = False
    _hinted: bool = False
    _force: bool = False
    _ordered: bool = False

    @property
    def busy(self) -> bool:
        """Tell whether a question or a transfer is under way."""
        return bool(self._asking) or self._source is not None

    def on_start(
        self, now: float, zone: Zone | None, age: float, *, before: Memory | None = None, spread: float = 0.0
    ) -> list[Action]:
        """Begin, with the copy kept on disk if there is one. A primary is asked soon in any case: a NOTIFY may have been missed.

        Args:
            now: the time.
            zone: the copy.
            age: seconds since a primary last confirmed that copy. Before the epoch of that (a clock set back) counts as 0.
            before: what was so before the restart.
            spread: seconds over which servers with many zones spread their first questions.

        """
        self.started = True
        due = before.refresh_in if before is not None and not before.failures else _NEVER
        self.refresh_at = now + min(spread * self.chance(), due)
        if before is not None:
            self.failures, self.jumped = before.failures, told_jump(before.jumped)
        if zone is not None:
            self.held, self.timers = zone.serial, Timers.of(zone)
            self.confirmed_at = now - max(age, 0.0)
            self.expire_at = self.confirmed_at + self.timers.expire
            if before is not None and before.expired:
                self.expire_at = min(self.expire_at, now)
        return self.on_timer(now)

    def on_timer(self, now: float) -> list[Action]:
        """Expire what is due, ask what is due."""
        actions: list[Action] = []
        if self.expire_at is not None and now >= self.expire_at and not self.expired:
            self.expired = True
            self.refresh_at = min(self.refresh_at, now)
            actions.append(Expire())
        if self._patience_until is not None and now >= self._patience_until:
            actions += self._go_on(now)
        if self.started and not self.busy and now >= self.refresh_at:
            actions += self._begin()
        return actions

    def next_wakeup(self) -> float | None:
        """Return when ``on_timer`` wants to be called."""
        times = [self.refresh_at] if self.started and not self.busy else []
        if self._patience_until is not None:
            times.append(self._patience_until)
        if self.expire_at is not None and not self.expired:
            times.append(self.expire_at)
        return min(times, default=None)

    def sender(self, source: IPv4Address | IPv6Address, key: Name | None) -> Peer | str:
        """Return the primary that a NOTIFY came from, or why it may not wake us (RFC 1996 section 3.10)."""
        return sender(self.primaries, source, key)

    def on_notify(self, peer: Peer, told: Serial | None, now: float) -> list[Action]:
        """Treat NOTIFY as a hint: the SOA decides (RFC 1996 section 3.11), be it the one with which a transfer begins.

        Args:
            peer: the primary that sent it.
            told: the serial in it, if there was one.
            now: the time.

        """
        if not self.started:
            return []  # the start asks
        if self._source is not None or peer in self._asking:
            if self._source is None and self._is_news(told):
                return self._follow(peer, told)
            self._hints.wait(peer, told)
            return []
        if told is not None and told == self.held and not self.failures and not self.expired and peer not in self.problems:
            return []
        if self._is_news(told):
            return self._follow(peer, told)
        if (until := self._hints.held_until(now)) is not None:
            self.refresh_at = min(self.refresh_at, until)
            return []
        if not self.busy:
            self._new_round(hinted=True)
        return self._ask((peer,))

    def _is_news(self, told: Serial | None) -> bool:
        return told is not None and self._hints.believed and (self.held is None or told.is_newer_than(self.held))

    def _follow(self, peer: Peer, told: Serial | None) -> list[Action]:
        assert told is not None  # it is news
        if not self.busy:
            self._new_round(hinted=True)
        self._asked.add(peer)
        self._patience_until = None
        self._source = Transfer(peer, told, None if self._force else self.held, hinted=True)
        return [self._source]

    def on_retransfer(self) -> list[Action]:
        """Transfer the whole zone whatever its serial: the operator's order (``mailname retransfer``)."""
        self._force = True
        if self.busy:
            self._ordered = True
            return []
        return self._begin()

    def on_clock_jumped(self, seconds: float, now: float, spread: float = 0.0) -> list[Action]:
        """Take that the wall clock was set by so many seconds. The copy lives as long as before; a primary is asked anyhow."""
        if self.held is not None:
            self.jumped = told_jump(self.jumped + seconds)
        self.refresh_at = min(self.refresh_at, now + spread * self.chance())
        return self.on_timer(now)

    def on_kept_again(self, now: float) -> list[Action]:
        """Take that our own disk works again: a version that was not served because of it is asked for at once."""
        if any(failure.reason == "not-kept" for failure in self.problems.values()):
            self.refresh_at = min(self.refresh_at, now)
        return self.on_timer(now)

    def memory(self, at: Moment) -> Memory:
        """Return what has to be remembered across a restart."""
        age = None if self.confirmed_at is None or self.confirmed_at == -_NEVER else max(at.waiting - self.confirmed_at, 0.0)
        return Memory(at, age, max(self.refresh_at - at.waiting, 0.0), self.failures, self.expired, self.jumped)

    def _new_round(self, *, hinted: bool) -> None:
        self._well, self._missed, self._hinted = False, False, hinted
        self._asked.clear()
        self._offers.clear()

    def _begin(self) -> list[Action]:
        self._new_round(hinted=False)
        return self._ask(self.primaries)

    def _ask(self, peers: Iterable[Peer]) -> list[Action]:
        new = [peer for peer in peers if peer not in self._asking]
        self._asking.update(new)
        self._asked.update(new)
        return [AskForSoa(peer) for peer in new]

    def on_soa(self, peer: Peer, offered: Serial, now: float) -> list[Action]:
        """Take the serial that a primary serves: transfer if it is newer, rest if it is ours (RFC 1034 section 4.3.5)."""
        self._asking.discard(peer)
        self._offers.pop(peer, None)
        self.problems.pop(peer, None)
        actions: list[Action] = []
        if self._force or self.held is None or offered.is_newer_than(self.held):
            self._offers[peer] = offered
        else:
            if self._hinted:
                self._hints.on_nothing_new(now)
            if offered == self.held:
                actions = self._confirmed(peer, now)
            else:
                self._failed(peer, refusal(peer, offered, self.held))
        return actions + self._go_on(now)

    def on_no_soa(self, peer: Peer, failure: Failure, now: float) -> list[Action]:
        """Take that a primary did not tell its SOA."""
        self._asking.discard(peer)
        self._failed(peer, failure)
        return self._go_on(now)

    def on_transferred(self, zone: Zone, now: float) -> list[Action]:
        """Take over a transferred zone."""
        peer = self._source.peer if self._source is not None else None
        self._source = None
        self.held, self.timers = zone.serial, Timers.of(zone)
        self._force = self._ordered  # an order that came meanwhile wants a transfer of its own
        if self._ordered:
            self._offers.clear()
        self._missed = False
        self._hints.on_transferred()
        # The new version is served by whoever took it over: there is nothing to resume.
        self._confirmed(peer, now)
        return self._go_on(now)

    def on_not_newer(self, offered: Serial, now: float) -> list[Action]:
        """Take that a transfer was ended at its first record: the primary's SOA is not newer than what is held."""
        transfer, self._source = self._source, None
        if transfer is None:
            raise ValueError("no transfer is under way")
        if transfer.hinted:
            self._hints.on_misled()
        return self.on_soa(transfer.peer, offered, now)

    def on_not_transferred(self, failure: Failure, now: float) -> list[Action]:
        """Take that the transfer under way failed: the next best primary is taken, or the retry time awaited."""
        transfer, self._source = self._source, None
        if transfer is None:
            raise ValueError("no transfer is under way")
        self._missed = True  # whatever another primary confirms: there is something newer
        self._failed(transfer.peer, failure)
        return self._go_on(now)

    def _failed(self, peer: Peer, failure: Failure) -> None:
        self.problems[peer] = self.last_failure = failure

    def _confirmed(self, peer: Peer | None, now: float) -> list[Action]:
        if self.timers is None:
            raise ValueError("a zone is held without timers")
        actions: list[Action] = [Resume()] if self.expired else []
        if peer is not None:
            self.problems.pop(peer, None)
        self.last_failure = next(iter(self.problems.values()), None)
        self._well, self.expired, self.jumped, self.confirmed_at = True, False, 0.0, now
        self.refresh_at = now + jittered(self.timers.refresh, self.chance())
        self.expire_at = now + self.timers.expire
        return actions

    def _go_on(self, now: float) -> list[Action]:
        """Transfer what is best, wait for what others offer, or rest."""
        if self._source is not None:
            return []
        offers = {peer: self._offers[peer] for peer in self.primaries if peer in self._offers}
        chosen = best(offers, None if self._force else self.held)
        if chosen is not None:
            if self._asking and self._patience_until is None:
                self._patience_until = now + PATIENCE
            if self._asking and self._patience_until is not None and now < self._patience_until:
                return []
            self._patience_until, self._ordered = None, False
            self._source = Transfer(chosen, self._offers.pop(chosen), None if self._force else self.held)
            return [self._source]
        self._patience_until = None
        while (news := self._hints.take()) is not None:
            if actions := self.on_notify(*news, now):
                return actions
            if news[0] in self._hints.waiting:
                break
        return [] if self._asking else self._rest(now)

    def _rest(self, now: float) -> list[Action]:
        if self._well and not self._missed:
            self.failures = 0
        elif not self._well and (others := [peer for peer in self.primaries if peer not in self._asked]):
            return self._ask(others)  # whoever sent the NOTIFY does not have what it told
        elif not self._ordered:
            self._force = False
            self.failures += 1
            pause = now + self._pause(now)
            self.refresh_at = min(self.refresh_at, pause) if self.refresh_at > now else pause
        if self._ordered:
            self._ordered = False
            return self._begin()
        return self.on_timer(now)

    def _pause(self, now: float) -> float:
        if self.timers is None or self.expire_at is None:
            return jittered(pause_without_zone(self.failures - 1), self.chance())
        pause = self.timers.pause_after(self.failures, self.expire_at - now)
        return jittered(min(pause, pause_for_more(self.failures)) if self._missed else pause, self.chance())
