"""A primary and a secondary on loopback, what "publish" means to each kind, and who watches the secondary.

Publishing is what an operator's tool does from within: the new text is written, and the server is told by its own program,
mailname by its control socket, as ``mailname publish`` does it (the text is on the disk before the order). The order is not
waited for: the secondary is watched from the first moment on.
"""

from __future__ import annotations

import contextlib
import json
import select
import socket
import subprocess
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from bench.loading import small_zone
from bench.machine import tree
from bench.servers import OURS
from bench.workloads import question
from tests.interop.mailname_server import Mailname
from tests.interop.programs import find
from tests.interop.real_servers import LOOPBACK, Bind, Knot, Nsd, PrimaryZone, RealServer, SecondaryZone, free_port, until

from mailname.server.atomic import write_atomic

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path
    from typing import Self

QUIET = 6.0  # seconds between two edits of one zone: longer than any server holds back a NOTIFY
PAUSE = 0.0001  # seconds between an answer and the next question: who watches must leave the servers a core
_SILENCE = 0.3  # seconds until a question is asked again
PATIENCE = 300.0  # seconds for anything


class Order(Protocol):
    """An order on its way."""

    def is_done(self) -> bool:
        """Tell whether the server has taken it."""

    def wait(self) -> None:
        """Wait for the server's word. Raises SystemExit when it refuses."""


class _Command:
    """An order by a control program."""

    def __init__(self, command: Sequence[str]) -> None:
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def is_done(self) -> bool:
        return self._process.poll() is not None

    def wait(self) -> None:
        _, says = self._process.communicate(timeout=PATIENCE)
        if self._process.returncode:
            raise SystemExit(f"bench: an order was refused: {says.decode(errors='replace')}")


class _Line:
    """An order on our control socket."""

    def __init__(self, path: Path, order: dict[str, str]) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(PATIENCE)
        self._socket.connect(str(path))
        self._socket.sendall(json.dumps(order).encode() + b"\n")

    def is_done(self) -> bool:
        return bool(select.select([self._socket], [], [], 0)[0])

    def wait(self) -> None:
        with contextlib.closing(self._socket), self._socket.makefile("rb") as answer:
            said = json.loads(answer.readline())
        if not said["ok"]:
            raise SystemExit(f"bench: an order was refused: {said['says']}")


class _OrdersMixin(RealServer):
    """What the bench adds to a server: an order that is not waited for, and its processes."""

    @property
    def pids(self) -> list[int]:
        return tree(self.pid)

    def _comes_up(self) -> bool:
        """Wait for the first and the last zone: to ask for each of 10,000 would take longer than loading them."""
        names = [zone.name for zone in self.zones if isinstance(zone, PrimaryZone)]

        def loaded() -> bool:
            return self._answers() and all(self.serial(name) is not None for name in {*names[:1], *names[-1:]})

        return until(lambda: self._has_ended() or loaded(), PATIENCE) and not self._has_ended()

    def write(self, zone: str, text: str) -> None:
        """Replace a zone's text."""
        new = self.folder / "new"  # the former file may be one that others use as well: see put
        new.write_text(text)
        new.replace(self._file(zone))

    def put(self, zone: str, file: Path) -> None:
        """Take a file for a zone's text."""
        self._file(zone).unlink(missing_ok=True)
        self._file(zone).hardlink_to(file)

    def begin_reload(self, zone: str | None) -> Order:
        """Tell the server to read one zone's file again, or all."""
        raise NotImplementedError


class _Bind(_OrdersMixin, Bind):
    def begin_reload(self, zone: str | None) -> Order:
        return _Command([self.paths[1], "-c", str(self.folder / "rndc.conf"), "reload", *([zone] if zone else [])])


class _Nsd(_OrdersMixin, Nsd):
    def begin_reload(self, zone: str | None) -> Order:
        return _Command([self.paths[1], "-c", str(self.folder / "nsd.conf"), "reload", *([zone] if zone else [])])


class _Knot(_OrdersMixin, Knot):
    def begin_reload(self, zone: str | None) -> Order:
        return _Command([self.paths[1], "-c", str(self.folder / "knot.conf"), "zone-reload", *([zone] if zone else [])])


class _Mailname(_OrdersMixin, Mailname):
    def write(self, zone: str, text: str) -> None:
        write_atomic(self._file(zone), text.encode())

    def begin_reload(self, zone: str | None) -> Order:  # type: ignore[override]  # the tests' has another purpose
        return _Line(self.control, {"do": "reload"} | ({"zone": zone} if zone else {}))

    def _command(self) -> list[str]:
        return [*super()._command(), "--workers", "1"]


KINDS: dict[str, tuple[type[_OrdersMixin], str]] = {
    OURS: (_Mailname, ""),
    "BIND": (_Bind, "named"),
    "NSD": (_Nsd, "nsd"),
    "Knot": (_Knot, "knotd"),
}
# Many zones at once: what an operator of many zones sets, so that not a limit of questions per second is measured.
MANY = {
    "BIND": "serial-query-rate 5000; notify-rate 5000; transfers-in 100; transfers-per-ns 100; transfers-out 1000;",
    "NSD": "",
    "Knot": "    tcp-max-clients: 1000\n    background-workers: 2\n",
    OURS: "",
}


class Pair:
    """A primary and a secondary that knows nothing yet.

    Args:
        name: of what kind.
        zones: the zones' names; their texts are put or written before ``start``.
        options: lines for both servers' global sections.
        secondary: of what kind the secondary is, if it is another.

    """

    def __init__(self, name: str, zones: Sequence[str], options: str = "", secondary: str = "") -> None:
        kind, other = KINDS[name][0], KINDS[secondary or name][0]
        ports = free_port(), free_port()
        primaries = [PrimaryZone(zone, "", notify=((LOOPBACK, ports[1]),)) for zone in zones]
        self.name = f"{name} → {secondary}" if secondary else name
        self.primary = kind(primaries, options=options, port=ports[0])
        self.secondary = other([SecondaryZone(zone, (LOOPBACK, ports[0])) for zone in zones], options=options, port=ports[1])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.secondary.__exit__()
        self.primary.__exit__()


def pairs_of(names: Iterable[str]) -> list[str]:
    """Return which of these servers can be a pair here."""
    return [name for name in names if name in KINDS and (name == OURS or find(KINDS[name][1]))]


def changed_zone(serial: int) -> str:
    """Return a mail zone whose address changes with its serial."""
    text = small_zone().replace("hostmaster 1 ", f"hostmaster {serial} ", 1)
    return text.replace("192.0.2.3", f"192.0.2.{3 + serial % 200}")


@dataclass(slots=True)
class Watch:
    """Asks a server for one zone's serial, as often as it answers."""

    port: int
    zone: str
    _socket: socket.socket = field(init=False)
    _query: bytes = field(init=False)

    def __post_init__(self) -> None:
        self._query = question(self.zone, "SOA", 1)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(_SILENCE)
        self._socket.connect((LOOPBACK, self.port))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def serial(self) -> int | None:
        """Return the serial that is answered now; None for no answer, or one without it."""
        try:
            self._socket.send(self._query)
            return serial_in(self._socket.recv(4096))
        except OSError:  # nobody listens yet (that comes at once), or silence
            return None

    def until(self, serial: int, patience: float = PATIENCE) -> float:
        """Return when, by the monotonic clock, a serial at least as high was answered. Raises SystemExit where it never is."""
        deadline = time.monotonic() + patience
        while True:
            answered = self.serial()
            now = time.monotonic()
            if answered is not None and answered >= serial:
                return now
            if now > deadline:
                raise SystemExit(f"bench: the server at port {self.port} answers serial {answered} for {self.zone}, not {serial}")
            time.sleep(PAUSE)


def serial_in(answer: bytes) -> int | None:
    """Return the serial of an answer that is authoritative and whose first record is the SOA."""
    if len(answer) < 12 or not answer[2] & 0x04 or answer[3] & 0x0F or not int.from_bytes(answer[6:8], "big"):
        return None
    at = _after_name(answer, 12) + 4  # the question
    at = _after_name(answer, at)
    if answer[at : at + 2] != b"\0\x06":
        return None
    end = at + 10 + int.from_bytes(answer[at + 8 : at + 10], "big")
    return int.from_bytes(answer[end - 20 : end - 16], "big")


def _after_name(wire: bytes, at: int) -> int:
    while 0 < wire[at] < 0xC0:
        at += 1 + wire[at]
    return at + (2 if wire[at] else 1)
