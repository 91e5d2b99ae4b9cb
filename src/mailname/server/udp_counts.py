"""What one UDP socket has seen, where answers are made by the interpreter: the figures that a compiled worker keeps, too."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_RCODES = 16
_KINDS = 4 * _RCODES  # times EDNS, DO
_TYPES = 512


@dataclass(slots=True)
class UdpCounts:
    """Figures since the start.

    Attributes:
        received: questions and whatever else arrived.
        plain: answered from what was prepared.
        handed_on: answered by the reference, or not at all.
        dropped: not answered.
        limited: dropped or truncated because there were too many like them.
        answered: from what was prepared, by type and ``Prepared.kind``; ``place_of`` tells the type's place.
        by_reference: answered by the reference, by type and rcode.

    """

    received: int = 0
    plain: int = 0
    handed_on: int = 0
    dropped: int = 0
    limited: int = 0
    answered: list[int] = field(default_factory=lambda: [0] * (_TYPES * _KINDS))
    by_reference: list[int] = field(default_factory=lambda: [0] * (_TYPES * _RCODES))

    def count(self, reply: bytes) -> None:
        """Count a reply that was not prepared."""
        ends = reply.find(b"\0", 12) + 5
        rdtype = 0
        if reply[4:6] == b"\0\1" and 17 <= ends <= len(reply):  # it has a question
            rdtype = place_of(reply, ends)
        self.by_reference[rdtype << 4 | reply[3] & 0xF] += 1

    def as_dict(self) -> dict[str, Any]:
        """Return the figures; types above 254 are counted as one."""
        prepared = self.prepared()
        by_rcode = [sum(self.by_reference[rcode::_RCODES]) + prepared["rcodes"].get(rcode, 0) for rcode in range(_RCODES)]
        by_type = [
            sum(self.by_reference[rdtype * _RCODES : (rdtype + 1) * _RCODES]) + prepared["types"].get(rdtype, 0)
            for rdtype in range(_TYPES)
        ]
        by_type[255:] = [sum(by_type[255:])]
        return {
            "received": self.received,
            "plain": self.plain,
            "handed_on": self.handed_on,
            "dropped": self.dropped,
            "limited": self.limited,
            "rcodes": {rcode: count for rcode, count in enumerate(by_rcode) if count},
            "types": {rdtype: count for rdtype, count in enumerate(by_type) if count},
        }

    def prepared(self) -> dict[str, Any]:
        """Return what is told apart of the answers from what was prepared."""
        by_type = [sum(self.answered[rdtype * _KINDS : (rdtype + 1) * _KINDS]) for rdtype in range(_TYPES)]
        by_kind = [sum(self.answered[kind::_KINDS]) for kind in range(_KINDS)]
        by_rcode = [sum(by_kind[rcode::_RCODES]) for rcode in range(_RCODES)]
        return {
            "types": {rdtype: count for rdtype, count in enumerate(by_type) if count},
            "rcodes": {rcode: count for rcode, count in enumerate(by_rcode) if count},
            "edns": sum(count for kind, count in enumerate(by_kind) if kind & 16),
            "do": sum(count for kind, count in enumerate(by_kind) if kind & 32),
        }


def place_of(wire: bytes, question_ends: int) -> int:
    """Return a question's type, 511 for all above."""
    return min(wire[question_ends - 4] << 8 | wire[question_ends - 3], _TYPES - 1)


def added_up(counters: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Add up what was seen at several addresses."""
    total: dict[str, Any] = {}
    for one in counters:
        for name, value in one.items():
            if isinstance(value, dict):
                inner = total.setdefault(name, {})
                for key, count in value.items():
                    inner[key] = inner.get(key, 0) + count
            else:
                total[name] = total.get(name, 0) + value
    return total
