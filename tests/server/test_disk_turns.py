"""Work that waits for the disk, done for all who want it at once."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from typing import TYPE_CHECKING

import pytest

from mailname.errors import HostError
from mailname.server import disk_turns
from mailname.server.disk_turns import DiskTurns

if TYPE_CHECKING:
    from collections.abc import Sequence


class Work:
    """Returns each job's double; waits for ``going`` before."""

    def __init__(self) -> None:
        self.turns: list[list[int]] = []
        self.going = threading.Event()
        self.going.set()

    def __call__(self, jobs: Sequence[int]) -> list[int | Exception | None]:
        self.turns.append(list(jobs))
        self.going.wait(10)
        return [HostError(f"{one} is odd", step="write") if one % 2 else 2 * one for one in jobs]


class TestDiskTurns:
    async def test_a_lone_job_begins_at_once(self) -> None:
        work = Work()
        assert await DiskTurns(work).do(4) == 8
        assert work.turns == [[4]]

    async def test_who_comes_meanwhile_is_done_together(self) -> None:
        work = Work()
        work.going.clear()
        turns = DiskTurns(work)
        doing = [asyncio.ensure_future(turns.do(one)) for one in (2, 4, 6, 8)]
        await asyncio.sleep(0)
        work.going.set()
        assert await asyncio.gather(*doing) == [4, 8, 12, 16]
        assert work.turns == [[2], [4, 6, 8]]

    async def test_a_failure_is_its_own_job_s_alone(self) -> None:
        turns = DiskTurns(Work())
        first, second, third = await asyncio.gather(*(turns.do(one) for one in (2, 3, 4)), return_exceptions=True)
        assert (first, third) == (4, 8)
        assert isinstance(second, HostError)

    async def test_a_failure_keeps_nothing_alive(self) -> None:
        """Not even itself: many of them, each with all that was read, would wait for the garbage collector."""
        turns = DiskTurns(Work())
        gc.disable()
        try:
            with pytest.raises(HostError) as told:
                await turns.do(3)
            left = weakref.ref(told.value)
            del told
            await asyncio.sleep(0)
            assert left() is None
        finally:
            gc.enable()

    async def test_a_fault_of_ours_is_told_to_all_of_its_turn(self) -> None:
        def broken(jobs: Sequence[int]) -> list[int | Exception | None]:
            raise KeyError(len(jobs))

        turns = DiskTurns(broken)
        told = await asyncio.gather(*(turns.do(one) for one in (1, 2, 3)), return_exceptions=True)
        assert all(isinstance(one, KeyError) for one in told)
        with pytest.raises(KeyError):
            await turns.do(4)

    async def test_who_is_cancelled_waits_for_the_end_of_what_has_begun(self) -> None:
        work = Work()
        work.going.clear()
        doing = asyncio.ensure_future(DiskTurns(work).do(2))
        await asyncio.sleep(0)
        doing.cancel()
        await asyncio.sleep(0)
        assert not doing.done()
        work.going.set()
        with pytest.raises(asyncio.CancelledError):
            await doing


class Threads:
    """Work that tells which thread did it, and takes some seconds by a clock of its own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        self.takes = 0.0
        monkeypatch.setattr(disk_turns, "monotonic", lambda: self.now)

    def __call__(self, jobs: Sequence[int]) -> list[int | Exception | None]:
        self.now += self.takes
        return [HostError("odd", step="write") if one % 2 else threading.get_ident() for one in jobs]


class TestOnTheSpot:
    async def test_a_lone_job_needs_no_thread(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert await DiskTurns(Threads(monkeypatch), on_the_spot=True).do(2) == threading.get_ident()

    async def test_who_comes_soon_afterwards_is_done_in_a_thread(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Of ten thousand that come at once only the first holds up the event loop."""
        turns = DiskTurns(work := Threads(monkeypatch), on_the_spot=True)
        await turns.do(2)
        assert await turns.do(4) != threading.get_ident()
        work.now += 1
        assert await turns.do(6) == threading.get_ident()

    async def test_a_slow_disk_is_waited_for_in_a_thread_for_a_minute(self, monkeypatch: pytest.MonkeyPatch) -> None:
        turns = DiskTurns(work := Threads(monkeypatch), on_the_spot=True)
        work.takes = 0.5
        await turns.do(2)
        work.now += 59
        assert await turns.do(4) != threading.get_ident()
        work.now += 2
        assert await turns.do(6) == threading.get_ident()

    async def test_a_failure_is_raised_and_keeps_nothing_alive(self, monkeypatch: pytest.MonkeyPatch) -> None:
        turns = DiskTurns(Threads(monkeypatch), on_the_spot=True)
        gc.disable()
        try:
            with pytest.raises(HostError) as told:
                await turns.do(3)
            left = weakref.ref(told.value)
            del told
            assert left() is None
        finally:
            gc.enable()
