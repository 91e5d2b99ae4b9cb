"""Journals of a folder's zones: how the last versions led to one another, for the zones that somebody transfers.

A journal is a help: who asks for a difference that is not known gets the whole zone (RFC 1995 section 4). So a disk that takes
none is no reason to stop, and their number and size are bounded.
"""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

import dns.exception
import dns.name

from mailname.errors import HostError, ZoneError
from mailname.server.atomic import remove_unfinished
from mailname.server.context import log
from mailname.server.journal_file import JournalFile, sync_written
from mailname.server.ways import journal_limit, way_in
from mailname.server.zonefiles import file_stem
from mailname.transfer import journal
from mailname.wire.octets import octets
from mailname.zone.image_changes import difference

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from mailname.server.journal_file import Written
    from mailname.server.ways import Way
    from mailname.zone import Serial
    from mailname.zone.image_zone import ImageZone

_SUFFIX = ".journal"
_MOST = 1000  # journals
_MOST_OCTETS = 64 << 20  # of all together


@dataclass(frozen=True, slots=True)
class Step:
    """A zone that goes from one version to another. ``before`` is None where nobody knows what was served."""

    apex: bytes
    before: ImageZone | None
    after: ImageZone


class FolderJournals:
    """The journals of one folder. But for ``way`` and ``wanted`` its methods read and write files: they are for threads."""

    def __init__(self, folder: Path | None) -> None:
        """Begin with none. ``folder``: where they are; None where none is kept."""
        self._folder = folder
        self._journals: OrderedDict[bytes, JournalFile] = OrderedDict()  # the one that was used for longest ago first
        self._overdue: list[JournalFile] = []  # one too many, to be removed
        self._changing = threading.Lock()  # of which there are; nobody waits for the disk meanwhile

    def open(self, *, is_ours: bool) -> None:
        """Look at what is there."""
        if not is_ours:
            self._folder = None
        if self._folder is None or not self._folder.is_dir():
            return
        remove_unfinished(self._folder)
        found = []
        for path in self._folder.glob(f"*{_SUFFIX}"):
            with contextlib.suppress(OSError, dns.exception.DNSException, UnicodeError):
                name = dns.name.root if path.stem == "root" else dns.name.from_text(unquote(path.stem))
                found.append((path.stat().st_mtime_ns, octets(name).lower()))
        for _, apex in sorted(found):
            known = self._journal(apex)
            known.open()
            if known.spoiled or not known.steps:
                self._drop(apex)
        self._bound()

    def _journal(self, apex: bytes) -> JournalFile:
        assert self._folder is not None
        with self._changing:
            known = self._journals.get(apex)
            if known is None:
                stem = file_stem(dns.name.from_wire(apex, 0)[0])
                known = self._journals[apex] = JournalFile(self._folder / f"{stem}{_SUFFIX}", apex)
            self._journals.move_to_end(apex)
            if len(self._journals) > _MOST:
                self._overdue.append(self._journals.popitem(last=False)[1])
        return known

    def wanted(self, apex: bytes) -> None:
        """Keep a journal of a zone from now on: somebody transfers it."""
        if self._folder is not None:
            self._journal(apex)

    def has(self, apex: bytes) -> bool:
        """Tell whether a journal of a zone is kept."""
        return apex in self._journals

    def way(self, apex: bytes, held: Serial, newest: Serial) -> Way | None:
        """Return how one version leads to another, None where that is not known."""
        known = self._journals.get(apex)
        return None if known is None else way_in(known, held, newest)

    def take(self, steps: Iterable[Step], gone: Iterable[bytes]) -> None:
        """Write what changes where there is a journal of it, and let go of those that lead nowhere any more."""
        if self._folder is None or not self._journals:
            return
        for apex in gone:
            self._drop(apex)
        begun: list[tuple[Step, JournalFile, Written]] = []
        for step in steps:
            known = self._journals.get(step.apex)
            if known is not None:
                try:
                    written = self._begin(known, step)
                except (HostError, OSError, ZoneError) as error:
                    log.warning("a zone's journal is not kept: %s", error)
                    written = None
                if written is None:
                    self._empty(known)
                else:
                    begun.append((step, known, written))
        failures = sync_written([written for _, _, written in begun])
        for (step, known, written), failed in zip(begun, failures, strict=True):
            try:
                known.end(written, failed)
                if known.size > journal_limit(step.after):
                    known.keep_newest(journal_limit(step.after) // 2)
            except HostError as error:
                log.warning("a zone's journal is not kept: %s", error)
                self._empty(known)
        self._bound()

    def _begin(self, known: JournalFile, step: Step) -> Written | None:
        """Write what changed behind the others; None where it is better to begin anew with the next version."""
        before, after = step.before, step.after
        if before is None or not after.serial.is_newer_than(before.serial):
            return None
        if known.steps and known.steps[-1].after != before.serial:
            self._empty(known)
        changes = difference(before.image, after.image, most=journal_limit(after))
        if changes is None:
            return None
        assert self._folder is not None
        self._folder.mkdir(exist_ok=True)
        return known.begin(journal.entry(changes, before.serial, after.serial, records=after.record_count))

    def _empty(self, known: JournalFile) -> None:
        try:
            known.drop()
        except HostError as error:
            log.warning("a zone's journal is not removed: %s", error)
            known.steps, known.last = [], b""

    def _drop(self, apex: bytes) -> None:
        with self._changing:
            known = self._journals.pop(apex, None)
        if known is not None:
            self._empty(known)

    def _bound(self) -> None:
        with self._changing:
            total = sum(known.size for known in self._journals.values())
            while total > _MOST_OCTETS:
                known = self._journals.popitem(last=False)[1]
                total -= known.size
                self._overdue.append(known)
            overdue, self._overdue = self._overdue, []
        for known in overdue:
            self._empty(known)
