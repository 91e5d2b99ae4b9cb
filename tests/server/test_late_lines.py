"""Lines of the log that are written a moment later."""

from __future__ import annotations

import asyncio
import errno
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

    async def test_a_line_that_cannot_be_made_does_not_take_the_others_along(
        self, log: logging.Logger, stream: _Stream, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for text, given in (("one", ()), ("%d", ("two",)), ("three", ())):
            log.info(text, *given)
        log.handlers[0].flush()
        assert stream.getvalue() == "one\nthree\n"
        assert "Logging error" in capsys.readouterr().err

    async def test_lines_that_were_refused_together_are_counted_one_by_one(self) -> None:
        stream = _Refusing()
        logger = logging.Logger("late", logging.INFO)
        logger.addHandler(LateLines(stream))
        for line in ("one", "two", "three"):
            logger.info(line)
        logger.handlers[0].flush()
        stream.is_full = False
        logger.warning("four")
        assert stream.getvalue() == "lines of the log that could not be written: 3\nfour\n"

    def test_a_stream_that_refuses_is_forgiven_and_told(self, capsys: pytest.CaptureFixture[str]) -> None:
        """As on a full disk: no traceback, nobody who logs is disturbed, and the next line says what is missing."""
        stream = _Refusing()
        logger = logging.Logger("late", logging.INFO)
        logger.addHandler(LateLines(stream))
        for line in ("one", "two"):
            logger.info(line)
        stream.is_full = False
        logger.info("three")
        logger.info("four")
        assert stream.getvalue() == "lines of the log that could not be written: 2\nthree\nfour\n"
        assert capsys.readouterr().err == ""


class _Refusing(io.StringIO):
    """A file on a full disk."""

    is_full = True

    def write(self, text: str) -> int:
        if self.is_full:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(text)
