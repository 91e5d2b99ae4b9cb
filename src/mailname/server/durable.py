"""What was written is on the disk for good: one order to the file system for all that wait, instead of one for each file.

Ten thousand zones that change at once are ten thousand small files, and each fsync waits for the disk. Who comes while another
one waits, waits for the next turn; where many have gathered by then, one syncfs writes what all of them have written. It tells of
faults since Linux 5.8; before, and where it tells of one, each file has an fsync of its own.
"""

from __future__ import annotations

import ctypes
import os
import re
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_MANY = 4  # who wait together, from which on one order for all is less work
_LARGE = 1 << 20  # octets of a file for whose writing nobody else is to wait


class _Turn:
    """Those who are waited for together."""

    def __init__(self, before: _Turn | None) -> None:
        self.before = before
        self.members = 1
        self.device = -1  # of which all is on the disk
        self.done = threading.Event()


class Durable:
    """Makes files durable, for all threads of a process.

    Args:
        sync: what makes one file durable.
        sync_all: what makes all of a file's file system durable, and tells whether that is so now.

    """

    def __init__(self, sync: Callable[[int], object], sync_all: Callable[[int], bool]) -> None:
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
        status = os.fstat(handle)
        if status.st_size > _LARGE:
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
            self._lead(turn, handle, status.st_dev)
            return
        turn.done.wait()
        if turn.device != status.st_dev:
            self._sync(handle)

    def _lead(self, turn: _Turn, handle: int, device: int) -> None:
        """Do what all of a turn wait for, once the turn before is over."""
        if turn.before is not None:
            turn.before.done.wait()
            turn.before = None
            with self._changing:
                self._running, self._gathering = turn, None
        try:
            if turn.members >= _MANY and self._sync_all(handle):
                turn.device = device
            else:
                self._sync(handle)
        finally:
            with self._changing:
                if self._gathering is None:
                    self._running = None
            turn.done.set()

    def sync_each(self, handles: Sequence[int]) -> list[OSError | None]:
        """Make several files of one file system durable, with one order where they are many; tell for each what is wrong."""
        if len(handles) >= _MANY and all(os.fstat(one).st_size <= _LARGE for one in handles) and self._sync_all(handles[0]):
            return [None] * len(handles)
        return [self._outcome(one) for one in handles]

    def _outcome(self, handle: int) -> OSError | None:
        try:
            self.sync(handle)
        except OSError as error:
            return error
        return None

    def waiting(self) -> int:
        """Return how many wait for the next turn."""
        with self._changing:
            return self._gathering.members if self._gathering else 0


def _tells_of_faults(release: str) -> bool:
    """Tell whether syncfs of this Linux returns what could not be written."""
    found = re.match(r"(\d+)\.(\d+)", release)
    return found is not None and (int(found[1]), int(found[2])) >= (5, 8)


def _sync_all() -> Callable[[int], bool]:
    """Return the C library's syncfs, where it can be relied on; else what does nothing."""
    system = os.uname()
    if system.sysname != "Linux" or not _tells_of_faults(system.release):
        return _nothing
    try:
        found: Callable[[int], int] = ctypes.CDLL(None).syncfs
    except (OSError, AttributeError):
        return _nothing
    return lambda handle: found(handle) == 0


def _nothing(handle: int) -> bool:
    """Leave all to the fsync of each file."""
    del handle
    return False


def _fsync(handle: int) -> None:
    os.fsync(handle)  # looked up at each call: tests put another one in its place


_durable = Durable(_fsync, _sync_all())
sync = _durable.sync
sync_each = _durable.sync_each
