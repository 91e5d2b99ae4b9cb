"""Work that waits for the disk, done in one thread for all zones that want it at once.

The first one that comes begins at once. Whoever comes meanwhile waits for the next turn, in which all of them are done together:
one thread, one order to the disk, one message back to the event loop. What takes long is not for here.

To hand work to a thread and back costs as much as a quick disk takes. Where nothing has been wanted for a while, one job may be
done on the spot; a disk that once lets it wait is waited for by a thread for a minute from then on.
"""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

J = TypeVar("J")
R = TypeVar("R")

_MOST = 128  # done in one turn: who came first waits for no more
_QUIET = 0.1  # seconds without a job, after which one is done on the spot
_SLOW = 0.01  # seconds that a job on the spot may take
_DISTRUST = 60.0  # seconds for which one that took longer is the last of its kind


class DiskTurns(Generic[J, R]):
    """Does one kind of work, several jobs at a time.

    Args:
        work: does the jobs, in a thread, and returns the outcome of each in their order.
        on_the_spot: a lone job may be done without a thread.

    """

    def __init__(self, work: Callable[[Sequence[J]], Sequence[R | Exception | None]], *, on_the_spot: bool = False) -> None:
        self._work = work
        self._quiet_from = 0.0 if on_the_spot else float("inf")
        self._waiting: list[tuple[J, asyncio.Future[R | None]]] = []
        self._is_busy = False

    async def do(self, job: J) -> R | None:
        """Return what comes of a job, or raise it. Who is cancelled meanwhile still waits for its end."""
        if not self._is_busy and monotonic() >= self._quiet_from:
            return self._done_on_the_spot(job)
        if self._quiet_from < float("inf"):
            self._quiet_from = max(self._quiet_from, monotonic() + _QUIET)
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

    def _done_on_the_spot(self, job: J) -> R | None:
        begin = monotonic()
        try:
            (result,) = self._work([job])
        finally:
            end = monotonic()
            self._quiet_from = end + (_QUIET if end - begin < _SLOW else _DISTRUST)
        if isinstance(result, Exception):
            try:
                raise result
            finally:
                del result  # whose traceback leads here
        return result

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
