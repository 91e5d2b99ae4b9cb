"""How much of a transfer is taken, and for how long: a primary that is broken, or lies, must not take our memory nor our time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TransferLimits:
    """The bounds of one incoming transfer. Beyond one of them it is refused, and the version held is served on.

    Attributes:
        idle: seconds between two messages; so a message that drips in octet by octet ends there too.
        total: seconds for all.
        records: how many there may be.
        octets: of all messages together.

    """

    idle: float = 30.0
    total: float = 3600.0
    records: int = 10_000_000
    octets: int = 1 << 30
