"""One zone on its primary: whom to notify, who may transfer, who was refused and why."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mailname.transfer.notify import Notifying

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

    from dns.name import Name

    from mailname.transfer.actions import Action, Peer
    from mailname.zone import Serial


_MOST_REFUSED = 20
#: Reasons that lie in a signature: a key or its secret, the clocks.
SIGNATURES = frozenset({"badkey", "badsig", "badtime", "badtrunc"})


@dataclass(frozen=True, slots=True)
class Refusal:
    """A transfer that was refused: when (seconds since 1970), to whom, and why."""

    at: float
    source: str
    reason: str
    says: str


@dataclass(slots=True)
class Primary:
    """One zone on a primary. Holds no socket, reads no clock; times are seconds.

    Attributes:
        secondaries: who is notified and may transfer. A secondary with a key must sign with it, from wherever it asks.
        allow: networks that may transfer without a key, besides.
        refused: what was refused last, and is not settled by a better request of the same address.
        proven: addresses of secondaries whose last request, as far as we know, had a good signature.

    """

    secondaries: tuple[Peer, ...]
    allow: tuple[IPv4Network | IPv6Network, ...] = ()
    held: Serial | None = None
    notifying: list[Notifying] = field(init=False)
    refused: deque[Refusal] = field(default_factory=lambda: deque(maxlen=_MOST_REFUSED))
    proven: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.notifying = [Notifying(peer) for peer in self.secondaries]

    def on_published(self, serial: Serial, now: float) -> list[Action]:
        """Notify each secondary at once of a version that is now served (RFC 1996 section 3.1)."""
        self.held = serial
        return [one.announce(serial, now) for one in self.notifying]

    def on_timer(self, now: float) -> list[Action]:
        """Notify again whoever has not acknowledged."""
        return [action for one in self.notifying if (action := one.on_timer(now))]

    def next_wakeup(self) -> float | None:
        """Return when ``on_timer`` wants to be called."""
        return min((one.next_at for one in self.notifying if one.next_at is not None), default=None)

    def on_notify_answer(self, peer: Peer, serial: Serial, rcode: str, now: float | None = None) -> None:
        """Take a secondary's answer to our NOTIFY."""
        for one in self.notifying:
            if one.peer == peer:
                one.on_answer(serial, rcode, now)

    def on_notify_failed(self, peer: Peer, serial: Serial, says: str, reason: str = "") -> None:
        """Take that a NOTIFY was not answered, or its signature rejected: ``reason`` is a stable word."""
        for one in self.notifying:
            if one.peer == peer:
                one.on_failure(serial, says, reason)

    def on_transferred(self, source: IPv4Address | IPv6Address, key: Name | None, serial: Serial) -> None:
        """Take that somebody has fetched the zone: a secondary that has it needs no more NOTIFY."""
        self._settle(str(source))
        for one in self.notifying:
            if one.peer.address == source or (key in one.peer.keys and len(self.notifying) == 1):
                one.on_seen(serial)

    def objection(
        self, source: IPv4Address | IPv6Address, key: Name | None, *, tls: bool = False, pin: str | None = None
    ) -> str | None:
        """Say why this client may not transfer the zone; None when it may.

        A key counts more than an address: addresses of UDP and of NATs prove little. A secondary without a key is known by its
        address alone. One that is to come over TLS must do so, and show the certificate with its pin, if it has one.
        """
        if mine := [peer for peer in self.secondaries if key in peer.keys]:
            return _without_tls(mine, tls=tls, pin=pin)
        if any(source in network for network in self.allow):
            return None
        known = [peer for peer in self.secondaries if peer.address == source]
        if mine := [peer for peer in known if peer.key is None]:
            return _without_tls(mine, tls=tls, pin=pin)
        if known:
            wanted = known[0].key
            return f"{source} is a secondary of this zone, but must sign with the key {wanted}" + (
                f", not {key}" if key is not None else "; the request was not signed"
            )
        return f"{source} is not a secondary of this zone" + (f", and the key {key} is not its key" if key is not None else "")

    def on_refused(self, refusal: Refusal) -> None:
        """Remember a refusal for ``mailname status``."""
        self.refused.append(refusal)
        self.proven.discard(refusal.source)

    def on_signed_well(self, source: IPv4Address | IPv6Address, key: Name | None = None) -> None:
        """Take that a secondary's signature was good, so key and clocks agree: what was refused for them is settled.

        If it may transfer with that key, whatever was refused. In the order in which things happen, not by their times: a
        clock that was wrong had written those.
        """
        self._settle(str(source), SIGNATURES if key is None or self.objection(source, key) else None)

    def _settle(self, source: str, reasons: frozenset[str] | None = None) -> None:
        if any(str(peer.address) == source for peer in self.secondaries):
            self.proven.add(source)
        if any(one.source == source for one in self.refused):
            left = [one for one in self.refused if one.source != source or (reasons is not None and one.reason not in reasons)]
            self.refused = deque(left, maxlen=_MOST_REFUSED)


def _without_tls(peers: list[Peer], *, tls: bool, pin: str | None) -> str | None:
    """Say why none of these secondaries may transfer in this way; None when one may."""
    if any(peer.tls is None or (tls and (not peer.tls.pins or pin in peer.tls.pins)) for peer in peers):
        return None
    if not tls:
        return f"{peers[0].address} is a secondary of this zone that must come over TLS, and came without (RFC 9103)"
    shown = f"one with the pin {pin}" if pin is not None else "none"
    return f"{peers[0].address} is a secondary of this zone that must show the certificate with its pin, and showed {shown}"
