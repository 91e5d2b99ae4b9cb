"""Lines of the log, written a moment after what they tell: whoever waits for a change does not wait for its lines.

Warnings and errors are written at once, with all that came before them. A process that is killed loses the other lines of the
last twentieth of a second. Where lines cannot be written, as on a full disk, they are counted, and the next one tells it.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO

_LATER = 0.05  # seconds


class _Forgiving:
    """A stream that refuses nothing: a log on a full disk must not fill up with complaints about the log."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._refused = 0

    def write(self, text: str, lines: int = 1) -> None:
        """Write lines, behind how many were refused before them."""
        try:
            self._stream.write(f"lines of the log that could not be written: {self._refused}\n{text}" if self._refused else text)
            self._stream.flush()
        except OSError:
            self._refused += lines
        else:
            self._refused = 0

    def flush(self) -> None:
        """Do nothing: each line is written at once."""


class LateLines(logging.StreamHandler[_Forgiving]):
    """Writes lines to a stream, those of the event loop's thread later and in one go. Each has the time at which it came."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(_Forgiving(stream))
        self._waiting: list[logging.LogRecord] = []
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line of the event loop for later; write any other one, behind those that wait."""
        if record.levelno < logging.WARNING and threading.get_ident() == self._thread and self._is_called_later():
            self._waiting.append(record)
        else:
            self._write()
            super().emit(record)

    def _is_called_later(self) -> bool:
        """See to it that what waits is written; there is no event loop at the start and the end."""
        if self._waiting:
            return True
        try:
            asyncio.get_running_loop().call_later(_LATER, self.flush)
        except RuntimeError:
            return False
        return True

    def _write(self) -> None:
        waiting, self._waiting = self._waiting, []
        lines = []
        for record in waiting:
            try:
                lines.append(f"{self.format(record)}\n")
            except (TypeError, ValueError):  # its arguments do not fit its text
                self.handleError(record)
        if lines:
            self.stream.write("".join(lines), len(lines))

    def flush(self) -> None:
        """Write what waits."""
        self.acquire()
        try:
            if self._waiting:
                self._write()
            super().flush()
        finally:
            self.release()
