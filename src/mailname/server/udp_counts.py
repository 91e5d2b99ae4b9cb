"""What one UDP socket has seen, where answers are made by the interpreter: the figures that a compiled worker keeps, too."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

_RCODES = 16
_TYPES = 256


@dataclass(slots=True)
class UdpCounts:
    """Figures since the start.

    Attributes:
        received: questions and whatever else arrived.
        plain: answered from what was prepared.
        handed_on: answered by the reference, or not at all.
        dropped: not answered.
        limited: dropped or truncated because there were too many like them.
        answered: by type and rcode; ``of`` tells the place.

    """

    received: int = 0
    plain: int = 0
    handed_on: int = 0
    dropped: int = 0
    limited: int = 0
    answered: list[int] = field(default_factory=lambda: [0] * (_TYPES * _RCODES))

    def count(self, reply: bytes) -> None:
        """Count a reply that was not prepared."""
        ends = reply.find(b"\0", 12) + 5
        rdtype = 0
        if reply[4:6] == b"\0\1" and 17 <= ends <= len(reply):  # it has a question
            rdtype = place_of(reply, ends)
        self.answered[rdtype << 4 | reply[3] & 0xF] += 1

    def as_dict(self) -> dict[str, Any]:
        """Return the figures; types above 255 are counted as one."""
        by_type = [sum(self.answered[rdtype * _RCODES : (rdtype + 1) * _RCODES]) for rdtype in range(_TYPES)]
        by_rcode = [sum(self.answered[rcode::_RCODES]) for rcode in range(_RCODES)]
        return {
            "received": self.received,
            "plain": self.plain,
            "handed_on": self.handed_on,
            "dropped": self.dropped,
            "limited": self.limited,
            "rcodes": {rcode: count for rcode, count in enumerate(by_rcode) if count},
            "types": {rdtype: count for rdtype, count in enumerate(by_type) if count},
        }


def place_of(wire: bytes, question_ends: int) -> int:
    """Return a question's type, 255 for all above."""
    return 255 if wire[question_ends - 4] else wire[question_ends - 3]
