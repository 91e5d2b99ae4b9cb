"""Work that waits for the disk, done in one thread for all zones that want it at once.

The first one that comes begins at once. Whoever comes meanwhile waits for the next turn, in which all of them are done together:
one thread, one order to the disk, one message back to the event loop. What takes long is not for here.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

J = TypeVar("J")
R = TypeVar("R")

_MOST = 128  # done in one turn: who came first waits for no more


class DiskTurns(Generic[J, R]):
    """Does one kind of work, several jobs at a time.

    Args:
        work: does the jobs, in a thread, and returns the outcome of each in their order.

    """

    def __init__(self, work: Callable[[Sequence[J]], Sequence[R | Exception | None]]) -> None:
        self._work = work
        self._waiting: list[tuple[J, asyncio.Future[R | None]]] = []
        self._is_busy = False

    async def do(self, job: J) -> R | None:
        """Return what comes of a job, or raise it. Who is cancelled meanwhile still waits for its end."""
        outcome: asyncio.Future[R | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((job, outcome))
        if not self._is_busy:
            self._begin()
        try:
            return await asyncio.shield(outcome)
        except asyncio.CancelledError:
            await asyncio.wait([outcome])
            outcome.exception()  # looked at: nobody else will
            raise
        finally:
            del (
                outcome
            )  # whose exception leads here: the two would keep each other, and what was read, until garbage is looked for

    def _begin(self) -> None:
        some, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
        self._is_busy = True
        running = asyncio.get_running_loop().run_in_executor(None, self._work, [job for job, _ in some])
        running.add_done_callback(lambda done: self._end(done, [outcome for _, outcome in some]))

    def _end(self, done: asyncio.Future[Sequence[R | Exception | None]], waiting: list[asyncio.Future[R | None]]) -> None:
        self._is_busy = False
        if self._waiting:
            self._begin()
        fault = done.exception()
        results = [fault] * len(waiting) if fault is not None else done.result()
        for outcome, result in zip(waiting, results, strict=True):
            if isinstance(result, BaseException):
                outcome.set_exception(result)
            else:
                outcome.set_result(result)
