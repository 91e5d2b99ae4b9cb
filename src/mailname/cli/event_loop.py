"""Run the asking, and let what stopped it be told as what it is: task groups wrap an error in groups of errors."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

_Kind = TypeVar("_Kind")


def run(work: Coroutine[object, object, _Kind]) -> _Kind:
    """Run to the end. Raises the first error itself, not the groups around it."""
    try:
        return asyncio.run(work)
    except BaseExceptionGroup as group:
        first: BaseException = group
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        raise first from group
