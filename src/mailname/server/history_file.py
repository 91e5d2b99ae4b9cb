"""The history's table in SQLite: one row for each event, the same thing in a row counted in one, a bounded number of rows.

``Event.bucket`` says which events share a place of ``MOST_PER_PEER`` rows. The row that changed last has the highest id.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from dataclasses import fields
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from mailname.transfer.event import Event

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

MOST_PER_PEER = 50
MOST_ROWS = 200_000
_VERSION = 1
_COLUMNS = tuple(field.name for field in fields(Event))
_values = attrgetter("bucket", *_COLUMNS)
_TABLE = f"""
CREATE TABLE IF NOT EXISTS events (id INTEGER PRIMARY KEY, bucket TEXT NOT NULL, {", ".join(f'"{name}"' for name in _COLUMNS)});
CREATE INDEX IF NOT EXISTS by_peer ON events (zone, bucket, id);
PRAGMA user_version = {_VERSION};
"""
_INSERT = "INSERT INTO events VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_LAST = """SELECT * FROM events
WHERE zone = ? AND bucket = ? AND peer = ? AND direction = ? AND (what = 'notify') = ? ORDER BY id DESC LIMIT 1"""
_PRUNE_PEER = """DELETE FROM events WHERE zone = ? AND bucket = ? AND id <=
(SELECT id FROM events WHERE zone = ? AND bucket = ? ORDER BY id DESC LIMIT 1 OFFSET ?)"""
_PRUNE_ALL = "DELETE FROM events WHERE id <= (SELECT id FROM events ORDER BY id DESC LIMIT 1 OFFSET ?)"
_NEWEST = "SELECT * FROM events WHERE ?1 = '' OR zone = ?1 ORDER BY id DESC LIMIT ?2"
_LATEST = """SELECT * FROM events
WHERE id IN (SELECT max(id) FROM events WHERE bucket != '*' AND (?1 = '' OR zone = ?1) GROUP BY zone, peer, direction, what)
ORDER BY id"""


class HistoryFile:
    """One open database. Used by one thread only.

    Raises:
        sqlite3.Error: from every method, when the file is no good or the disk does not take it.

    """

    def __init__(self, path: Path | None, most_per_peer: int = MOST_PER_PEER, most_rows: int = MOST_ROWS) -> None:
        """Open or make it; ``path`` None keeps it in memory."""
        self.path = path
        self._most_per_peer, self._most_rows = most_per_peer, most_rows
        if path is not None and not path.exists():
            with contextlib.suppress(OSError):  # what is wrong with the folder, SQLite says below
                os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o640))
        self._rows = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False)
        try:
            self._begin()
        except BaseException:
            self._rows.close()
            raise

    def _begin(self) -> None:
        if self.path is not None:
            # Alone, SQLite maps no file: a page that a full disk cannot give would end the whole server (SIGBUS).
            self._rows.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._rows.execute("PRAGMA journal_mode = WAL")
            self._rows.execute("PRAGMA synchronous = NORMAL")
        (version,) = self._rows.execute("PRAGMA user_version").fetchone()
        if version not in (0, _VERSION):
            raise sqlite3.DatabaseError(f"it has the version {version}, not {_VERSION}")
        self._rows.executescript(_TABLE)

    def close(self) -> None:
        """Close it; what was added is kept."""
        self._rows.close()

    def add(self, events: Iterable[Event]) -> None:
        """Add events, all or none of them."""
        self._rows.execute("BEGIN IMMEDIATE")
        try:
            touched = {(event.zone, event.bucket) for event in events if self._add(event)}
            for zone, bucket in touched:
                self._rows.execute(_PRUNE_PEER, (zone, bucket, zone, bucket, self._most_per_peer))
            self._rows.execute(_PRUNE_ALL, (self._most_rows,))
            self._rows.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                self._rows.execute("ROLLBACK")
            raise

    def _add(self, event: Event) -> bool:
        """Add one event; tell whether it took a row of its own."""
        if event.what == "transfer":
            self._rows.execute(_INSERT, _values(event))
            return True
        found = self._rows.execute(
            _LAST, (event.zone, event.bucket, event.peer, event.direction, event.what == "notify")
        ).fetchone()
        before = None if found is None else _event(found)
        joined = before is not None and event.repeats(before)
        if before is not None and joined:
            self._rows.execute("DELETE FROM events WHERE id = ?", (found[0],))
            event = event.after(before)
        self._rows.execute(_INSERT, _values(event))
        return not joined

    def all(self) -> list[Event]:
        """Return every event, the oldest first."""
        return [_event(row) for row in self._rows.execute("SELECT * FROM events ORDER BY id")]

    def last(self, zone: str | None, most: int) -> list[Event]:
        """Return the last events of a zone, or of all, the newest first."""
        return [_event(row) for row in self._rows.execute(_NEWEST, (zone or "", most))]

    def latest(self, zone: str | None) -> list[Event]:
        """Return the last event of each sort with each configured peer, of one zone or of all."""
        return [_event(row) for row in self._rows.execute(_LATEST, (zone or "",))]


def _event(row: tuple[Any, ...]) -> Event:
    """Read a row back; before the event stand the row's id and the bucket."""
    values = dict(zip(_COLUMNS, row[2:], strict=True))
    return Event(**{**values, "known": bool(values["known"])})
