"""The history of transfers, NOTIFYs, failures and refusals: kept by one thread of its own, for people.

``note`` only remembers an event, and the thread gets those of a tenth of a second together: neither answering nor the event loop
waits for the disk, nor is a thread in the way of what is just happening. Serving never depends on it: where the disk does not
take it, it goes on in memory and says so; where the file is damaged, a new one is begun.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import sqlite3
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from mailname.server.history_file import MOST_PER_PEER, MOST_ROWS, HistoryFile
from mailname.transfer.event import Event

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

log = logging.getLogger("mailname")
T = TypeVar("T")

FILE = "history.sqlite"
_MOST_WAITING = 20_000  # events; a flood of NOTIFYs must not take the memory
_COLLECTING = 0.1  # seconds after an event in which others are collected: a thread that woke for each would be in the way
_AT_ONCE = 2000
_MOST_IN_MEMORY = 20_000  # rows
_TRIES_AGAIN = 64  # batches after which a disk that was full is tried again


class _Stop:
    """The last thing in the queue."""


_Job = tuple["Callable[[HistoryFile], list[Event]]", "Future[list[Event]]"]


@dataclass(slots=True)
class History:
    """One server's history.

    Attributes:
        folder: the state folder; None keeps it in memory.
        problem: why it is not on the disk though there is a folder.
        dropped: events that came faster than they could be written.

    """

    folder: Path | None
    problem: str | None = None
    dropped: int = 0
    most_per_peer: int = MOST_PER_PEER
    most_rows: int = MOST_ROWS
    _queue: queue.SimpleQueue[list[Event] | _Job | _Stop] = field(default_factory=queue.SimpleQueue)
    _gathered: list[Event] = field(default_factory=list)
    _handed: int = 0  # events that were put into the queue
    _taken: int = 0  # those that the thread has taken
    _handing_over: asyncio.TimerHandle | None = None
    _thread: threading.Thread | None = None
    _order: threading.Lock = field(default_factory=threading.Lock)  # close() may run beside the event loop
    _file: HistoryFile | None = None
    _batches: int = 0

    @property
    def path(self) -> Path | None:
        """Where it is kept."""
        return self.folder / FILE if self.folder else None

    def note(self, event: Event) -> None:
        """Remember an event. Never waits and never fails."""
        if self._handed - self._taken + len(self._gathered) >= _MOST_WAITING:
            self.dropped += 1
            return
        self._gathered.append(event)
        if self._handing_over is None:
            try:
                self._handing_over = asyncio.get_running_loop().call_later(_COLLECTING, self._hand_over)
            except RuntimeError:  # no event loop that could be held up
                self._hand_over()

    def _hand_over(self) -> None:
        """Give the thread what was gathered."""
        if self._handing_over is not None:
            self._handing_over.cancel()
            self._handing_over = None
        if self._gathered:
            events, self._gathered = self._gathered, []
            self._handed += len(events)
            self._put(events)

    async def last(self, zone: str | None, most: int) -> list[Event]:
        """Return the last events, the newest first; all that were noted before are among them."""
        return await self._ask(lambda file: file.last(zone, most))

    async def latest(self, zone: str | None) -> list[Event]:
        """Return the last event of each sort with each configured peer."""
        return await self._ask(lambda file: file.latest(zone))

    def close(self) -> None:
        """Write what waits, and end."""
        self._hand_over()
        with self._order:
            if self._thread is not None:
                self._queue.put(_Stop())
                self._thread.join()
                self._thread = None

    def _put(self, item: list[Event] | _Job) -> None:
        with self._order:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="history", daemon=True)
                self._thread.start()
            self._queue.put(item)

    async def _ask(self, question: Callable[[HistoryFile], list[Event]]) -> list[Event]:
        answer: Future[list[Event]] = Future()
        self._hand_over()
        self._put((question, answer))
        return await asyncio.wrap_future(answer)

    def _work(self) -> None:
        """Be the thread: take what is in the queue until the end."""
        stopping = False
        while not stopping:
            events, other = self._collected()
            if events:
                self._write(_joined(events))
            if isinstance(other, tuple):
                question, answer = other
                self._try_disk()  # whoever asks how things are may just have mended it
                if answer.set_running_or_notify_cancel():
                    answer.set_result(self._with_file(question) or [])
            stopping = isinstance(other, _Stop)
        self._let_go()

    def _collected(self) -> tuple[list[Event], _Job | _Stop | None]:
        """Return events in their order, and what came behind them, if it was no event."""
        item = self._queue.get()
        events: list[Event] = []
        with contextlib.suppress(queue.Empty):
            while isinstance(item, list):
                events += map(Event.bounded, item)
                self._taken += len(item)
                if len(events) >= _AT_ONCE:
                    return events, None
                item = self._queue.get_nowait()
            return events, item
        return events, None

    def _write(self, events: list[Event]) -> None:
        self._batches += 1
        if self._batches % _TRIES_AGAIN == 0:
            self._try_disk()
        self._with_file(lambda file: file.add(events))

    def _with_file(self, act: Callable[[HistoryFile], T]) -> T | None:
        """Do it with the file as it is; with a new one where it is damaged; in memory where the disk refuses; else not at all."""
        try:
            return act(self._opened())
        except sqlite3.OperationalError as error:  # full, read-only, gone, held by somebody: a new file would not help
            self._go_to_memory(str(error))
        except sqlite3.DatabaseError as error:
            self._begin_anew(str(error))
        try:
            return act(self._opened())
        except sqlite3.Error as error:
            self._go_to_memory(str(error))
            return None

    def _opened(self) -> HistoryFile:
        if self._file is None:
            in_memory = self.folder is None or self.problem is not None
            most = min(self.most_rows, _MOST_IN_MEMORY) if in_memory else self.most_rows
            self._file = HistoryFile(None if in_memory else self.path, self.most_per_peer, most)
        return self._file

    def _let_go(self) -> None:
        if self._file is not None:
            with contextlib.suppress(sqlite3.Error):
                self._file.close()
            self._file = None

    def _begin_anew(self, why: str) -> None:
        log.error("the history %s cannot be read (%s): a new one is begun", self.path, why)
        self._let_go()
        path = self.path
        if path is not None:
            try:
                for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
                    path.with_name(name).unlink(missing_ok=True)
            except OSError as error:
                self._go_to_memory(str(error))

    def _go_to_memory(self, why: str) -> None:
        self._let_go()
        self.problem = f"the history cannot be kept in {self.path}: {why}"
        log.error("%s; it goes on in memory", self.problem)

    def _try_disk(self) -> None:
        """Try the disk again if it refused, and take along what happened meanwhile."""
        if self.problem is None or self.folder is None:
            return
        memory, self._file = self._file, None
        before, self.problem = self.problem, None
        try:
            self._opened().add(memory.all() if memory else [])
        except sqlite3.Error:
            self._let_go()
            self._file, self.problem = memory, before
        else:
            if memory is not None:
                memory.close()
            log.info("the history is kept in %s again", self.path)


def _joined(events: list[Event]) -> list[Event]:
    """Return events with those made one that are the same thing again, so that a flood is few rows' work."""
    kept: dict[int, Event] = {}
    places: dict[object, int] = {}
    for number, event in enumerate(events):
        place = places.get(event.lane)
        joined = event
        if place is not None and event.repeats(kept[place]):
            joined = event.after(kept.pop(place))
        kept[number] = joined
        places[event.lane] = number
    return list(kept.values())
