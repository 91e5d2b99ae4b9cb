"""A process that was too busy to look has heard nothing, and nobody was silent."""

from __future__ import annotations

import asyncio
import time

import pytest

from mailname.checks.patience import Expiry, soon


def be_busy() -> None:
    time.sleep(0.3)


class TestExpiry:
    async def test_lets_an_answer_through_that_came_while_the_process_was_busy(self) -> None:
        """The loop stands still for longer than the whole patience; then the answer is read first."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[bytes] = loop.create_future()
        Expiry(answer, 0.2)
        be_busy()
        loop.call_soon(lambda: loop.call_soon(answer.set_result, b"here"))
        assert await answer == b"here"

    async def test_ends_the_waiting_where_nothing_comes(self) -> None:
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        Expiry(answer, 0.1)
        with pytest.raises(TimeoutError):
            await answer

    async def test_that_is_cancelled_ends_nothing(self) -> None:
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        Expiry(answer, 0.01).cancel()
        await asyncio.sleep(0.05)
        assert not answer.done()


class TestSoon:
    async def test_gives_what_a_task_came_to_and_lets_others_go_on(self) -> None:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[int] = loop.create_future()
        done.set_result(3)
        later: asyncio.Future[int] = loop.create_future()
        assert await soon(done, 0.1) == 3
        assert await soon(later, 0.1) is None
        assert not later.done()
