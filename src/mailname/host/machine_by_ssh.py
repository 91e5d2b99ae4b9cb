"""Commands and files of another machine, over SSH, with all rights: for the engines that are driven by commands.

Paths and commands come from our own engines and the plan, never from the host.
"""

from __future__ import annotations

import base64
import binascii
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailname.errors import HostError
from mailname.server.program import Ran

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import PurePath

    from mailname.host.ssh import Login, Ssh

_HEAD = """export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin SYSTEMD_PAGER= SYSTEMD_COLORS=0
cd /; d=$(mktemp -d) || exit 1; trap 'rm -rf "$d"' EXIT
ran() { timeout "$s" "$@" >"$d/o" 2>"$d/e" </dev/null; echo "$? $(base64 -w 0 "$d/o") $(base64 -w 0 "$d/e")"; }
"""
_MARGIN = 30.0  # seconds for SSH itself


@dataclass(frozen=True, slots=True)
class MachineBySsh:
    """A host that was logged in to."""

    ssh: Ssh
    login: Login

    def __str__(self) -> str:
        return self.login.target

    async def run(self, commands: Sequence[tuple[str, ...]], seconds: float = 60.0) -> list[Ran]:
        """Run commands one after the other, each whatever became of the one before."""
        if not commands:
            return []
        script = f"{_HEAD}s={seconds:.0f}\n" + "".join(f"ran {shlex.join(words)}\n" for words in commands)
        told = await self.ssh.as_root(self.login, script, seconds * len(commands) + _MARGIN)
        found = [_ran(line) for line in told.output.decode("ascii", "replace").splitlines()]
        if told.code or len(found) != len(commands):
            said = told.last_words or f"{len(found)} of {len(commands)} commands told how they ended"
            raise HostError(f"{self}: {said}", step="ssh")
        return found

    async def read(self, path: PurePath) -> bytes | None:
        """Return what a file holds; None where there is none."""
        (there,) = await self.run([("sh", "-c", 'if [ -e "$1" ]; then echo there && cat "$1"; fi', "sh", str(path))])
        if there.code:
            raise HostError(f"{self}: {path} cannot be read: {there.last_words}", step="engine")
        mark, _, octets = there.output.partition(b"\n")
        return octets if mark == b"there" else None

    async def write(self, path: PurePath, octets: bytes, *, mode: int = 0o644, group: str = "") -> None:
        """Replace a file as a whole; its content is in no argument of a program."""
        folder, place, new = (shlex.quote(str(one)) for one in (path.parent, path, path.with_name(f".{path.name}.new")))
        owner = f"chgrp {shlex.quote(group)} {new} && " if group else ""
        script = f"(umask 077; base64 -d > {new} <<'END'\n{base64.b64encode(octets).decode()}\nEND\n) && "
        script += f"{owner}chmod {mode:o} {new} && sync {new} && mv {new} {place}\n"
        ran = await self.ssh.as_root(self.login, f"mkdir -p {folder} && {script}")
        if ran.code:
            raise HostError(f"{self}: {path} cannot be written: {ran.last_words}", step="engine")

    async def remove(self, path: PurePath) -> None:
        """Remove a file, or a folder with all that is in it."""
        (ran,) = await self.run([("rm", "-rf", "--", str(path))])
        if ran.code:
            raise HostError(f"{self}: {path} cannot be removed: {ran.last_words}", step="engine")


def _ran(line: str) -> Ran:
    """Read one line of the script: the exit code, the output and the complaint."""
    try:
        code, output, complaint = line.split(" ")
        return Ran(int(code), base64.b64decode(output, validate=True), base64.b64decode(complaint, validate=True))
    except (ValueError, binascii.Error) as error:
        raise HostError("what came back over SSH cannot be read", step="ssh") from error
