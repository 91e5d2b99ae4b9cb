"""The serials that several primaries offer: which of them wins, and which are refused, by RFC 1982."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailname.zone.serial import Serial, highest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mailname.transfer.actions import Peer

_HALF = 1 << 31


@dataclass(frozen=True, slots=True)
class Failure:
    """Why the last attempt to refresh or transfer did not succeed. ``reason`` is a stable word, the rest is for people."""

    peer: str
    reason: str
    says: str
    remedy: str = ""
    offered: Serial | None = None


def best(offers: Mapping[Peer, Serial], held: Serial | None) -> Peer | None:
    """Return who offers the highest serial; of several, who is named first.

    Args:
        offers: what each primary offers, in the order of the configuration.
        held: only what is newer than this counts; None takes any.

    """
    wanted = {peer: offered for peer, offered in offers.items() if held is None or offered.is_newer_than(held)}
    top = highest(wanted.values())
    return next((peer for peer, offered in wanted.items() if offered == top), None)


def refusal(peer: Peer, offered: Serial, held: Serial) -> Failure:
    """Say why a serial that is neither newer than ours nor ours is not taken."""
    if abs(offered.value - held.value) == _HALF:
        says = f"{peer} offers serial {offered}, exactly 2^31 from the {held} held here: RFC 1982 leaves open which is newer"
        remedy = f"Raise the serial on the primary by one; to take its zone on purpose: mailname retransfer (held: {held})"
        return Failure(str(peer), "serial-undefined", says, remedy, offered)
    says = f"{peer} offers serial {offered}, which is not newer than the {held} held here (RFC 1982)"
    remedy = f"Raise the serial on the primary above {held}; to take the older zone on purpose: mailname retransfer"
    return Failure(str(peer), "serial-not-higher", says, remedy, offered)
