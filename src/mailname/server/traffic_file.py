"""What was asked, minute by minute, hour by hour and day by day: one table in SQLite, with a bounded number of rows.

Minutes stay for two days, hours for two months, days for five years: at most 7,000 rows of some hundred octets each. Times are
UTC; a row is known by the beginning of its span.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

#: Name of a span -> its seconds, and how many of them are kept.
SPANS = {"minute": (60, 2880), "hour": (3600, 1464), "day": (86400, 1830)}
FILE = "traffic.sqlite"
_VERSION = 1
_REMEMBERED = 0  # no span has 0 seconds
_TABLE = f"""
CREATE TABLE IF NOT EXISTS traffic (span INTEGER, start INTEGER, counts TEXT NOT NULL, PRIMARY KEY (span, start)) WITHOUT ROWID;
PRAGMA user_version = {_VERSION};
"""
_PUT = "INSERT INTO traffic VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET counts = excluded.counts"
_PRUNE = "DELETE FROM traffic WHERE span = ?1 AND start <= (SELECT max(start) FROM traffic WHERE span = ?1) - ?1 * ?2"

#: Counts by name, some of them by a second name: ``{"questions": 7, "types": {"MX": 5, "A": 2}}``.
Counts = dict[str, "int | dict[str, int]"]


class TrafficFile:
    """One open database. Used by one thread at a time.

    Raises:
        sqlite3.Error: from every method, when the file is no good or the disk does not take it.

    """

    def __init__(self, path: Path) -> None:
        """Open or make it."""
        if not path.exists():
            with contextlib.suppress(OSError):  # what is wrong with the folder, SQLite says below
                os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o640))
        self._rows = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            self._begin()
        except BaseException:
            self._rows.close()
            raise

    def _begin(self) -> None:
        self._rows.execute("PRAGMA locking_mode = EXCLUSIVE")  # as in history_file.py
        self._rows.execute("PRAGMA journal_mode = WAL")
        self._rows.execute("PRAGMA synchronous = NORMAL")
        (version,) = self._rows.execute("PRAGMA user_version").fetchone()
        if version not in (0, _VERSION):
            raise sqlite3.DatabaseError(f"it has the version {version}, not {_VERSION}")
        self._rows.executescript(_TABLE)

    def close(self) -> None:
        """Close it; what was added is kept."""
        self._rows.close()

    def add(self, at: float, counts: Mapping[str, int | Mapping[str, int]]) -> None:
        """Add what was counted up to a time, in seconds since 1970, to its minute, hour and day: to all of them or to none."""
        self._rows.execute("BEGIN IMMEDIATE")
        try:
            for seconds, most in SPANS.values():
                start = int(at) // seconds * seconds
                found = self._rows.execute("SELECT counts FROM traffic WHERE span = ? AND start = ?", (seconds, start)).fetchone()
                total = added(json.loads(found[0]) if found else {}, counts)
                self._rows.execute(_PUT, (seconds, start, json.dumps(total, separators=(",", ":"))))
                self._rows.execute(_PRUNE, (seconds, most))
            self._rows.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                self._rows.execute("ROLLBACK")
            raise

    def remember(self, at: int, counts: Mapping[str, int | Mapping[str, int]]) -> None:
        """Remember the last counts of somebody who keeps no history himself."""
        self._rows.execute("BEGIN IMMEDIATE")
        self._rows.execute("DELETE FROM traffic WHERE span = ?", (_REMEMBERED,))
        self._rows.execute(_PUT, (_REMEMBERED, at, json.dumps(counts, separators=(",", ":"))))
        self._rows.execute("COMMIT")

    def before(self) -> tuple[int, Counts] | None:
        """Return the counts that were remembered, and of when they were."""
        found = self._rows.execute("SELECT start, counts FROM traffic WHERE span = ?", (_REMEMBERED,)).fetchone()
        return None if found is None else (found[0], json.loads(found[1]))

    def last(self, span: str, most: int) -> list[tuple[int, Counts]]:
        """Return the last spans of a kind in which anything was noted: their beginnings and counts, the oldest first."""
        asked = "SELECT start, counts FROM traffic WHERE span = ? ORDER BY start DESC LIMIT ?"
        rows = self._rows.execute(asked, (SPANS[span][0], most)).fetchall()
        return [(start, json.loads(counts)) for start, counts in reversed(rows)]


def added(one: Mapping[str, int | Mapping[str, int]], other: Mapping[str, int | Mapping[str, int]], sign: int = 1) -> Counts:
    """Return the sum of two counts, or their difference with ``sign`` -1; what is 0 within a second name is left out."""
    total: Counts = {}
    for name in {**one, **other}:
        first, second = one.get(name, 0), other.get(name, 0)
        if isinstance(first, int) and isinstance(second, int):
            total[name] = first + sign * second
        else:
            left, right = ({} if isinstance(side, int) else side for side in (first, second))
            both = {key: left.get(key, 0) + sign * right.get(key, 0) for key in {**left, **right}}
            total[name] = {key: count for key, count in both.items() if count}
    return total
