"""What is remembered of secondary zones besides their versions, written a little later, many zones in one go.

The journal holds a version before it is served; that is what a crash must not lose. The record beside it tells when a primary
confirmed the copy and how it was transferred. A crash in between loses that: the copy then counts as confirmed a second earlier.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

_CALM = 0.6  # seconds; no whole second, or who changes a zone each second would meet it each time


class Remembering(Protocol):
    """A zone that has something to be remembered."""

    retired: bool

    async def remember(self) -> None:
        """Put it on the disk."""


class LateRecords:
    """The zones whose records are to be written.

    Args:
        spawn: does something beside answering.

    """

    def __init__(self, spawn: Callable[[Coroutine[Any, Any, None], object], None]) -> None:
        self._spawn = spawn
        self._due: dict[int, Remembering] = {}
        self._is_writing = False

    def soon(self, zone: Remembering) -> None:
        """See to it that a zone's record is written."""
        self._due[id(zone)] = zone
        if not self._is_writing:
            self._is_writing = True
            self._spawn(self._write(), self)

    def is_due(self, zone: Remembering) -> bool:
        """Tell whether a zone's record is still to be written."""
        return id(zone) in self._due

    async def _write(self) -> None:
        try:
            while self._due:
                await asyncio.sleep(_CALM)
                due, self._due = self._due, {}
                for zone in due.values():
                    if not zone.retired:
                        await zone.remember()
        finally:
            self._is_writing = False
