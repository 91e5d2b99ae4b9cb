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
