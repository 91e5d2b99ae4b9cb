"""Finding something out once for all who want to know it, however many ask at the same time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_Key = TypeVar("_Key")
_Kind = TypeVar("_Kind")


async def once(known: dict[_Key, asyncio.Future[_Kind]], key: _Key, find: Callable[[], Awaitable[_Kind]]) -> _Kind:
    """Return what is known, or find it out; who stops waiting stops nobody else."""
    if key not in known:
        known[key] = asyncio.ensure_future(find())
    return await asyncio.shield(known[key])
