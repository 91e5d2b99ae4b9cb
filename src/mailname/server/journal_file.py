"""A journal on the disk: entries are put behind one another, and are there for good before anybody hears of them."""

from __future__ import annotations

import contextlib
import mmap
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailname.server.atomic import sync_folder, write_atomic
from mailname.server.durable import sync_each
from mailname.server.refused_by_disk import refused
from mailname.transfer import journal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mailname.errors import HostError
    from mailname.transfer.journal import Step
    from mailname.zone import Serial


_SHORT = 4096  # octets of an entry that is kept at hand


@dataclass(slots=True)
class Written:
    """An entry that is written, and not on the disk for good yet.

    Attributes:
        entry: its octets.
        handle: the file.
        folder: the folder as well, where the file is new.

    """

    entry: bytes
    handle: int
    folder: int | None = None

    @property
    def handles(self) -> tuple[int, ...]:
        """What has to be synced."""
        return (self.handle,) if self.folder is None else (self.handle, self.folder)

    def close(self) -> None:
        """Let go of the files."""
        for handle in self.handles:
            os.close(handle)


def sync_written(those: Sequence[Written]) -> list[OSError | None]:
    """Make entries durable, all with one order where they are many; tell for each what is wrong."""
    found = iter(sync_each([handle for one in those for handle in one.handles]))
    return [next(filter(None, [next(found) for _ in one.handles]), None) for one in those]


class JournalFile:
    """The journal of one zone. Who calls its methods sees to it that they are not called at the same time.

    Attributes:
        path: the file, which need not be there.
        steps: the entries that are good.
        size: octets that the file has, without what was cut short.
        newest: the last serial that any entry tells, even one whose records are spoiled.
        spoiled: it was not as it was written when it was opened.
        sure: as ``newest`` when it was opened, but without a last entry that is spoiled.
        last: the octets of the last entry, where it was put there since and is short.
        unreadable: what the system says to who wants to read it, if it refuses.

    """

    def __init__(self, path: Path, apex: bytes) -> None:
        self.path = path
        self._apex = apex
        self.steps: list[Step] = []
        self.size = 0
        self.newest: Serial | None = None
        self.spoiled = False
        self.sure: Serial | None = None
        self.last = b""
        self.unreadable: OSError | None = None

    def open(self) -> None:
        """Look through what is there. One that is there and cannot be read is left alone, and takes nothing, until it can be."""
        self.unreadable = self._why_unreadable()
        found = journal.look_through(self.octets(), self._apex)
        self.steps, self.size, self.newest, self.spoiled = list(found.steps), found.end, found.newest, found.spoiled
        self.sure = found.sure
        self.last = b""

    def _why_unreadable(self) -> OSError | None:
        try:
            with self.path.open("rb") as file:
                file.read(1)
        except FileNotFoundError:
            return None
        except OSError as error:
            return error.with_traceback(None)
        return None

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
        for written, error in zip(begun := [self.begin(entry)], sync_written(begun), strict=True):
            self.end(written, error)

    def begin(self, entry: bytes) -> Written:
        """Write an entry behind the others. It is not on the disk for good, nor is it one of the journal's, before ``end``.

        Raises:
            HostError: it cannot be written; the journal is as before.

        """
        try:
            if self.size:
                return self._written(os.open(self.path, os.O_WRONLY | os.O_CLOEXEC), entry)
            self.path.unlink(missing_ok=True)  # it holds nothing that anybody has heard of
            made = self._written(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644), entry)
            made.folder = os.open(self.path.parent, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise self._refused(error) from error
        return made

    def _written(self, handle: int, entry: bytes) -> Written:
        try:
            os.ftruncate(handle, self.size)  # what was cut short, or could not be made safe
            octets = entry if self.size else journal.head(self._apex) + entry
            left = memoryview(octets)
            try:
                while left:
                    left = left[os.pwrite(handle, left, self.size + len(octets) - len(left)) :]
            except OSError:
                with contextlib.suppress(OSError):
                    os.ftruncate(handle, self.size)
                raise
        except OSError:
            os.close(handle)
            raise
        return Written(entry, handle)

    def end(self, written: Written, error: OSError | None) -> None:
        """Let an entry be one of the journal's once it is on the disk for good.

        Raises:
            HostError: it is not; the journal is as before, or has an entry that nobody will be told of.

        """
        try:
            if error is not None:
                with contextlib.suppress(OSError):
                    os.ftruncate(written.handle, self.size)
                raise self._refused(error) from error
        finally:
            written.close()
        found = journal.step_in(written.entry, self.size or journal.HEAD_SIZE)
        self.steps.append(found)
        self.size, self.newest = found.end, found.after
        self.last = written.entry if len(written.entry) <= _SHORT else b""

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
        if self.size or self.spoiled or os.access(self.path, os.F_OK):
            try:
                self.path.unlink(missing_ok=True)
                sync_folder(self.path.parent)
            except OSError as error:
                raise self._refused(error) from error
        self.steps, self.size, self.newest, self.spoiled, self.last = [], 0, None, False, b""

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

    def refused_to_read(self) -> HostError | None:
        """Say why it cannot be read, and so takes nothing; None where it can."""
        if (error := self.unreadable) is None:
            return None
        return refused("read", self.path, error, left="then start the server again: until then no new version is kept")

    def _refused(self, error: OSError) -> HostError:
        return refused("write", self.path, error, left="what was served before is served on")
