"""Waiting for others, not for ourselves: time in which this process was too busy to look does not count as their silence."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

_Kind = TypeVar("_Kind")
_SLICE = 0.05  # seconds


async def patiently(work: Coroutine[object, object, _Kind], timeout: float) -> _Kind:
    """Wait for several steps over the network, ``timeout`` seconds in all. Raises TimeoutError.

    Time is counted in slices, between which whatever has arrived is looked at: a slice that lasts long because this process
    was busy counts as one.
    """
    task = asyncio.ensure_future(work)
    try:
        left = timeout
        while not task.done() and left > 0:
            await asyncio.wait([task], timeout=min(_SLICE, left))
            left -= _SLICE
        if not task.done():
            raise TimeoutError
        return task.result()
    finally:
        task.cancel()


async def soon(task: asyncio.Future[_Kind], timeout: float) -> _Kind | None:
    """Return what a task has come to, or None where it has not ended after so many seconds; it goes on."""
    left = timeout
    while not task.done() and left > 0:
        await asyncio.wait([task], timeout=min(_SLICE, left))
        left -= _SLICE
    return task.result() if task.done() else None


class Expiry:
    """Ends the waiting for an answer after so many seconds of listening: what arrived meanwhile is always read first."""

    def __init__(self, answer: asyncio.Future[bytes], timeout: float) -> None:
        """Begin to count."""
        self._answer, self._left = answer, timeout
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(min(_SLICE, timeout), self._tick)

    def cancel(self) -> None:
        """Stop counting."""
        self._timer.cancel()

    def _tick(self) -> None:
        self._left -= _SLICE
        if self._answer.done():
            return
        if self._left <= 0:
            self._answer.set_exception(TimeoutError())
        else:
            self._timer = self._loop.call_later(min(_SLICE, self._left), self._tick)
