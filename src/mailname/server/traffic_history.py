"""The history of what was asked: every minute, what the counters have grown by is written down.

It is written by a thread, never in the way of answering, and serving never depends on it: where the disk does not take it, that
is said once, and the counts wait for the next minute. Killed at any moment, a server loses a minute of it at most.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mailname.server.clock import iso
from mailname.server.context import in_thread
from mailname.server.traffic_file import FILE, SPANS, Counts, TrafficFile, added
from mailname.server.traffic_report import MOST

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from dns.name import Name

    from mailname.server.clock import Clock

log = logging.getLogger("mailname")

MOST_SPANS = 1500  # in one answer
PARTS = ("questions", "answers", "limited", "types", "rcodes", "transports", "families", "edns", "do", "latency")


@dataclass(slots=True)
class TrafficHistory:
    """One server's.

    Attributes:
        folder: the state folder; None keeps nothing.
        report: returns what was counted since the start, as ``traffic_report.report`` does.
        clock: the server's.
        problem: why it is not written at the moment.

    """

    folder: Path | None
    report: Callable[[], Mapping[str, Any]]
    clock: Clock
    problem: str | None = None
    _noted: Counts = field(default_factory=dict)
    _task: asyncio.Task[None] | None = None
    _in_use: asyncio.Lock = field(default_factory=asyncio.Lock)

    def start(self) -> None:
        """Begin to write, at the end of each minute."""
        if self.folder is not None:
            self._task = asyncio.get_running_loop().create_task(self._each_minute(), name="the traffic of each minute")

    async def stop(self) -> None:
        """Write what was counted last, and end."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
            await self.note()

    async def _each_minute(self) -> None:
        while True:
            await asyncio.sleep(60 - self.clock.wall() % 60)
            await self.note()

    async def note(self) -> None:
        """Write down what the counters have grown by since the last time."""
        if self.folder is None:
            return
        async with self._in_use:
            counts = counted(self.report())
            grown = added(counts, self._noted, -1)
            if not grown.get("questions") and not grown.get("answers"):
                return
            try:
                await in_thread(self._add, self.folder, self.clock.wall() - 0.5, grown)  # half a second ago was that minute still
            except (sqlite3.Error, OSError) as error:
                if self.problem is None:
                    log.warning("the traffic cannot be kept in %s: %s; its counts wait", self.folder / FILE, error)
                self.problem = str(error)
            else:
                self._noted, self.problem = counts, None

    def _add(self, folder: Path, at: float, grown: Counts) -> None:
        with contextlib.closing(_opened(folder / FILE)) as file:  # nobody else can read it while it is open
            file.add(at, grown)

    async def told(self, span: str, most: int) -> list[dict[str, Any]]:
        """Return those of the last minutes, hours or days in which anything was asked, the oldest first."""
        if self.folder is None:
            return []
        try:
            async with self._in_use:
                rows = await in_thread(self._last, self.folder, span, most)
        except (sqlite3.Error, OSError) as error:
            log.warning("the traffic cannot be read from %s: %s", self.folder / FILE, error)
            return []
        seconds = SPANS[span][0]
        begin = self.clock.wall() - seconds * most
        return [{"start": iso(start), "seconds": seconds, **counts} for start, counts in rows if start >= begin]

    def _last(self, folder: Path, span: str, most: int) -> list[tuple[int, Counts]]:
        with contextlib.closing(_opened(folder / FILE)) as file:
            return file.last(span, most)


async def traffic_of(
    order: Mapping[str, Any], report: Callable[[int, Name | None], dict[str, Any]], history: TrafficHistory, apex: Name | None
) -> dict[str, Any]:
    """Answer the order ``traffic``: what was counted since the start, and, with ``history``, the last spans of that name."""
    most, span, spans = order.get("most", 20), order.get("history"), order.get("spans", 60)
    if not _is_number(most, 0, MOST):
        return {"ok": False, "says": f"most is a number from 0 to {MOST}"}
    if span is None:
        return {"ok": True, **report(most, apex)}
    if span not in SPANS or not _is_number(spans, 1, MOST_SPANS):
        return {"ok": False, "says": f"history is one of {', '.join(SPANS)}, and spans a number from 1 to {MOST_SPANS}"}
    await history.note()
    told = {"span": span, "problem": history.problem, "rows": await history.told(span, spans)}
    return {"ok": True, **report(most, apex), "history": told}


def _is_number(value: object, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def counted(report: Mapping[str, Any]) -> Counts:
    """Return of a report what is kept."""
    return {name: dict(part) if isinstance(part := report[name], dict) else int(part) for name in PARTS}


def _opened(path: Path) -> TrafficFile:
    try:
        return TrafficFile(path)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):  # the disk, not the file
            raise
        log.warning("%s is damaged (%s): it is put aside as %s.damaged, and a new one is begun", path, error, path.name)
        for end in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                path.with_name(path.name + end).replace(path.with_name(f"{path.name}.damaged{end}"))
        return TrafficFile(path)
