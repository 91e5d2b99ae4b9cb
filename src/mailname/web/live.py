"""Telling open pages that something changed: server-sent events, one stream for each page."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ALL = "*"
_KEEP_ALIVE = 15.0  # seconds: after which a comment is sent, so that nothing between us and the browser hangs up
_MOST_WAITING = 64  # events for a browser that does not read; it is told to look at everything then
MOST_STREAMS = 200
_BREATH = 3.0  # seconds between two events for a page of all domains, and for one of one domain
_SHORT_BREATH = 0.3


class Live:
    """Who listens, and for what.

    Attributes:
        number: that of the last change; a page tells with which one it was made, so that it misses none before it listens.

    """

    def __init__(self) -> None:
        self.number = 0
        self._changes: dict[str, int] = {}
        self._listeners: set[asyncio.Queue[str | None]] = set()
        self._closed = asyncio.Event()

    @property
    def is_full(self) -> bool:
        """Tell whether no further stream can be had."""
        return len(self._listeners) >= MOST_STREAMS

    def tell(self, domain: str) -> None:
        """Tell everybody that something about a domain changed."""
        self.number += 1
        self._changes[domain] = self.number
        for queue in self._listeners:
            if queue.qsize() < _MOST_WAITING:
                queue.put_nowait(domain)

    def close(self) -> None:
        """End all streams."""
        self._closed.set()
        for queue in self._listeners:
            queue.put_nowait(None)

    def _changed_since(self, domain: str, number: int) -> bool:
        if domain == ALL:
            return self.number > number
        return max(self._changes.get(domain, 0), self._changes.get(ALL, 0)) > number

    async def stream(self, domain: str, since: int) -> AsyncIterator[str]:
        """Yield what is to be sent to one page (HTML Living Standard, 9.2 Server-sent events).

        Args:
            domain: which one it shows; ``ALL``: every one.
            since: the number with which the page was made.

        """
        queue: asyncio.Queue[str | None] = asyncio.Queue()
        self._listeners.add(queue)
        try:
            yield "retry: 2000\n\n"
            if self._changed_since(domain, since):
                yield f"event: changed\ndata: {domain}\n\n"
            while not self._closed.is_set():
                try:
                    changed = await asyncio.wait_for(queue.get(), _KEEP_ALIVE)
                except TimeoutError:
                    yield ": still here\n\n"
                    continue
                if changed is None:
                    return
                if domain in (ALL, changed) or changed == ALL:
                    yield f"event: changed\ndata: {changed}\n\n"
                    await self._wait(_BREATH if domain == ALL else _SHORT_BREATH)
        finally:
            self._listeners.discard(queue)

    async def _wait(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._closed.wait(), seconds)
