"""What was measured of pairs, and how ours compares with the others'."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import Any

from bench.servers import OURS


@dataclass(slots=True)
class PairFigures:
    """What was measured of one pair, a value for each round; the kinds of values differ from row to row."""

    name: str
    values: dict[str, list[float]] = field(default_factory=dict)

    def add(self, what: str, value: float) -> None:
        """Take one value."""
        self.values.setdefault(what, []).append(round(value, 4))

    def as_dict(self) -> dict[str, Any]:
        """Return them for the JSON."""
        return {"name": self.name, **self.values}


WRITTEN = "of which the file, ms"
MILLISECONDS, ORDER, SECONDS, CPU, PEAK = "ms", "of which the order, ms", "seconds", "CPU seconds", "peak MB"


def ratios(found: dict[str, PairFigures], what: str, aims: dict[str, float] | None) -> list[dict[str, Any]]:
    """Compare ours with each other's, round by round."""
    told = []
    for name, other in found.items():
        if name == OURS or OURS not in found:
            continue
        values = [
            round(mine / max(theirs, 1e-9), 3) for mine, theirs in zip(found[OURS].values[what], other.values[what], strict=True)
        ]
        median = statistics.median(values)
        at_most = (aims or {}).get(name)
        reached = None if at_most is None else median <= at_most
        told.append(
            {"of": OURS, "to": name, "what": what, "values": values, "median": median, "at_most": at_most, "reached": reached}
        )
    return told
