"""The versions of one zone on the disk: its text, and a journal of what changed since, so that a small change is a small write.

A version is kept before anybody hears of its serial. Mostly that is one entry of the journal; the text follows when there is
time. Killed at any instant, what is found again is the last version that was kept, or the one that was being kept, whole.
"""

from __future__ import annotations

import contextlib
import errno
import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailname.errors import HostError, MailnameError, ZoneError
from mailname.server.atomic import NewVersion, write_together
from mailname.server.context import Context, bare, in_thread, log
from mailname.server.journal_file import JournalFile, Written, sync_written
from mailname.server.store import Record
from mailname.server.ways import Way, journal_limit, way_in
from mailname.transfer import journal
from mailname.wire.octets import octets
from mailname.zone import Serial
from mailname.zone.image_changes import difference
from mailname.zone.image_merge import merged
from mailname.zone.image_zone import ImageZone

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from dns.name import Name

    from mailname.server.store import Store
    from mailname.transfer.journal import Step
    from mailname.zone import Zone
    from mailname.zone.image_merge import Changes

_SMALL = 1 << 18  # octets of an image


class Versions:
    """The versions of one zone. Its methods, but for ``text_soon``, read and write files: they are for threads.

    Attributes:
        newest: the last serial that anybody may have heard of, as far as it is remembered here.
        from_file: the serial of the last version that was that of the zone's file.
        kept: the last version that is on the disk, once it was kept or loaded.
        scheduled: its text is going to be written: see ``late_texts``.

    """

    def __init__(self, store: Store, apex: Name, *, file: Path | None = None) -> None:
        """Begin with what is kept of a zone.

        Args:
            store: the state folder.
            apex: the zone.
            file: of a primary zone.

        """
        self._store = store
        self.apex = apex
        self._is_primary = file is not None
        kind = f"The last version of {bare(apex)} that was served; a copy of {file}."
        self._note = kind if self._is_primary else f"A copy of {bare(apex)}, transferred from its primary; do not edit."
        self._wire = octets(apex)
        self._journal = JournalFile(store.journal_path(apex), self._wire)
        self._journaling = threading.Lock()
        self._writing = threading.Lock()  # of the text; taken before the other
        self._text: Serial | None = None
        self.kept: Zone | None = None
        self.scheduled = False
        self.newest: Serial | None = None
        self.from_file: Serial | None = None

    def open(self, announced: Serial | None = None, from_file: Serial | None = None) -> None:
        """Look at what is there; the arguments are what is remembered besides."""
        with self._journaling:
            self._journal.open()
            if (error := self.unreadable) is not None:
                log.error("zone %s: %s", bare(self.apex), error)
            self.newest, self.from_file = announced, from_file
            self._text = announced  # for all that is known, unless there are steps; ``load`` knows more
            if self._journal.spoiled:
                log.error("zone %s: the journal is spoiled; what cannot be read of it is not used", bare(self.apex))
            # A primary that is wrong about it only goes on above. A secondary has its record of what it served.
            told = self._journal.newest if self._is_primary else self._journal.sure
            if told is not None and (announced is None or told.is_newer_than(announced) or self._leads_on(announced, told)):
                self.newest = told
            for step in self._journal.steps:
                if step.from_file:
                    self.from_file = step.after

    @property
    def unreadable(self) -> HostError | None:
        """Why the journal, which is there, could not be read: it is left alone, and no version is kept before the next start."""
        return self._journal.refused_to_read()

    def _leads_on(self, announced: Serial, told: Serial) -> bool:
        """Tell whether steps lead from a serial to another, be it by more than half of the circle: then the other came later."""
        return bool(journal.chain(self._journal.steps, announced, told))

    def load(self) -> ImageZone | None:
        """Return the last version kept; None when there is none that can be read."""
        text = self._store.load_zone(self.apex)
        if text is None or self.unreadable is not None:  # later versions may be in the journal
            return None
        with self._journaling:
            self._text = text.serial
            steps = self._after(text.serial)
            zone = self._replayed(text, steps)
        if zone is None:
            log.error("zone %s: the journal does not go with the copy kept; it is not used", bare(self.apex))
            return text
        self.kept = zone
        return zone

    def _after(self, serial: Serial) -> tuple[Step, ...]:
        """Return the steps from a version to the last one that they lead to."""
        for step in reversed(self._journal.steps):
            if found := journal.chain(self._journal.steps, serial, step.after):
                return found
        return ()

    def _replayed(self, zone: ImageZone, steps: tuple[Step, ...]) -> ImageZone | None:
        if not steps:
            return zone
        try:
            changes = journal.changes_of(self._journal.octets(), steps, self._wire)
            replayed = ImageZone(merged(zone.image, changes, strict=True))
        except (ValueError, ZoneError):
            return None
        return replayed if (replayed.serial, replayed.record_count) == (steps[-1].after, steps[-1].records) else None

    def keep(self, before: Zone | None, after: Zone, *, among: Changes | None = None, from_file: bool = False) -> None:
        """Keep a version; returns when it is on the disk.

        Args:
            before: the version kept before, None where there is none.
            after: the version to be kept.
            among: changes to the owners that differ, where that is known.
            from_file: it is that of the zone's file.

        Raises:
            HostError: it cannot be kept; what was kept before is.

        """
        for error in keep_together([Keeping(self, before, after, among, from_file)]):
            if error is not None:
                raise error

    def begin(self, one: Keeping) -> Written | None:
        """Write what changed into the journal, to be made durable; return None where the whole zone was kept, and is.

        Raises:
            HostError: it cannot be kept; what was kept before is.

        """
        if (error := self.unreadable) is not None:
            raise error
        written = self._begin_step(one.before, one.after, one.among, from_file=one.from_file)
        if written is None:
            self._keep_whole(one.before, one.after, from_file=one.from_file)
            self._take(one)
        return written

    def end(self, one: Keeping, written: Written, error: OSError | None) -> None:
        """Take a version that was written, once it is durable. Raises HostError: it is not; what was kept before is."""
        try:
            self._journal.end(written, error)
        finally:
            self._journaling.release()
        self._take(one)

    def _take(self, one: Keeping) -> None:
        self.kept, self.newest = one.after, one.after.serial
        if one.from_file:
            self.from_file = one.after.serial

    def _begin_step(self, before: Zone | None, after: Zone, among: Changes | None, *, from_file: bool) -> Written | None:
        """Write what changed into the journal, and keep others from it; return None where the whole zone has to be kept."""
        if not (isinstance(before, ImageZone) and isinstance(after, ImageZone)) or not after.serial.is_newer_than(before.serial):
            return None
        last = self._journal.steps[-1] if self._journal.steps else None
        if self._journal.spoiled or (last.after if last else self._text) != before.serial or (last and last.is_bar):
            return None
        most = 2 * journal_limit(after) - self._journal.size
        changes = difference(before.image, after.image, among=among, most=max(most, 0))
        if changes is None:
            return None
        step = journal.entry(changes, before.serial, after.serial, records=after.record_count, from_file=from_file)
        if len(step) > most:
            return None
        self._journaling.acquire()
        written = None
        try:
            if self._journal.steps or self._text == before.serial:  # nobody let go of it meanwhile
                written = self._journal.begin(step)
        finally:
            if written is None:
                self._journaling.release()
        return written

    def _keep_whole(self, before: Zone | None, after: Zone, *, from_file: bool) -> None:
        """Keep the text, and no journal: what led to the version before leads nowhere now."""
        with self._writing:
            with self._journaling:
                if again := before is not None and after.serial == before.serial:
                    # Two contents have one serial: no step leads there or goes on from there. That is so before the text comes.
                    if before is not None and self._text != before.serial:
                        self._store.save_zone(before, self._note)
                        self._text = before.serial
                    self._journal.begin_with(journal.bar(after.serial))
            self._write_text(after, after.serial if from_file else self.from_file)
            if not again:
                with self._journaling:
                    self._journal.drop()

    def _write_text(self, zone: Zone, from_file: Serial | None) -> None:
        self._store.save_zone(zone, self._note)
        self._text = zone.serial
        if self._is_primary:
            self._store.save_record(self.apex, self._told(zone, from_file))
        elif isinstance(zone, ImageZone):
            self._store.keep_image(zone)

    def _told(self, zone: Zone, from_file: Serial | None) -> Record:
        return Record(announced=zone.serial.value, from_file=from_file.value if from_file is not None else None)

    def _files(self, zone: Zone, from_file: Serial | None) -> list[NewVersion]:
        """Return the files that ``_write_text`` writes."""
        text = self._store.text_of(zone, self._note)
        return [text, self._store.record_of(self.apex, self._told(zone, from_file))] if self._is_primary else [text]

    def _has_written(self, zone: Zone) -> None:
        self._text = zone.serial
        if not self._is_primary and isinstance(zone, ImageZone):
            self._store.keep_image(zone)

    @contextlib.contextmanager
    def first_to_be_written(self, one: Keeping) -> Iterator[list[NewVersion] | None]:
        """Give the files of a first version, which nothing is kept before; None where it is another one. Others wait meanwhile.

        Who has written them says so by ``first_is_written``.
        """
        with self._writing, self._journaling:
            is_first = one.before is None and self._text is None and not os.access(self._journal.path, os.F_OK)
            yield self._files(one.after, one.after.serial if one.from_file else self.from_file) if is_first else None

    def first_is_written(self, one: Keeping) -> None:
        """Take that the files of a first version are on the disk."""
        self._has_written(one.after)
        self._take(one)

    @contextlib.contextmanager
    def text_to_be_written(self) -> Iterator[list[NewVersion] | None]:
        """Give the files of the last version's text; None where that is written, or more is to be done. Others wait meanwhile.

        Who has written them says so by ``text_is_written``.
        """
        with self._writing:
            zone = self.kept
            may = isinstance(zone, ImageZone) and zone.serial != self._text and self._journal.size <= journal_limit(zone)
            yield self._files(zone, self.from_file) if may and zone is not None else None

    def text_is_written(self) -> None:
        """Take that the files of ``text_to_be_written`` are on the disk."""
        if self.kept is not None:
            self._has_written(self.kept)

    def write_text(self) -> None:
        """Write the last version's text, and let go of what the journal has too much.

        Raises:
            HostError: the disk does not take it; it is in the journal.

        """
        with self._writing:
            zone = self.kept
            if zone is None or zone.serial == self._text:
                return
            self._write_text(zone, self.from_file)
            if isinstance(zone, ImageZone):
                with self._journaling:
                    if self._journal.size > journal_limit(zone):
                        self._journal.keep_newest(journal_limit(zone) // 2)

    @property
    def is_text_behind(self) -> bool:
        """Whether the last version is in the journal alone."""
        return self.kept is not None and self.kept.serial != self._text

    def way(self, held: Serial, newest: Serial) -> Way | None:
        """Return how one version leads to another, None where that is not known. Quick enough for the event loop."""
        return way_in(self._journal, held, newest)

    def let_go(self) -> None:
        """Hold no version any longer."""
        self.kept = None


@dataclass(frozen=True, slots=True)
class Keeping:
    """A version that is to be kept; see ``Versions.keep``."""

    versions: Versions
    before: Zone | None
    after: Zone
    among: Changes | None = None
    from_file: bool = False

    @property
    def is_short_work(self) -> bool:
        """Whether it takes so little time that others may wait for it."""
        return all(one is None or (isinstance(one, ImageZone) and len(one.image) <= _SMALL) for one in (self.before, self.after))


async def keep(context: Context, one: Keeping) -> None:
    """Keep a version, with those of other zones where that is short work; returns when it is on the disk.

    Raises:
        HostError: it cannot be kept; what was kept before is.
        ZoneError: it cannot be compared with what was kept before.

    """
    if one.is_short_work:
        await context.together(keep_together, one)
    else:
        await in_thread(one.versions.keep, one.before, one.after, among=one.among, from_file=one.from_file)


def keep_together(those: Sequence[Keeping]) -> list[Exception | None]:
    """Keep versions of several zones with one order to the disk; returns when that is done, and tells for each what is wrong."""
    outcomes: list[Exception | None] = [None] * len(those)
    begun: dict[int, Written] = {}
    done = _kept_first(those) if len(those) > 1 else set()
    try:
        for place, one in enumerate(those):
            if place in done:
                continue
            try:
                written = one.versions.begin(one)
            except MailnameError as error:
                outcomes[place] = error.with_traceback(None)  # which leads to these outcomes
            else:
                if written is not None:
                    begun[place] = written
        failures = sync_written(list(begun.values()))
    except BaseException:  # a fault of ours: nobody else may wait for these journals for ever
        for place, written in begun.items():
            outcomes[place] = _ended(those[place], written, OSError(errno.EIO, "not synced"))
        raise
    for (place, written), failed in zip(begun.items(), failures, strict=True):
        outcomes[place] = _ended(those[place], written, failed)
    return outcomes


def _kept_first(those: Sequence[Keeping]) -> set[int]:
    """Keep the first versions of zones together; return the places of those that are. The others are to be kept one by one."""
    with contextlib.ExitStack() as held:
        found = {place: held.enter_context(one.versions.first_to_be_written(one)) for place, one in enumerate(those)}
        groups = {place: files for place, files in found.items() if files is not None}
        problems = write_together(list(groups.values()))
        done = {place for place, problem in zip(groups, problems, strict=True) if problem is None}
        for place in done:
            those[place].versions.first_is_written(those[place])
    return done


def _ended(one: Keeping, written: Written, failed: OSError | None) -> HostError | None:
    try:
        one.versions.end(one, written, failed)
    except HostError as error:
        return error
    return None


def last_version(versions: Versions, announced: int | None) -> ImageZone | None:
    """Return the last version kept of a secondary zone; None where later ones were served that are lost: no serial falls."""
    versions.open(Serial(announced) if announced is not None else None)
    kept = versions.load()
    if kept is not None and versions.newest is not None and versions.newest.is_newer_than(kept.serial):
        log.error(
            "zone %s: the copy kept, serial %s, is older than what was served, %s: it is transferred anew before it is answered",
            *(bare(kept.apex), kept.serial, versions.newest),
        )
        return None
    return kept
