"""NOTIFYs that a secondary receives: whose they may be, and how far what they tell is believed (RFC 1996 sections 3.10, 3.11).

A NOTIFY that tells a newer serial leads to a transfer at once, without a question for the SOA before: the transfer begins with
the primary's SOA, and that decides. Whoever abuses this is believed no longer: then the SOA is asked for first, and where that
finds nothing new, the next NOTIFY waits a little.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from ipaddress import IPv4Address, IPv6Address

    from dns.name import Name

    from mailname.transfer.actions import Peer
    from mailname.zone import Serial

FIRST_HOLD = 0.1  # seconds after a NOTIFY that led to nothing
LONGEST_HOLD = 10.0
_FORGIVEN = 60.0  # seconds without such a NOTIFY, after which the next one is as welcome as the first


def sender(primaries: Iterable[Peer], source: IPv4Address | IPv6Address, key: Name | None) -> Peer | str:
    """Return the primary that a NOTIFY came from, or one sentence why it is not taken.

    A primary with whom a key is shared must sign with it, from wherever it sends. One without is known by its address alone.
    """
    known = [peer for peer in primaries if peer.address == source]
    signed = [peer for peer in primaries if key in peer.keys]
    for peer in signed:
        if peer in known:
            return peer
    for peer in [*signed, *(peer for peer in known if peer.key is None)]:
        return peer
    if known:
        how = f"was signed with {key}" if key is not None else "was not signed"
        return f"{source} is a primary of this zone and must sign NOTIFY with the key {known[0].key}; it {how}"
    return f"{source} is not a primary of this zone" + (f", and the key {key} is no primary's" if key is not None else "")


@dataclass(slots=True)
class Hints:
    """What NOTIFYs have told and not yet led to, and whether they are believed.

    Attributes:
        waiting: who sent one while something was under way, and the serial it told.

    """

    waiting: dict[Peer, Serial | None] = field(default_factory=dict)
    _misled: bool = False
    _fruitless: int = 0
    _hold_until: float = float("-inf")

    @property
    def believed(self) -> bool:
        """Tell whether a serial that is told may lead to a transfer without a question."""
        return not self._misled

    def wait(self, peer: Peer, told: Serial | None) -> None:
        """Keep a NOTIFY for later; a hundred of one primary are one, the newest serial counts."""
        before = self.waiting.get(peer)
        if peer not in self.waiting or told is None or (before is not None and told.is_newer_than(before)):
            self.waiting[peer] = told

    def take(self) -> tuple[Peer, Serial | None] | None:
        """Return the first one that waits."""
        if not self.waiting:
            return None
        peer = next(iter(self.waiting))
        return peer, self.waiting.pop(peer)

    def on_misled(self) -> None:
        """Note that a primary does not have what a NOTIFY in its name told."""
        self._misled = True

    def on_nothing_new(self, now: float) -> None:
        """Note that a NOTIFY led to a question, and the question to nothing."""
        if now - self._hold_until > _FORGIVEN:
            self._fruitless = 0
        self._hold_until = now + min(FIRST_HOLD * 2.0 ** min(self._fruitless, 16), LONGEST_HOLD)
        self._fruitless += 1

    def on_transferred(self) -> None:
        """Note that there was something new."""
        self._misled, self._fruitless, self._hold_until = False, 0, float("-inf")

    def held_until(self, now: float) -> float | None:
        """Return until when a question has to wait because others led to nothing just before; None when it need not."""
        return self._hold_until if now < self._hold_until else None
