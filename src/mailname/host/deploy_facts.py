"""What stands on a host before a name server is put there: asked over SSH, nothing changed, and no secret told."""

from __future__ import annotations

import base64
import binascii
import shlex
import time
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from mailname.host.archive import Interpreter, version_of
from mailname.host.facts import Facts, read_told
from mailname.host.script import COMMANDS, told_script

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import PurePath

    from mailname.host.ssh import Login, Ssh

#: Where releases lie, and what was there before the change that is under way.
TOP = PurePosixPath("/opt/mailname")
_PYTHON = """python3 -I -c 'import asyncio, ctypes, hashlib, platform, sqlite3, ssl, sys, zlib
print(*sys.version_info[:2], platform.machine())'"""

_COMMANDS = {
    **{name: COMMANDS[name] for name in ("uid", "login", "now", "listening", "processes", "addresses")},
    "disk": "df -P -B 1 /opt /etc /var",
    "init": "cat /proc/1/comm; systemctl --version",
    "python": _PYTHON,
    "offered-python": "apt-cache policy python3 | sed -n 's/^ *Candidate: *//p'",
    "machine-type": "uname -m",
    "libc": "getconf GNU_LIBC_VERSION",
    "release": f"readlink {TOP}/current",
    "releases": f"ls {TOP}/releases",
    "underway": f"test -e {TOP}/before/whole && echo yes",
    "enabled": "systemctl is-enabled mailname.socket mailname.service",
    "active": "systemctl is-active mailname.socket mailname.service",
    "member": 'id -nG "${SUDO_USER:-root}"',
}


@dataclass(frozen=True, slots=True)
class Kept:
    """A file as it is on the host. Of a secret, only its digest is known."""

    mode: int
    owner: str
    octets: bytes = b""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands on a host.

    Attributes:
        facts: each command's output.
        files: those of the files that were asked for that are there.
        behind: seconds that the host's clock is behind ours, or ahead if negative; None where it did not tell.

    """

    login: Login
    facts: Facts
    files: Mapping[str, Kept] = field(default_factory=dict)
    behind: float | None = None

    @property
    def interpreter(self) -> Interpreter | None:
        """The host's Python; None where there is none that can be used."""
        words = self.facts["python"].text.split()
        if self.facts["python"].code or len(words) != 3:
            return None
        return Interpreter((int(words[0]), int(words[1])), words[2], self._libc)

    @property
    def offered(self) -> Interpreter | None:
        """The Python that apt would install."""
        version = version_of(self.facts["offered-python"].text)
        if self.facts["offered-python"].code or len(version) != 2:
            return None
        return Interpreter((version[0], version[1]), self.facts["machine-type"].text.strip(), self._libc)

    @property
    def _libc(self) -> tuple[int, ...]:
        return version_of(self.facts["libc"].text)

    @property
    def systemd(self) -> int:
        """Its version, 0 where the host is not run by systemd."""
        lines = self.facts["init"].lines
        words = lines[1].split() if len(lines) > 1 and lines[0] == "systemd" else []
        return int(words[1]) if len(words) > 1 and words[1].isdecimal() else 0

    @property
    def release(self) -> str:
        """The digest of the release that is in use; empty where there is none."""
        return "" if self.facts["release"].code else self.facts["release"].text.strip().rpartition("/")[2]

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses of its own interfaces."""
        return tuple(words[3].partition("/")[0] for line in self.facts["addresses"].lines if len(words := line.split()) > 3)

    @property
    def runs(self) -> bool:
        """Whether both units are active, and start at boot."""
        wanted = (("enabled", "enabled"), ("active", "active"))
        return all(self.facts[name].text.split() == [word, word] for name, word in wanted)

    @property
    def has_anything(self) -> bool:
        """Whether anything was deployed there."""
        return bool(self.files) or not self.facts["releases"].code or self.is_under_way

    @property
    def is_under_way(self) -> bool:
        """Whether an earlier deployment was cut off in the middle."""
        return self.facts["underway"].text == "yes"

    @property
    def user(self) -> str:
        """Who logged in there."""
        return self.facts["login"].text.strip()


async def stand(ssh: Ssh, login: Login, files: Iterable[PurePath], secrets: Iterable[PurePath]) -> Standing:
    """Ask a host what stands there.

    Args:
        ssh: how SSH is called.
        login: the way in.
        files: whose text is wanted.
        secrets: of which only a digest is wanted.

    Raises:
        HostError: SSH fails, or what came back is not whole.

    """
    commands = dict(_COMMANDS)
    wanted = {f"file{number}": (str(path), False) for number, path in enumerate(files)}
    wanted |= {f"secret{number}": (str(path), True) for number, path in enumerate(secrets)}
    for name, (path, is_secret) in wanted.items():
        quoted = shlex.quote(path)
        commands[name] = f"stat -c '%a %U:%G' {quoted} && " + (f"sha256sum < {quoted}" if is_secret else f"base64 -w 0 {quoted}")
    before = time.time()
    ran = await ssh.as_root(login, told_script(commands))
    told = read_told(ran.output.decode("utf-8", "replace"))
    kept = {}
    for name, (path, is_secret) in wanted.items():
        lines = told[name].lines
        if told[name].code or not lines:
            continue
        mode, owner = lines[0].split(" ", 1)
        said = lines[1] if len(lines) > 1 else ""
        if is_secret:
            kept[path] = Kept(int(mode, 8), owner, digest=said.split(" ")[0])
        else:
            kept[path] = Kept(int(mode, 8), owner, octets=_decoded(said))
    facts = Facts(told)
    return Standing(login, facts, kept, _behind(facts, before, time.time()))


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""


def _behind(facts: Facts, before: float, after: float) -> float | None:
    """Return how far the host's clock is behind the span in which it was asked; 0 inside of it."""
    try:
        there = float(facts["now"].text)
    except ValueError:
        return None
    return 0.0 if before <= there <= after else before - there if there < before else after - there
