"""The state folder: the last good version of each zone and what must be remembered of it, for one process at a time.

``NAME.zone`` is the zone as text, ``NAME.journal`` what changed since (``versions``), ``NAME.json`` the highest serial announced
and when a primary last confirmed the copy. The text is written before the record, and either both or an entry of the journal
before anybody hears of the serial: killed at any instant, the old or the new version is there. The text ends with a checksum: a
copy that a disk has spoiled, or somebody edited, is not served.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from mailname.errors import HostError, ZoneError
from mailname.server.atomic import NewVersion, remove_unfinished, sync_folder, write_atomic, write_together
from mailname.server.image_library import ImageLibrary
from mailname.server.refused_by_disk import refused
from mailname.server.zonefiles import SUFFIX, file_stem
from mailname.transfer.moment import Memory
from mailname.zone.image_zone import ImageZone
from mailname.zone.large_text import zone_text
from mailname.zone.load import Loader

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from dns.name import Name

    from mailname.zone import Zone

_CHECKSUM = b"; sha256 "
_LAST_SECOND = 253402300799  # of the year 9999


def _checksum(text: bytes) -> bytes:
    return _CHECKSUM + hashlib.sha256(text).hexdigest().encode() + b"\n"


def _with_checksum(pieces: Iterable[bytes]) -> Iterator[bytes]:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
        yield piece
    yield _CHECKSUM + digest.hexdigest().encode() + b"\n"


def _opened_lock(path: Path) -> int:
    """Open the lock file; of a disk that is read-only now, as it is: what was kept there can be served."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError:
        if not path.exists():
            raise
        return os.open(path, os.O_RDONLY)


@dataclass(frozen=True, slots=True)
class Record:
    """What is remembered of a zone beside its text.

    Attributes:
        announced: the highest serial that anybody may have seen from us.
        confirmed_at: seconds since 1970 when a primary last confirmed the copy (secondary only).
        last_transfer: as ``mailname status`` shows it.
        last_failure: as ``mailname status`` shows it.
        memory: what the timers need to go on where they were (secondary only).
        from_file: the serial of the last version that was that of the zone's file (primary only).

    """

    announced: int | None = None
    confirmed_at: float | None = None
    last_transfer: dict[str, Any] | None = None
    last_failure: dict[str, Any] | None = None
    memory: Memory | None = None
    from_file: int | None = None


class Store:
    """One state folder, held by one process."""

    def __init__(self, folder: Path, library: ImageLibrary | None = None) -> None:
        self.folder = folder
        self._library = library or ImageLibrary(None)
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o755)
            self.lock = _opened_lock(folder / "lock")
        except OSError as error:
            lock = folder / "lock"
            if isinstance(error, PermissionError) and os.access(lock, os.F_OK):
                raise refused("use the state folder: cannot open", lock, error, step="state") from error
            remedy = "Name a folder that this user may write: state in the configuration."
            raise HostError(f"cannot use the state folder {folder}: {error.strerror}", remedy=remedy, step="state") from error
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(self.lock, 32, 0).decode("ascii", "replace").strip() or "another process"
            os.close(self.lock)
            raise HostError(
                f"the state folder {folder} is in use by process {holder}",
                remedy="One server per state folder: stop the other one, or name another folder.",
                step="state",
            ) from error
        with contextlib.suppress(OSError):  # it only tells people who holds the folder
            os.truncate(self.lock, 0)
            os.pwrite(self.lock, f"{os.getpid()}\n".encode(), 0)
        remove_unfinished(folder)

    def close(self) -> None:
        """Let go of the folder."""
        os.close(self.lock)

    def _text_path(self, apex: Name) -> Path:
        return self.folder / f"{file_stem(apex)}{SUFFIX}"

    def _record_path(self, apex: Name) -> Path:
        return self.folder / f"{file_stem(apex)}.json"

    def text_path(self, apex: Name) -> Path:
        """Return where the copy of a zone lies."""
        return self._text_path(apex)

    def journal_path(self, apex: Name) -> Path:
        """Return where the journal of a zone lies."""
        return self.folder / f"{file_stem(apex)}.journal"

    def updates_path(self, apex: Name) -> Path:
        """Return where it is remembered what dynamic updates have changed in a zone."""
        return self.folder / f"{file_stem(apex)}.updates.json"

    def save_zone(self, zone: Zone, note: str) -> None:
        """Keep a version; returns when it is on the disk. Raises HostError when it cannot be."""
        new = self.text_of(zone, note)
        write_atomic(new.path, new.data)

    def save_record(self, apex: Name, record: Record) -> None:
        """Keep what is to be remembered; returns when it is on the disk."""
        new = self.record_of(apex, record)
        write_atomic(new.path, new.data)

    def text_of(self, zone: Zone, note: str) -> NewVersion:
        """Return a version as its file is to hold it."""
        return NewVersion(self._text_path(zone.apex), _with_checksum(zone_text(zone, header=note)))

    def record_of(self, apex: Name, record: Record) -> NewVersion:
        """Return what is to be remembered as its file is to hold it."""
        return NewVersion(self._record_path(apex), _record_text(record).encode())

    def keep_image(self, zone: ImageZone) -> None:
        """Let the next start find the image of a version that was saved."""
        self._library.keep(self._text_path(zone.apex), zone)

    def forget(self, apex: Name) -> None:
        """Delete all that is kept of a zone, which nobody serves any more. Raises HostError when it cannot be."""
        try:
            for path in (self.journal_path(apex), self.updates_path(apex), self._text_path(apex), self._record_path(apex)):
                path.unlink(missing_ok=True)
            sync_folder(self.folder)
        except OSError as error:
            problem = f"cannot delete the copy of {apex} in {self.folder}: {error.strerror}"
            raise HostError(problem, remedy="Look at who owns the folder.", step="state") from error

    def disown(self, apex: Name) -> None:
        """Let no start answer the copy before a primary has confirmed it: later versions are served that the disk does not take.

        This needs no room on the disk. Raises HostError where not even this can be done.
        """
        try:
            self._record_path(apex).unlink(missing_ok=True)
            sync_folder(self.folder)
        except OSError as error:
            raise refused("mark as old the copy", self._record_path(apex), error, step="state") from error

    def load_zone(self, apex: Name) -> ImageZone | None:
        """Return the version kept, or None when there is none that can be read (then it is transferred or published anew)."""
        path = self._text_path(apex)
        if (kept := self._library.find(path, apex)) is not None:
            return kept
        try:
            raw = path.read_bytes()
            text = raw[: raw.rfind(_CHECKSUM)]
            if raw[len(text) :] != _checksum(text):
                return None
            return ImageZone(Loader().load(text, str(path), apex).image)
        except (OSError, ZoneError, UnicodeDecodeError):
            return None

    def load_record(self, apex: Name) -> Record:
        """Return what is remembered; an unreadable record is an empty one."""
        try:
            raw = json.loads(self._record_path(apex).read_bytes())
            confirmed = raw.get("confirmed_at")
            return Record(
                _serial(raw.get("announced")),
                float(confirmed) if isinstance(confirmed, int | float) and 0 < confirmed < _LAST_SECOND else None,
                raw["last_transfer"] if isinstance(raw.get("last_transfer"), dict) else None,
                raw["last_failure"] if isinstance(raw.get("last_failure"), dict) else None,
                Memory.of_json(raw.get("memory")),
                _serial(raw.get("from_file")),
            )
        except (OSError, ValueError, AttributeError):
            return Record()


def save_records(those: Sequence[tuple[Store, Name, Record]]) -> list[HostError | None]:
    """Keep what is to be remembered of several zones, with one order to the disk; tell for each what is wrong."""
    outcomes: list[HostError | None] = [None] * len(those)
    written = write_together([[store.record_of(apex, record)] for store, apex, record in those]) if len(those) > 1 else [None]
    for place, (store, apex, record) in enumerate(those):
        if len(those) == 1 or written[place] is not None:
            try:
                store.save_record(apex, record)
            except HostError as error:
                outcomes[place] = error.with_traceback(None)
    return outcomes


def _record_text(record: Record) -> str:
    """Return a record as JSON on one line: thousands are written in a row, and lines would take several times as long."""
    fields = {
        "announced": record.announced,
        "confirmed_at": record.confirmed_at,
        "last_transfer": record.last_transfer,
        "last_failure": record.last_failure,
        "memory": asdict(record.memory) if record.memory is not None else None,
        "from_file": record.from_file,
    }
    return json.dumps(fields) + "\n"


def _serial(read: object) -> int | None:
    return read if isinstance(read, int) and 0 <= read < 1 << 32 else None
