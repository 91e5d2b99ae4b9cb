"""The server's clock: one that never jumps for waiting, and the wall's for what is stored."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from mailname.transfer.moment import Moment

if TYPE_CHECKING:
    from collections.abc import Callable

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def _since_boot() -> float:
    """Return the seconds since this machine was booted: a machine that sleeps gets older, and so do its zones."""
    clock: int | None = getattr(time, "CLOCK_BOOTTIME", None)  # Linux; elsewhere time asleep is not counted
    return time.monotonic() if clock is None else time.clock_gettime(clock)


def _boot_id() -> str:
    """Read the kernel's name for this boot: once, since a process does not outlive it."""
    return _read_once(_BOOT_ID)


@cache
def _read_once(path: Path) -> str:
    try:
        return path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def moment(clock: Clock) -> Moment:
    """Look at both clocks."""
    return Moment(clock.monotonic(), clock.wall(), clock.boot())


class Clock(Protocol):
    """Where the server takes the time from."""

    def monotonic(self) -> float:
        """Return seconds that never go back; their zero means nothing."""

    def wall(self) -> float:
        """Return seconds since 1970, as this machine believes."""

    def boot(self) -> str:
        """Tell one boot of this machine from another: ``monotonic`` goes on from process to process until the next."""

    def when_moved(self, wake: Callable[[], None]) -> None:
        """Call ``wake`` whenever the clock is moved on by hand, so that timers are looked at again."""


class SystemClock:
    """This machine's clock."""

    def monotonic(self) -> float:
        """Return the seconds since the boot."""
        return _since_boot()

    def boot(self) -> str:
        """Return the kernel's name for this boot; empty where it has none."""
        return _boot_id()

    def wall(self) -> float:
        """Return the wall clock."""
        return time.time()

    def when_moved(self, wake: Callable[[], None]) -> None:
        """Do nothing: this clock is never moved by hand."""


class ShiftedClock:
    """A clock that a rehearsal can move on: an hour passes in no time."""

    def __init__(self, offset: float = 0.0) -> None:
        self._offset = offset
        self._set = 0.0
        self._wakers: list[Callable[[], None]] = []

    def monotonic(self) -> float:
        """Return the seconds since the boot, shifted."""
        return _since_boot() + self._offset

    def wall(self) -> float:
        """Return the wall clock, shifted."""
        return time.time() + self._offset + self._set

    def boot(self) -> str:
        """Return the kernel's name for this boot."""
        return _boot_id()

    def when_moved(self, wake: Callable[[], None]) -> None:
        """Register who must look at his timers again."""
        self._wakers.append(wake)

    def move(self, seconds: float) -> None:
        """Let time pass."""
        self._offset += seconds
        self._wake()

    def set_wall(self, seconds: float) -> None:
        """Set the wall clock alone, by so many seconds: somebody typed a wrong date."""
        self._set += seconds
        self._wake()

    def _wake(self) -> None:
        for wake in self._wakers:
            wake()


def iso(wall: float) -> str:
    """Write seconds since 1970 as ISO 8601 in UTC."""
    return datetime.fromtimestamp(wall, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
