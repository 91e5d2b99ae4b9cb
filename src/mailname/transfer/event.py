"""What happened between this server and another over one zone: a transfer, a NOTIFY, a failure, a refusal, an expiry."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

Direction = Literal["in", "out"]
What = Literal["transfer", "up-to-date", "failed", "refused", "notify", "expired", "restored"]

#: The results that are no failure; every other result is the stable word of one.
WELL = frozenset({"ok", "acknowledged"})
_LONGEST = 400  # characters of a sentence that a peer had a part in


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, or the same thing several times in a row. Times are seconds since 1970; sizes are octets.

    Attributes:
        zone: the zone's name, in lower case, with the final dot.
        peer: the other server: its address, with a port where we asked it; empty for an expiry.
        direction: ``in``: what came to us, or should have; ``out``: what was asked of us, or sent by us.
        what: what it was.
        kind: how a transfer was made: ``AXFR`` or ``IXFR``; empty otherwise.
        start: when it began; of several, the first.
        end: when it ended; of several, the last.
        serial_from: what was held before.
        serial_to: what was transferred, told or offered.
        result: ``ok``, ``acknowledged``, or the stable word of a failure.
        says: one sentence, where it was not well.
        remedy: what to do, where it was not well.
        key: the name of the key that signed it.
        known: the peer stands in the configuration; strangers share one place.
        count: how often, in a row.

    """

    zone: str
    peer: str
    direction: Direction
    what: What
    start: float
    end: float
    result: str = "ok"
    kind: str = ""
    serial_from: int | None = None
    serial_to: int | None = None
    messages: int = 0
    records: int = 0
    octets: int = 0
    seconds: float = 0.0
    says: str = ""
    remedy: str = ""
    key: str = ""
    known: bool = True
    count: int = 1

    @property
    def bucket(self) -> str:
        """Return with whom this event shares a bounded place: with its peer's, or, of a stranger, with all strangers'."""
        return self.peer if self.known else "*"

    def bounded(self) -> Event:
        """Return it with sentences of a bounded length: a peer's words may stand in them."""
        return replace(self, says=self.says[:_LONGEST], remedy=self.remedy[:_LONGEST], zone=self.zone.lower())

    def repeats(self, before: Event) -> bool:
        """Tell whether this is the same as the last event of its lane, again. Transfers always stand for themselves."""
        return self.what != "transfer" and self._sameness() == before._sameness()

    def after(self, before: Event) -> Event:
        """Return both as one."""
        return replace(self, start=min(before.start, self.start), count=before.count + self.count)

    @property
    def lane(self) -> tuple[str, str, str, bool]:
        """Return with which earlier event this one may be joined: NOTIFYs come between failures and do not interrupt them."""
        return self.zone, self.peer, self.direction, self.what == "notify"

    def _sameness(self) -> tuple[object, ...]:
        return self.lane, self.what, self.result, self.kind, self.serial_from, self.serial_to, self.known

    def to_json(self, iso: Callable[[float], str]) -> dict[str, Any]:
        """Return it as ``mailname history --json`` tells it; ``iso`` writes a time."""
        return {
            "zone": self.zone,
            "peer": self.peer,
            "direction": self.direction,
            "what": self.what,
            "kind": self.kind or None,
            "start": iso(self.start),
            "end": iso(self.end),
            "count": self.count,
            "serial_from": self.serial_from,
            "serial_to": self.serial_to,
            "messages": self.messages,
            "records": self.records,
            "octets": self.octets,
            "seconds": round(self.seconds, 6),
            "result": self.result,
            "says": self.says,
            "remedy": self.remedy,
            "key": self.key or None,
            "known": self.known,
        }
