"""What is remembered of secondary zones besides their versions, written a little later, many zones in one go.

The journal holds a version before it is served; that is what a crash must not lose. The record beside it tells when a primary
confirmed the copy and how it was transferred. A crash in between loses that: the copy then counts as confirmed by the transfer
before. That is a second later, or as many as five while zone after zone changes.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

_AGAIN = 15.3  # seconds after which a disk that refused is tried again
_CALM = 0.6  # seconds; no whole second, or who changes a zone each second would meet it each time
_LATEST = 5.3  # seconds for which records wait while other zones go on changing: those are served first


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
        self._refused: dict[int, Remembering] = {}
        self._is_waiting = False

    def soon(self, zone: Remembering) -> None:
        """See to it that a zone's record is written."""
        self._due[id(zone)] = zone
        if not self._is_writing:
            self._is_writing = True
            self._spawn(self._write(), self)

    def is_due(self, zone: Remembering) -> bool:
        """Tell whether a zone's record is still to be written."""
        return id(zone) in self._due

    def again(self, zone: Remembering) -> None:
        """See to it that what the disk refused is tried again; whoever is refused once more says so by this."""
        self._refused[id(zone)] = zone
        if not self._is_waiting:
            self._is_waiting = True
            self._spawn(self._try_again(), self)

    async def _try_again(self) -> None:
        try:
            while self._refused:
                await asyncio.sleep(_AGAIN)
                refused, self._refused = self._refused, {}
                while refused:
                    zone = refused.pop(next(iter(refused)))
                    if not zone.retired:
                        await zone.remember()
                    if id(zone) in self._refused:  # one disk has them all: the others wait, and come first next time
                        self._refused = refused | self._refused
                        break
        finally:
            self._is_waiting = False

    async def _write(self) -> None:
        try:
            while self._due:
                await self._calm()
                due, self._due = self._due, {}
                await asyncio.gather(*(zone.remember() for zone in due.values() if not zone.retired))
        finally:
            self._is_writing = False

    async def _calm(self) -> None:
        """Wait until no other zone has come for a while: a storm of changes is over, or has lasted long."""
        loop = asyncio.get_running_loop()
        latest, known = loop.time() + _LATEST, 0
        while known < len(self._due) and loop.time() < latest:
            known = len(self._due)
            await asyncio.sleep(_CALM)
