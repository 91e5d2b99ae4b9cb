"""A server's own status, told by its host over SSH: without passwords, with known host keys only, and never waited for long."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

SSH_TIMEOUT = 20.0  # seconds for everything that goes over SSH to one host
_SSH = ("ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=8", "-o", "StrictHostKeyChecking=yes", "-T", "--")
_ORDER = ("mailname", "status", "--json")
_MOST_OUTPUT = 16 * 1024 * 1024  # octets of a status
_MOST_COMPLAINT = 4096
_LAST_WORDS = 1.0  # seconds for what ssh wrote before it ended


async def status_over_ssh(target: str) -> tuple[Mapping[str, Any] | None, str]:
    """Return a host's status, or None and why there is none."""
    try:
        code, output, complaint = await _run(*_SSH, target, *_ORDER)
    except TimeoutError:
        return None, f"no answer over SSH within {SSH_TIMEOUT:.0f} seconds"
    except OSError as error:
        return None, f"ssh cannot be started: {error.strerror}"
    try:
        status = json.loads(output)
    except ValueError:
        status = None
    if isinstance(status, dict) and isinstance(status.get("zones"), list):
        return status, ""
    last = complaint.decode("utf-8", "replace").strip().rpartition("\n")[2]
    return None, f"no status over SSH (exit code {code}): {last or 'no output'}"


async def _run(*words: str) -> tuple[int, bytes, bytes]:
    """Run a program; return its exit code and what it wrote. Raises OSError, TimeoutError.

    The pipes are ours, not asyncio's: a process that ssh leaves behind (ControlPersist) holds its end open for hours.
    """
    reading, writing = zip(os.pipe(), os.pipe(), strict=True)
    with contextlib.ExitStack() as ours:
        for end in reading:
            ours.callback(os.close, end)
        try:
            process = await asyncio.create_subprocess_exec(
                *words, stdin=asyncio.subprocess.DEVNULL, stdout=writing[0], stderr=writing[1], start_new_session=True
            )
        finally:
            for end in writing:
                os.close(end)
        output, complaint = _Reader(reading[0], _MOST_OUTPUT), _Reader(reading[1], _MOST_COMPLAINT)
        try:
            async with asyncio.timeout(SSH_TIMEOUT):
                code = await process.wait()
            await asyncio.wait([output.ended, complaint.ended], timeout=_LAST_WORDS)
        finally:
            output.stop()
            complaint.stop()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        return code, bytes(output.kept), bytes(complaint.kept)


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
