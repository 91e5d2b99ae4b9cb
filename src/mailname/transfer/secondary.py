"""One zone on a secondary: when to ask, when to transfer, when to stop answering (RFC 1034 section 4.3.5, RFC 1996).

Not implemented: jitter on the timers; choosing among several primaries by the highest serial (they are asked in order).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailname.transfer.actions import AskForSoa, Expire, Peer, Transfer
from mailname.transfer.timers import Timers, pause_without_zone

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

    from dns.name import Name

    from mailname.transfer.actions import Action
    from mailname.zone import Serial, Zone


@dataclass(frozen=True, slots=True)
class Failure:
    """Why the last attempt to refresh or transfer did not succeed. ``reason`` is a stable word, the rest is for people."""

    peer: str
    reason: str
    says: str
    remedy: str = ""
    offered: Serial | None = None


@dataclass(slots=True)
class Secondary:
    """One zone on a secondary. Holds no socket, reads no clock; times are seconds of a clock that never jumps.

    One thing happens at a time: an SOA question or a transfer is under way (``busy``), or we wait for ``refresh_at``.
    """

    primaries: tuple[Peer, ...]
    held: Serial | None = None
    timers: Timers | None = None
    refresh_at: float = 0.0
    expire_at: float | None = None
    expired: bool = False
    busy: bool = False
    last_failure: Failure | None = None
    _again: bool = False
    _force: bool = False
    _round: tuple[Peer, ...] = ()
    _failures: int = 0

    def on_start(self, now: float, zone: Zone | None, age: float) -> list[Action]:
        """Begin, with the copy kept on disk if there is one; ask the primary at once in any case.

        Args:
            now: the time.
            zone: the copy.
            age: seconds since a primary last confirmed that copy. Before the epoch of that (a clock set back) counts as 0.

        """
        self.refresh_at = now
        if zone is not None:
            self.held, self.timers = zone.serial, Timers.of(zone)
            self.expire_at = now + self.timers.expire - max(age, 0.0)
        return self.on_timer(now)

    def on_timer(self, now: float) -> list[Action]:
        """Expire what is due, ask what is due."""
        actions: list[Action] = []
        if self.expire_at is not None and now >= self.expire_at and not self.expired:
            self.expired = True
            actions.append(Expire())
        if not self.busy and now >= self.refresh_at:
            actions += self._ask(self.primaries)
        return actions

    def next_wakeup(self) -> float | None:
        """Return when ``on_timer`` wants to be called."""
        times = [] if self.busy else [self.refresh_at]
        if self.expire_at is not None and not self.expired:
            times.append(self.expire_at)
        return min(times, default=None)

    def accepts_notify_from(self, source: IPv4Address | IPv6Address, key: Name | None) -> bool:
        """Tell whether this sender may wake us: a configured primary's address or key, no one else (RFC 1996 section 3.10)."""
        return any(peer.address == source or key in peer.keys for peer in self.primaries)

    def on_notify(self, source: IPv4Address | IPv6Address) -> list[Action]:
        """Treat NOTIFY as a hint: ask for the SOA, do not transfer yet (RFC 1996 section 3.11). The sender is asked first."""
        if self.busy:
            self._again = True
            return []
        first = tuple(peer for peer in self.primaries if peer.address == source)
        return self._ask(first + tuple(peer for peer in self.primaries if peer not in first))

    def on_retransfer(self) -> list[Action]:
        """Transfer the whole zone whatever its serial: the operator's order (``mailname retransfer``)."""
        self._force = True
        if self.busy:
            self._again = True
            return []
        return self._ask(self.primaries)

    def _ask(self, peers: tuple[Peer, ...]) -> list[Action]:
        self.busy, self._again = True, False
        self._round = peers[1:]
        return [AskForSoa(peers[0])]

    def on_soa(self, peer: Peer, offered: Serial, now: float) -> list[Action]:
        """Take the serial that a primary serves: transfer if it is newer, rest if it is ours (RFC 1034 section 4.3.5)."""
        if self._force or self.held is None or offered.is_newer_than(self.held):
            return [Transfer(peer, offered)]
        if offered == self.held:
            return self._confirmed(now)
        says = f"{peer} offers serial {offered}, which is not newer than the {self.held} held here (RFC 1982)"
        remedy = f"Raise the serial on the primary above {self.held}; to take the older zone on purpose: mailname retransfer"
        return self.on_failed(Failure(str(peer), "serial-not-higher", says, remedy, offered), now)

    def on_transferred(self, zone: Zone, now: float) -> list[Action]:
        """Take over a transferred zone."""
        self.held, self.timers = zone.serial, Timers.of(zone)
        self._force = False
        return self._confirmed(now)

    def _confirmed(self, now: float) -> list[Action]:
        if self.timers is None:
            raise ValueError("a zone is held without timers")
        self.expired, self.last_failure, self._failures = False, None, 0
        self.refresh_at = now + self.timers.refresh
        self.expire_at = now + self.timers.expire
        return self._rest(now)

    def on_failed(self, failure: Failure, now: float) -> list[Action]:
        """Take that a question or a transfer failed: go to the next primary, or wait for the retry time."""
        self.last_failure = failure
        if self._round:
            following, self._round = self._round[0], self._round[1:]
            return [AskForSoa(following)]
        self._force = self._force and self._again  # an order that came meanwhile gets a try of its own
        self._failures += 1
        self.refresh_at = now + (self.timers.retry if self.timers else pause_without_zone(self._failures - 1))
        return self._rest(now)

    def _rest(self, now: float) -> list[Action]:
        self.busy = False
        if self._again:  # a NOTIFY came meanwhile: what we asked may be older than what it told
            self._again = False
            self.refresh_at = now
        return self.on_timer(now)
