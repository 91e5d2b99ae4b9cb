"""Our side of the child process that pyinfra lives in: ``audit`` and ``apply``, one step at a time."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from mailname.errors import HostError

if TYPE_CHECKING:
    from types import TracebackType

    from mailname.host.change import Step
    from mailname.host.ssh import Login, Ssh

_PATIENCE = 1800.0  # seconds for one step: packages from a slow mirror
_LINE = 1 << 22  # octets
_NO_WAY = ("timed out", "No route to host", "unreachable")  # ssh's words


class LostError(HostError):
    """The connection to the host was lost in the middle of a step.

    Attributes:
        out_of_reach: there was no way to the host at all; else it closed a door that another login may find open.

    """

    out_of_reach = False


class Driver:
    """One host's child process. Its connections share one, so that it goes on when no new one is let in any more."""

    def __init__(self, ssh: Ssh, login: Login, seen_from: str) -> None:
        self._ssh, self._login, self._seen_from = ssh, login, seen_from
        self._folder = Path(tempfile.mkdtemp(prefix="mailname-"))
        self._child: asyncio.subprocess.Process | None = None

    @property
    def _options(self) -> tuple[str, ...]:
        path = f"ControlPath={self._folder / 's'}"
        return ("-o", "ControlMaster=auto", "-o", path, "-o", "ControlPersist=300")

    async def __aenter__(self) -> Self:
        self._child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "mailname.host.pyinfra_child",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=_LINE,
            start_new_session=True,
        )
        opening = {
            "host": self._login.target,
            "ssh": self._ssh.words(self._login.target, *self._options),
            "from": self._seen_from,
            "sudo": not self._login.is_root,
        }
        await self._send(opening)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        child = self._child
        if child is not None and child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()
        words = self._ssh.words(self._login.target, *self._options, "-O", "exit")
        ending = await asyncio.create_subprocess_exec(
            *words, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )
        await ending.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    async def _send(self, line: dict[str, Any]) -> None:
        assert self._child is not None
        assert self._child.stdin is not None
        with contextlib.suppress(ConnectionError):  # it has ended: the answer that does not come says so
            self._child.stdin.write(json.dumps(line).encode() + b"\n")
            await self._child.stdin.drain()

    async def _ask(self, do: str, step: Step) -> str:
        assert self._child is not None
        assert self._child.stdout is not None
        await self._send({"do": do, "step": step})
        try:
            async with asyncio.timeout(_PATIENCE):
                line = await self._child.stdout.readline()
        except TimeoutError:
            line = b""
        if not line:
            raise LostError(f"the preparation of {self._login.target} ended in the middle", step="prepare")
        said = json.loads(line)
        if said["says"] == "lost":
            lost = LostError(
                f"the connection to {self._login.target} was lost in the middle",
                remedy="Run it again when the host answers: what is done already is left as it is, and this is finished.",
                step="prepare",
            )
            lost.out_of_reach = any(mark in said.get("said", "") for mark in _NO_WAY)
            raise lost
        if said["says"] == "failed":
            raise HostError(said.get("said") or "it failed and said nothing", step="prepare")
        return str(said["says"])

    async def audit(self, step: Step) -> bool:
        """Tell whether a step would change something, as pyinfra sees the host. Raises HostError."""
        return await self._ask("audit", step) != "same"

    async def apply(self, step: Step) -> bool:
        """Do a step; tell whether it changed something. Raises HostError; LostError where the host is out of reach."""
        return await self._ask("apply", step) != "same"
