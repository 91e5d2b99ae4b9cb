"""Lines of the log that are written a moment later."""

from __future__ import annotations

import asyncio
import io
import logging
from typing import TYPE_CHECKING

import pytest

from mailname.server import late_lines
from mailname.server.late_lines import LateLines

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Stream(io.StringIO):
    """Tells that something was written."""

    def __init__(self) -> None:
        super().__init__()
        self.was_written = asyncio.Event()

    def write(self, text: str) -> int:
        self.was_written.set()
        return super().write(text)


@pytest.fixture
def stream() -> _Stream:
    return _Stream()


@pytest.fixture
def log(stream: _Stream) -> Iterator[logging.Logger]:
    logger = logging.Logger("late", logging.INFO)
    handler = LateLines(stream)
    logger.addHandler(handler)
    yield logger
    handler.close()


class TestLateLines:
    async def test_wait_for_a_moment(self, log: logging.Logger, stream: _Stream, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(late_lines, "_LATER", 0.001)
        log.info("one")
        log.info("two")
        assert stream.getvalue() == ""
        await stream.was_written.wait()
        assert stream.getvalue() == "one\ntwo\n"

    async def test_a_warning_goes_at_once_behind_what_came_before(self, log: logging.Logger, stream: _Stream) -> None:
        log.info("one")
        log.warning("two")
        assert stream.getvalue() == "one\ntwo\n"

    async def test_a_line_of_another_thread_goes_at_once_behind_what_came_before(
        self, log: logging.Logger, stream: _Stream
    ) -> None:
        log.info("one")
        await asyncio.to_thread(log.info, "two")
        assert stream.getvalue() == "one\ntwo\n"

    def test_go_at_once_without_an_event_loop(self, log: logging.Logger, stream: _Stream) -> None:
        log.info("one")
        assert stream.getvalue() == "one\n"

    def test_are_written_at_the_end(self, log: logging.Logger, stream: _Stream) -> None:
        """Whoever ends the program flushes what it logs to."""

        async def last() -> None:
            log.info("one")

        asyncio.run(last())
        for handler in log.handlers:
            handler.flush()
        assert stream.getvalue() == "one\n"
