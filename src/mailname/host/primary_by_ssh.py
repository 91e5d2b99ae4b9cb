"""A primary on another host, asked and written to over SSH: as the user that the server runs as, and no other."""

from __future__ import annotations

import base64
import json
import shlex
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from mailname.errors import HostError

if TYPE_CHECKING:
    from mailname.host.ssh import Login, Ssh

CONTROL = PurePath("/run/mailname/control.sock")
_ABSENT = 44
_ASK = """import socket, sys
asking = socket.socket(socket.AF_UNIX)
asking.settimeout(60)
asking.connect(sys.argv[1])
asking.sendall(sys.stdin.buffer.read())
while told := asking.recv(1 << 16):
    sys.stdout.buffer.write(told)
"""


@dataclass(frozen=True, slots=True)
class PrimaryBySsh:
    """A primary that is reached over SSH.

    Its paths come from the server itself. Therefore nothing is done with more rights than it has: who had taken it over could
    otherwise have any file written.
    """

    ssh: Ssh
    login: Login
    control: PurePath = CONTROL

    def __str__(self) -> str:
        return f"{self.login.target}:{self.control}"

    async def ask(self, order: dict[str, Any]) -> dict[str, Any]:
        """Give the server an order, and return its answer."""
        words = f"python3 -I -c {shlex.quote(_ASK)} {shlex.quote(str(self.control))}"
        output = await self._as_server(words, json.dumps(order).encode() + b"\n", f"no server listens at {self}")
        try:
            answer = json.loads(output)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise HostError(f"the server at {self} sent no answer that can be read", step="control")
        return answer

    async def read(self, path: PurePath) -> bytes | None:
        """Return what a file of the server's holds; None where there is none."""
        quoted = shlex.quote(str(path))
        output = await self._as_server(
            "sh -c " + shlex.quote(f"if [ -e {quoted} ]; then echo there; base64 {quoted}; fi"), b"", f"{path} cannot be read"
        )
        there, _, text = output.partition(b"\n")
        return base64.b64decode(text) if there == b"there" else None

    async def write(self, path: PurePath, octets: bytes) -> None:
        """Replace a file of the server's as a whole."""
        folder, place, new = (shlex.quote(str(one)) for one in (path.parent, path, path.with_name(f".{path.name}.new")))
        order = f"mkdir -p {folder} && base64 -d > {new} && sync {new} && mv {new} {place}"
        await self._as_server("sh -c " + shlex.quote(order), base64.b64encode(octets) + b"\n", f"{path} cannot be written")

    async def remove(self, path: PurePath) -> None:
        """Remove a file of the server's."""
        await self._as_server(f"rm -f {shlex.quote(str(path))}", b"", f"{path} cannot be removed")

    async def _as_server(self, words: str, given: bytes, problem: str) -> bytes:
        """Run a command as the server's user; ``given`` is text for its standard input."""
        control = shlex.quote(str(self.control))
        script = f"owner=$(stat -c %U {control} 2>/dev/null) || exit {_ABSENT}\n"
        script += f"umask 027; exec runuser -u \"$owner\" -- {words} <<'END'\n{given.decode()}END\n"
        ran = await self.ssh.as_root(self.login, script)
        if ran.code == _ABSENT:
            raise HostError(f"no server listens at {self}", remedy="Put one there: mailname deploy PLAN", step="control")
        if ran.code:
            raise HostError(f"{problem}: {ran.last_words or f'exit code {ran.code}'}", step="control")
        return ran.output
