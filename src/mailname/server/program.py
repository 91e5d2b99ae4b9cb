"""Another program, run and never waited for too long, however it ends and whatever it leaves behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import tempfile
from dataclasses import dataclass

_MOST_OUTPUT = 16 * 1024 * 1024  # octets
_MOST_COMPLAINT = 65536
_LAST_WORDS = 1.0  # seconds for what a program wrote before it ended


@dataclass(frozen=True, slots=True)
class Ran:
    """How a program ended: its exit code, what it wrote, and the end of what it complained of."""

    code: int
    output: bytes
    complaint: bytes

    @property
    def last_words(self) -> str:
        """The last line of its complaint, or of its output."""
        said = self.complaint.strip() or self.output.strip()
        return said.decode("utf-8", "replace").rpartition("\n")[2].strip()


async def run_program(*words: str, seconds: float, given: bytes = b"") -> Ran:
    """Run a program. Raises OSError where it cannot be started, TimeoutError.

    The pipes are ours, not asyncio's: a process that ssh leaves behind (ControlPersist) holds its end open for hours.
    """
    reading, writing = zip(os.pipe(), os.pipe(), strict=True)
    with contextlib.ExitStack() as ours:
        stdin = ours.enter_context(tempfile.TemporaryFile())  # no pipe: nobody waits for a program that reads slowly
        stdin.write(given)
        stdin.seek(0)
        for end in reading:
            ours.callback(os.close, end)
        try:
            process = await asyncio.create_subprocess_exec(
                *words, stdin=stdin, stdout=writing[0], stderr=writing[1], start_new_session=True
            )
        finally:
            for end in writing:
                os.close(end)
        output, complaint = _Reader(reading[0], _MOST_OUTPUT), _Reader(reading[1], _MOST_COMPLAINT)
        try:
            async with asyncio.timeout(seconds):
                code = await process.wait()
            await asyncio.wait([output.ended, complaint.ended], timeout=_LAST_WORDS)
        finally:
            output.stop()
            complaint.stop()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        return Ran(code, bytes(output.kept), bytes(complaint.kept))


class _Reader:
    """Reads a pipe to its end, and keeps no more than ``most`` octets."""

    def __init__(self, pipe: int, most: int) -> None:
        self.kept = bytearray()
        self._pipe, self._most = pipe, most
        self._loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[None] = self._loop.create_future()
        os.set_blocking(pipe, False)
        self._loop.add_reader(pipe, self._read)

    def _read(self) -> None:
        with contextlib.suppress(BlockingIOError):
            piece = os.read(self._pipe, 1 << 16)
            self.kept += piece[: self._most - len(self.kept)]
            if not piece:
                self.stop()

    def stop(self) -> None:
        """Read no more."""
        self._loop.remove_reader(self._pipe)
        if not self.ended.done():
            self.ended.set_result(None)
