"""What the checks found, kept: how each domain was and since when, what was told of it, and what was acknowledged.

One file in SQLite, with a bounded number of rows. Looks that find the same lengthen one row, so a quiet year is one row. One
process records (``mailname watch``); others read beside it (``mailname web``) or acknowledge. Each call is on the disk's way when
it returns: a process that is killed loses nothing of it. Times are seconds since 1970.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from mailname.errors import HostError

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE = "watch.sqlite"
MOST_SPELLS = 200  # of one domain
MOST_TRANSITIONS = 100  # of one domain
_VERSION = 1
_TABLES = f"""
CREATE TABLE IF NOT EXISTS spell (
  domain TEXT NOT NULL, verdict TEXT NOT NULL, code TEXT NOT NULL, topic TEXT NOT NULL, says TEXT NOT NULL, place TEXT NOT NULL,
  fix TEXT NOT NULL, command TEXT NOT NULL, effect TEXT NOT NULL, since REAL NOT NULL, until REAL NOT NULL,
  looks INTEGER NOT NULL, PRIMARY KEY (domain, since)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS latest (domain TEXT PRIMARY KEY, since REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS transition (
  number INTEGER PRIMARY KEY AUTOINCREMENT, domain TEXT NOT NULL, at REAL NOT NULL, kind TEXT NOT NULL, code TEXT NOT NULL,
  topic TEXT NOT NULL, says TEXT NOT NULL, effect TEXT NOT NULL, fix TEXT NOT NULL, command TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS transition_of ON transition (domain, number);
CREATE TABLE IF NOT EXISTS acknowledgement (
  domain TEXT NOT NULL, topic TEXT NOT NULL, reason TEXT NOT NULL, at REAL NOT NULL, until REAL NOT NULL,
  PRIMARY KEY (domain, topic)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS memory (domain TEXT PRIMARY KEY, holds TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS outbox (
  number INTEGER NOT NULL, channel TEXT NOT NULL, message TEXT NOT NULL, made REAL NOT NULL, tries INTEGER NOT NULL DEFAULT 0,
  again REAL NOT NULL, problem TEXT NOT NULL DEFAULT '', PRIMARY KEY (number, channel)) WITHOUT ROWID;
PRAGMA user_version = {_VERSION};
"""
_WAITS = 10.0  # seconds for another process that writes


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at a domain found.

    Attributes:
        domain: as people write it, without the last dot.
        verdict: ``well``, ``fragile``, ``broken`` or ``unknown``.
        code: the cause's; empty when all is well.
        topic: what it is about, such as ``NS-01 ns2.example.tech``; two looks with one verdict and topic are one spell.
        says: the cause in a sentence; place, fix, command: where to mend it, how, and what to type.
        effect: what it means for mail, in a sentence.
        at: when.

    """

    domain: str
    verdict: str
    code: str
    topic: str
    says: str
    place: str
    fix: str
    command: str
    effect: str
    at: float


@dataclass(frozen=True, slots=True)
class Spell:
    """Looks one after the other that found the same; the words are those of the last.

    Attributes:
        since: when the first was; until: when the last was; looks: how many they were.

    """

    domain: str
    verdict: str
    code: str
    topic: str
    says: str
    place: str
    fix: str
    command: str
    effect: str
    since: float
    until: float
    looks: int


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of which a word was said.

    Attributes:
        kind: ``not_well``, ``worse``, ``well``, or ``again`` where an acknowledgement has ended and the fault has not.

    """

    domain: str
    at: float
    kind: str
    code: str
    topic: str
    says: str
    effect: str
    fix: str
    command: str


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Somebody knows of it: nothing is said of it until a time. The topic is that of a look, a code, or ``*`` for everything."""

    domain: str
    topic: str
    reason: str
    at: float
    until: float


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that is to go out by one channel. Its text is the channel's business."""

    number: int
    channel: str
    message: str
    made: float
    tries: int
    again: float
    problem: str


_Row = TypeVar("_Row", Spell, Transition, Acknowledgement, Waiting)


def usual_file() -> Path:
    """Return where it lies unless another place was named: the service's state folder, or else the user's."""
    state = os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    if state:
        return Path(state) / FILE
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "mailname" / FILE


class History:
    """One open file. Used by one thread at a time.

    Raises:
        HostError: from every method, when the file is no good or the disk does not take it.

    """

    def __init__(self, path: Path) -> None:
        """Open or make it, for the owner alone: it tells what is broken."""
        self.path = path
        with self._telling():
            if not path.exists():
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
            self._rows = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=_WAITS)
        try:
            with self._telling():
                self._begin()
        except BaseException:
            self._rows.close()
            raise

    def _begin(self) -> None:
        self._rows.execute("PRAGMA journal_mode = WAL")
        self._rows.execute("PRAGMA synchronous = NORMAL")
        (version,) = self._rows.execute("PRAGMA user_version").fetchone()
        if version not in (0, _VERSION):
            raise sqlite3.DatabaseError(f"it has the version {version}, not {_VERSION}")
        if version == 0:
            self._rows.executescript(_TABLES)

    def close(self) -> None:
        """Close it."""
        self._rows.close()

    @contextlib.contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else error
            raise HostError(
                f"the history {self.path} cannot be used: {why}",
                remedy="Give it a place on a disk that has room, or move the file away; a new one is begun.",
                step="history",
            ) from error

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """All that is written inside is kept together, or nothing of it is."""
        with self._telling():
            self._rows.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._rows.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    self._rows.execute("ROLLBACK")
                raise

    def record(self, look: Look) -> None:
        """Keep what a look found; to be called within ``together``."""
        last = self.last(look.domain)
        with self._telling():
            if last is not None and (last.verdict, last.topic) == (look.verdict, look.topic):
                self._rows.execute(
                    "UPDATE spell SET code = ?, says = ?, place = ?, fix = ?, command = ?, effect = ?, until = max(until, ?),"
                    " looks = looks + 1 WHERE domain = ? AND since = ?",
                    (look.code, look.says, look.place, look.fix, look.command, look.effect, look.at, look.domain, last.since),
                )
                return
            # A clock that was set back makes no spell that was before the last.
            since = max(look.at, last.since + 0.001) if last is not None else look.at
            self._rows.execute(
                "INSERT INTO spell VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)", (*astuple(look)[:-1], since, since)
            )
            self._rows.execute("INSERT INTO latest VALUES (?1, ?2) ON CONFLICT DO UPDATE SET since = ?2", (look.domain, since))
            self._rows.execute(
                "DELETE FROM spell WHERE domain = ?1 AND since <="
                " (SELECT since FROM spell WHERE domain = ?1 ORDER BY since DESC LIMIT 1 OFFSET ?2)",
                (look.domain, MOST_SPELLS),
            )

    def last(self, domain: str) -> Spell | None:
        """Return how a domain is; None where it was never looked at."""
        found = self.spells(domain, 1)
        return found[0] if found else None

    def spells(self, domain: str, most: int = 50) -> list[Spell]:
        """Return how a domain was, the last first."""
        return self._read(Spell, "FROM spell WHERE domain = ? ORDER BY since DESC LIMIT ?", domain, most)

    def overview(self) -> list[Spell]:
        """Return how each domain is, by name."""
        return self._read(Spell, "FROM latest CROSS JOIN spell USING (domain, since) ORDER BY domain")

    def told(self, transition: Transition) -> int:
        """Keep what was said, and return its number; to be called within ``together``."""
        with self._telling():
            made = self._rows.execute("INSERT INTO transition VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)", astuple(transition))
            self._rows.execute(
                "DELETE FROM transition WHERE domain = ?1 AND number <="
                " (SELECT number FROM transition WHERE domain = ?1 ORDER BY number DESC LIMIT 1 OFFSET ?2)",
                (transition.domain, MOST_TRANSITIONS),
            )
        return int(made.lastrowid or 0)

    def transitions(self, domain: str | None = None, most: int = 50) -> list[Transition]:
        """Return what was said of a domain, or of all, the last first."""
        if domain is None:
            return self._read(Transition, "FROM transition ORDER BY number DESC LIMIT ?", most)
        return self._read(Transition, "FROM transition WHERE domain = ? ORDER BY number DESC LIMIT ?", domain, most)

    def acknowledge(self, given: Acknowledgement) -> None:
        """Keep it, in place of another for the same; one whose end is not after its beginning takes the other away."""
        with self._telling():
            self._rows.execute("INSERT OR REPLACE INTO acknowledgement VALUES (?, ?, ?, ?, ?)", astuple(given))
            self._rows.execute("DELETE FROM acknowledgement WHERE until <= at OR until < ? - 31536000", (given.at,))

    def acknowledgements(self, domain: str) -> list[Acknowledgement]:
        """Return what was acknowledged of a domain; also those whose time is over, for a year."""
        return self._read(Acknowledgement, "FROM acknowledgement WHERE domain = ? ORDER BY at", domain)

    def memory(self, domain: str) -> str | None:
        """Return what the watching of a domain has to remember; its own form."""
        with self._telling():
            found = self._rows.execute("SELECT holds FROM memory WHERE domain = ?", (domain,)).fetchone()
        return str(found[0]) if found else None

    def remember(self, domain: str, holds: str) -> None:
        """Keep what the watching of a domain has to remember; to be called within ``together``."""
        with self._telling():
            self._rows.execute("INSERT OR REPLACE INTO memory VALUES (?, ?)", (domain, holds))

    def send(self, number: int, channel: str, message: str, at: float) -> None:
        """Put a message in the outbox of a channel; to be called within ``together``."""
        with self._telling():
            self._rows.execute(
                "INSERT OR REPLACE INTO outbox (number, channel, message, made, again) VALUES (?, ?, ?, ?, ?)",
                (number, channel, message, at, at),
            )

    def outbox(self) -> list[Waiting]:
        """Return what is to go out, the oldest first."""
        return self._read(Waiting, "FROM outbox ORDER BY number, channel")

    def sent(self, waiting: Waiting) -> None:
        """Take a message out: it has gone, or is given up."""
        with self._telling():
            self._rows.execute("DELETE FROM outbox WHERE number = ? AND channel = ?", (waiting.number, waiting.channel))

    def not_sent(self, waiting: Waiting, problem: str, again: float) -> None:
        """Keep why a message did not go, and when to try again."""
        with self._telling():
            self._rows.execute(
                "UPDATE outbox SET tries = tries + 1, problem = ?, again = ? WHERE number = ? AND channel = ?",
                (problem, again, waiting.number, waiting.channel),
            )

    def _read(self, kind: type[_Row], rest: str, *values: object) -> list[_Row]:
        columns = ", ".join(field.name for field in fields(kind))
        with self._telling():
            return [kind(*row) for row in self._rows.execute(f"SELECT {columns} {rest}", values)]
