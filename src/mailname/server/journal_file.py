"""A journal on the disk: entries are put behind one another, and are there for good before anybody hears of them."""

from __future__ import annotations

import contextlib
import mmap
import os
from typing import TYPE_CHECKING

from mailname.errors import HostError
from mailname.server.atomic import sync_folder, write_atomic
from mailname.server.durable import sync
from mailname.transfer import journal

if TYPE_CHECKING:
    from pathlib import Path

    from mailname.transfer.journal import Step
    from mailname.zone import Serial


class JournalFile:
    """The journal of one zone. Who calls its methods sees to it that they are not called at the same time.

    Attributes:
        path: the file, which need not be there.
        steps: the entries that are good.
        size: octets that the file has, without what was cut short.
        newest: the last serial that any entry tells, even one whose records are spoiled.
        spoiled: it was not as it was written when it was opened.
        sure: as ``newest`` when it was opened, but without a last entry that is spoiled.

    """

    def __init__(self, path: Path, apex: bytes) -> None:
        self.path = path
        self._apex = apex
        self.steps: list[Step] = []
        self.size = 0
        self.newest: Serial | None = None
        self.spoiled = False
        self.sure: Serial | None = None

    def open(self) -> None:
        """Look through what is there."""
        found = journal.look_through(self.octets(), self._apex)
        self.steps, self.size, self.newest, self.spoiled = list(found.steps), found.end, found.newest, found.spoiled
        self.sure = found.sure

    def octets(self) -> memoryview:
        """Return all octets, mapped; they stay as they are, whatever becomes of the file. None of a file that is not there."""
        with contextlib.suppress(OSError, ValueError), self.path.open("rb") as file:
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        return memoryview(b"")

    def append(self, entry: bytes) -> None:
        """Put an entry behind the others; returns when it is on the disk.

        Raises:
            HostError: it cannot be written; the journal is as before, or has an entry that nobody will be told of.

        """
        if not self.size:
            self._replace(journal.head(self._apex) + entry)
        else:
            try:
                self._write_at_end(entry)
            except OSError as error:
                raise self._refused(error) from error
        self._take(entry)

    def _write_at_end(self, entry: bytes) -> None:
        handle = os.open(self.path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.ftruncate(handle, self.size)  # what was cut short, or could not be made safe
            try:
                left = memoryview(entry)
                while left:
                    left = left[os.pwrite(handle, left, self.size + len(entry) - len(left)) :]
                sync(handle)
            except OSError:
                with contextlib.suppress(OSError):
                    os.ftruncate(handle, self.size)
                raise
        finally:
            os.close(handle)

    def _take(self, entry: bytes) -> None:
        before = self.size or journal.HEAD_SIZE
        found = journal.step_in(entry, before)
        self.steps.append(found)
        self.size, self.newest = found.end, found.after

    def _replace(self, octets: bytes) -> None:
        write_atomic(self.path, octets)

    def begin_with(self, entry: bytes) -> None:
        """Let the journal have this entry alone; returns when that is on the disk. Raises HostError; it is as before."""
        self._replace(journal.head(self._apex) + entry)
        self.open()

    def drop(self) -> None:
        """Remove it; returns when it is gone for good.

        Raises:
            HostError: it cannot be removed.

        """
        if self.size or self.spoiled or self.path.exists():
            try:
                self.path.unlink(missing_ok=True)
                sync_folder(self.path.parent)
            except OSError as error:
                raise self._refused(error) from error
        self.steps, self.size, self.newest, self.spoiled = [], 0, None, False

    def keep_newest(self, most: int) -> None:
        """Keep the last entries that have at most so many octets together, and no others.

        Raises:
            HostError: it cannot be written; it is as before.

        """
        kept = list(journal.newest_that_fit(tuple(self.steps), most))
        if not kept:
            self.drop()
            return
        octets = self.octets()
        self._replace(journal.head(self._apex) + bytes(octets[kept[0].start : kept[-1].end]))
        self.open()

    def _refused(self, error: OSError) -> HostError:
        return HostError(
            f"cannot write {self.path}: {error.strerror}",
            remedy="Look at the disk's space and at who owns the folder; what was served before is served on.",
            step="write",
        )
