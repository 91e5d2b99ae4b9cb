"""The servers that are measured, all started the same way: with one worker, on loopback, without a limit of rates."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
from typing import TYPE_CHECKING, Protocol

import dns.message
from bench.machine import compiled, tree, wait_until_idle
from bench.workloads import question
from tests.interop.mailname_server import MailnameFolder
from tests.interop.programs import find
from tests.interop.real_servers import Bind, Knot, Nsd, PrimaryZone, RealServer, free_port, until

if TYPE_CHECKING:
    from typing import Self

_PATIENCE = 600.0  # seconds until a server must have loaded its zones


class Measured(Protocol):
    """What can be measured: something with processes that answers at a port."""

    port: int
    seconds_to_start: float

    @property
    def pids(self) -> list[int]:
        """All its processes."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


def _serves(port: int, zone: str) -> bool:
    """Tell whether a server answers for a zone now; a closed port says so at once."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client, contextlib.suppress(OSError):
        client.settimeout(0.3)
        client.connect(("127.0.0.1", port))
        client.send(question(zone, "SOA", 1))
        answer = client.recv(4096)
        return len(answer) > 12 and bool(answer[2] & 0x04) and answer[3] & 0x0F == 0  # AA, NOERROR
    return False


class _Many(RealServer):
    """A server is up when its first and last zones are answered: asking for each of 100,000 would take longer than loading."""

    seconds_to_start = 0.0

    @property
    def pids(self) -> list[int]:
        return tree(self.pid)

    def start(self) -> None:
        super().start()
        wait_until_idle(self.pids, _PATIENCE)

    def _comes_up(self) -> bool:
        begin = time.monotonic()
        names = [zone.name for zone in self.zones]

        def loaded() -> bool:
            return all(_serves(self.port, name) for name in {names[0], names[-1]})

        up = until(lambda: self._has_ended() or loaded(), _PATIENCE) and not self._has_ended()
        self.seconds_to_start = time.monotonic() - begin
        return up


class _Bind(_Many, Bind):
    """Started with one worker thread (``-n 1``)."""


class _Nsd(_Many, Nsd):
    """Started with one server process."""


class _Knot(_Many, Knot):
    """Started with one UDP worker."""


class _Mailname(_Many, MailnameFolder):
    """Started with one UDP worker, from the compiled core where there is one."""

    variables: tuple[str, ...] = ()

    def __init__(self, zones: dict[str, str]) -> None:
        super().__init__(zones, arguments=("--workers", "1"))

    def _command(self) -> list[str]:
        return ["/usr/bin/env", *self.variables, *super()._command()]


class _Uncompiled(_Mailname):
    """From the sources of the same modules."""

    variables = ("MAILNAME_PURE=1",)


class Echo:
    """The physical limit: each question comes back, see echo.c."""

    def __init__(self) -> None:
        self.port = free_port()
        self.seconds_to_start = 0.0

    @property
    def pids(self) -> list[int]:
        return [self._process.pid]

    def __enter__(self) -> Self:
        self._process = subprocess.Popen([str(compiled("echo")), str(self.port)])
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()


OURS, UNCOMPILED, ECHO = "mailname", "mailname, uncompiled", "bare echo"
PEERS = {"BIND": (_Bind, "named"), "NSD": (_Nsd, "nsd"), "Knot": (_Knot, "knotd")}
PACKAGES = {"BIND": "bind9", "NSD": "nsd", "Knot": "knot"}


def is_compiled() -> bool:
    """Tell whether ``mailname`` runs its compiled core here."""
    import mailname.answer.plain as core

    return os.environ.get("MAILNAME_PURE") != "1" and not (core.__file__ or "").endswith(".py")


def installed() -> list[str]:
    """Return the peers that are on this machine."""
    return [name for name, (_, program) in PEERS.items() if find(program)]


def server(name: str, zones: dict[str, str]) -> Measured:
    """Return a server for these zones, not started yet."""
    if name == ECHO:
        return Echo()
    if name in PEERS:
        kind = PEERS[name][0]
        return kind([PrimaryZone(zone, text, allow_transfer=False) for zone, text in zones.items()])
    return (_Uncompiled if name == UNCOMPILED else _Mailname)(zones)


def ask(port: int, query: bytes) -> dns.message.Message:
    """Ask one question by UDP."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(2)
        client.connect(("127.0.0.1", port))
        for _ in range(3):
            client.send(query)
            try:
                return dns.message.from_wire(client.recv(65535), ignore_trailing=False)
            except TimeoutError:
                continue
    raise SystemExit(f"bench: no answer at port {port}")
