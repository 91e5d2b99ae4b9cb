"""The history of what servers of other programs are asked, which keep none themselves: kept by whoever asks them.

What a counter has grown by between two looks is spread evenly over the minutes between them. Where more than a day lies between
them, or the server has begun to count anew, nothing is told of the time before. The last counts lie in the same file.
"""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mailname.server.clock import iso
from mailname.server.traffic_file import SPANS, Counts, TrafficFile, added
from mailname.server.traffic_history import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_LONGEST = 1440  # minutes between two looks
_SINCE = "kept_since"


@dataclass(frozen=True, slots=True)
class TrafficElsewhere:
    """One server's, in a file of its own."""

    path: Path

    def told(self, report: Mapping[str, Any], at: float, span: str, spans: int) -> dict[str, Any]:
        """Note a report of a time in seconds since 1970, and return it with the history, as our own server tells it."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with contextlib.closing(TrafficFile(self.path)) as file:
                since = self._note(file, counted(report), at)
                rows = file.last(span, spans)
        except (sqlite3.Error, OSError) as error:
            return {**report, "history": {"span": span, "problem": f"{self.path}: {error}", "rows": []}}
        seconds = SPANS[span][0]
        kept = [{"start": iso(start), "seconds": seconds, **one} for start, one in rows if start >= at - seconds * spans]
        return {**report, "history": {"span": span, "problem": None, "since": iso(since), "rows": kept}}

    def _note(self, file: TrafficFile, now: Counts, at: float) -> int:
        """Add what came since the last look; return since when nothing is missing."""
        before = file.before()
        if before is not None:
            last, counts = before
            since = counts.pop(_SINCE)
            grown = added(now, counts, -1)
            minutes = int(at) // 60 - last // 60
            if isinstance(since, int) and 0 <= minutes <= _LONGEST and not _has_fallen(grown):
                for number, part in enumerate(spread(grown, max(minutes, 1))):
                    if part.get("questions"):
                        file.add(at - 60 * (max(minutes, 1) - 1 - number), part)
                file.remember(int(at), {**now, _SINCE: since})
                return since
        file.remember(int(at), {**now, _SINCE: int(at)})
        return int(at)


def _has_fallen(grown: Mapping[str, int | Mapping[str, int]]) -> bool:
    return any(one < 0 if isinstance(one, int) else any(count < 0 for count in one.values()) for one in grown.values())


def spread(counts: Mapping[str, int | Mapping[str, int]], parts: int) -> Iterator[Counts]:
    """Cut counts into parts that are as alike as can be and add up to them.

    >>> list(spread({"questions": 3, "types": {"MX": 1}}, 2))
    [{'questions': 1, 'types': {'MX': 0}}, {'questions': 2, 'types': {'MX': 1}}]
    """

    def part(count: int, number: int) -> int:
        return count * (number + 1) // parts - count * number // parts

    for number in range(parts):
        yield {
            name: part(one, number) if isinstance(one, int) else {key: part(count, number) for key, count in one.items()}
            for name, one in counts.items()
        }
