"""The machine on which a name server runs: commands and files, here or elsewhere."""

from __future__ import annotations

import asyncio
import os
import shutil
from typing import TYPE_CHECKING, Protocol

from mailname.errors import HostError
from mailname.server.atomic import write_atomic
from mailname.server.program import run_program

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mailname.engines.engine import Words
    from mailname.server.program import Ran

# Debian puts daemons and their tools where an ordinary user's PATH does not look.
_DAEMONS = ("/usr/local/sbin", "/usr/sbin", "/sbin")


class Machine(Protocol):
    """Where a server's commands are run and its files lie. All methods raise HostError."""

    def __str__(self) -> str:
        """Say where, as in a message."""

    async def run(self, commands: Sequence[Words], seconds: float = 60.0) -> list[Ran]:
        """Run commands one after the other, each whatever became of the one before."""

    async def read(self, path: Path) -> bytes | None:
        """Return what a file holds; None where there is none."""

    async def write(self, path: Path, octets: bytes, *, mode: int = 0o644, group: str = "") -> None:
        """Replace a file as a whole, and make its folder where it lacks.

        Args:
            path: absolute.
            octets: its content.
            mode: its mode.
            group: who may read it besides its owner, where that user group exists and we may say so.

        """

    async def remove(self, path: Path) -> None:
        """Remove a file, or a folder with all that is in it; it need not be there."""


class ThisMachine:
    """The machine that mailname runs on."""

    def __str__(self) -> str:
        return "this machine"

    async def run(self, commands: Sequence[Words], seconds: float = 60.0) -> list[Ran]:
        """Run commands one after the other."""
        return [await self._run(words, seconds) for words in commands]

    async def _run(self, words: Words, seconds: float) -> Ran:
        program = shutil.which(words[0], path=daemon_path())
        if program is None:
            raise HostError(f"{words[0]} is not installed here", remedy=f"Find its package: apt-file search {words[0]}")
        try:
            return await run_program(program, *words[1:], seconds=seconds)
        except TimeoutError as error:
            raise HostError(f"{words[0]} did not end within {seconds:.0f} seconds", step="engine") from error
        except OSError as error:
            raise HostError(f"{words[0]} cannot be started: {error.strerror}", step="engine") from error

    async def read(self, path: Path) -> bytes | None:
        """Return what a file holds; None where there is none."""
        try:
            return await asyncio.to_thread(path.read_bytes)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise HostError(f"cannot read {path}: {error.strerror}", remedy="Look at its owner.", step="engine") from error

    async def write(self, path: Path, octets: bytes, *, mode: int = 0o644, group: str = "") -> None:
        """Replace a file as a whole."""
        await asyncio.to_thread(_write, path, octets, mode, group)

    async def remove(self, path: Path) -> None:
        """Remove a file, or a folder."""
        await asyncio.to_thread(_remove, path)


def daemon_path() -> str:
    """Return where programs are looked for."""
    return os.pathsep.join((os.environ.get("PATH", ""), *_DAEMONS))


def _write(path: Path, octets: bytes, mode: int, group: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HostError(f"cannot make {path.parent}: {error.strerror}", step="engine") from error
    write_atomic(path, octets, mode=mode, owner=(0, _group(group)) if group and _group(group) >= 0 else None)


def _group(name: str) -> int:
    """Return a group's number; -1 where there is none."""
    import grp

    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        return -1


def _remove(path: Path) -> None:
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise HostError(f"cannot remove {path}: {error.strerror}", step="engine") from error
