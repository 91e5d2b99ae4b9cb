"""When which zone wants to be looked at: of ten thousand, one that has news costs no look at the others."""

from __future__ import annotations

import heapq
from typing import Protocol


class Timed(Protocol):
    """What has timers.

    Attributes:
        retired: it wants nothing any more.

    """

    retired: bool

    def on_timer(self, now: float) -> None:
        """Do what is due."""

    def next_wakeup(self) -> float | None:
        """Return when it wants to be looked at, None for never."""


class Timetable:
    """Times by the monotonic clock, the earliest first. A zone whose time changes is entered again; its former entry is void."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Timed]] = []
        self._due: dict[int, tuple[float, Timed]] = {}  # by identity; holding the zone keeps that from being another's
        self._news: dict[int, Timed] = {}
        self._count = 0

    def has_news(self, zone: Timed) -> bool:
        """Take note that a zone's next time may be another one now; it is asked when the table is next looked at.

        Returns:
            Whether that is the first news since it was looked at.

        """
        first = not self._news
        self._news[id(zone)] = zone
        return first

    def forget(self, zone: Timed) -> None:
        """Look at a zone no more."""
        self._news.pop(id(zone), None)
        self._due.pop(id(zone), None)

    def take_due(self, now: float) -> list[Timed]:
        """Return the zones whose time has come, each once; who looks after them says afterwards that they have news."""
        self._ask()
        due: list[Timed] = []
        while self._heap and self._heap[0][0] <= now:
            at, _, zone = heapq.heappop(self._heap)
            if self._due.get(id(zone), (None, None))[0] == at:
                del self._due[id(zone)]
                due.append(zone)
        return due

    def next(self) -> float | None:
        """Return when the next time comes, None when there is none."""
        self._ask()
        while self._heap and self._due.get(id(self._heap[0][2]), (None, None))[0] != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def _ask(self) -> None:
        news, self._news = self._news, {}
        for key, zone in news.items():
            at = zone.next_wakeup()
            if at is None:
                self._due.pop(key, None)
            elif self._due.get(key, (None, None))[0] != at:
                self._due[key] = (at, zone)
                self._count += 1
                heapq.heappush(self._heap, (at, self._count, zone))
