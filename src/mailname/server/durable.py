"""What was written is on the disk for good: one order to the file system for all that wait, instead of one for each file.

Ten thousand zones that change at once are ten thousand small files, and each fsync waits for the disk. Who comes while another
one waits, waits for the next turn; where many have gathered by then, one syncfs writes what all of them have written, and the
fsync of each, which still tells its own faults, finds nothing left to do.
"""

from __future__ import annotations

import ctypes
import os
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_MANY = 4  # who wait together, from which on one order for all is less work
_LARGE = 1 << 20  # octets of a file for whose writing nobody else is to wait


class _Turn:
    """Those who are waited for together."""

    def __init__(self, before: _Turn | None) -> None:
        self.before = before
        self.members = 1
        self.done = threading.Event()


class Durable:
    """Makes files durable, for all threads of a process.

    Args:
        sync: what makes one file durable.
        sync_all: what writes all that is not yet on the disk of a file's file system; it may do nothing.

    """

    def __init__(self, sync: Callable[[int], object], sync_all: Callable[[int], object]) -> None:
        self._sync = sync
        self._sync_all = sync_all
        self._changing = threading.Lock()
        self._running: _Turn | None = None
        self._gathering: _Turn | None = None  # begins when the running one is over

    def sync(self, handle: int) -> None:
        """Return when what was written to a file, or into a folder, is on the disk.

        Raises:
            OSError: it may not be.

        """
        if os.fstat(handle).st_size > _LARGE:
            self._sync(handle)
            return
        with self._changing:
            turn = self._gathering
            if leads := turn is None:
                turn = _Turn(self._running)
                if self._running is None:
                    self._running = turn
                else:
                    self._gathering = turn
            else:
                turn.members += 1
        if leads:
            self._lead(turn, handle)
        else:
            turn.done.wait()
            self._sync(handle)

    def _lead(self, turn: _Turn, handle: int) -> None:
        """Do what all of a turn wait for, once the turn before is over."""
        if turn.before is not None:
            turn.before.done.wait()
            turn.before = None
            with self._changing:
                self._running, self._gathering = turn, None
        try:
            if turn.members >= _MANY:
                self._sync_all(handle)
            self._sync(handle)
        finally:
            with self._changing:
                if self._gathering is None:
                    self._running = None
            turn.done.set()

    def waiting(self) -> int:
        """Return how many wait for the next turn."""
        with self._changing:
            return self._gathering.members if self._gathering else 0


def _syncfs() -> Callable[[int], object]:
    """Return the C library's syncfs; where there is none, what does nothing."""
    try:
        found: Callable[[int], object] = ctypes.CDLL(None).syncfs
    except (OSError, AttributeError):  # no Linux
        return _nothing
    return found


def _nothing(handle: int) -> None:
    """Leave all to the fsync of each file."""
    del handle


def _fsync(handle: int) -> None:
    os.fsync(handle)  # looked up at each call: tests put another one in its place


_durable = Durable(_fsync, _syncfs())
sync = _durable.sync
