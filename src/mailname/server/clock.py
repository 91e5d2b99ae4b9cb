"""The server's clock: one that never jumps for waiting, and the wall's for what is stored."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


class Clock(Protocol):
    """Where the server takes the time from."""

    def monotonic(self) -> float:
        """Return seconds that never go back; their zero means nothing."""

    def wall(self) -> float:
        """Return seconds since 1970, as this machine believes."""

    def when_moved(self, wake: Callable[[], None]) -> None:
        """Call ``wake`` whenever the clock is moved on by hand, so that timers are looked at again."""


class SystemClock:
    """This machine's clock."""

    def monotonic(self) -> float:
        """Return the monotonic clock."""
        return time.monotonic()

    def wall(self) -> float:
        """Return the wall clock."""
        return time.time()

    def when_moved(self, wake: Callable[[], None]) -> None:
        """Do nothing: this clock is never moved by hand."""


class ShiftedClock:
    """A clock that a rehearsal can move on: an hour passes in no time."""

    def __init__(self, offset: float = 0.0) -> None:
        self._offset = offset
        self._wakers: list[Callable[[], None]] = []

    def monotonic(self) -> float:
        """Return the monotonic clock, shifted."""
        return time.monotonic() + self._offset

    def wall(self) -> float:
        """Return the wall clock, shifted."""
        return time.time() + self._offset

    def when_moved(self, wake: Callable[[], None]) -> None:
        """Register who must look at his timers again."""
        self._wakers.append(wake)

    def move(self, seconds: float) -> None:
        """Let time pass."""
        self._offset += seconds
        for wake in self._wakers:
            wake()


def iso(wall: float) -> str:
    """Write seconds since 1970 as ISO 8601 in UTC."""
    return datetime.fromtimestamp(wall, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
