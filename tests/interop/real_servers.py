"""BIND, Knot and NSD as child processes on loopback, primary or secondary, for tests that compare or transfer.

Each server lives in a temporary folder of its own, reads no system configuration, and is up once it answers a SOA query. Use::

    with Knot([PrimaryZone("example.tech.", text, notify=(("127.0.0.1", 5353),), key=key)]) as primary:
        primary.publish("example.tech.", text_with_serial_2)
        with Bind([SecondaryZone("example.tech.", (primary.address, primary.port), key=key)]) as secondary:
            secondary.wait_serial("example.tech.", 2)
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
from tests.interop.programs import need
from tests.server.running import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LOOPBACK = "127.0.0.1"
_PATIENCE = 20.0  # seconds until a server that does not answer has failed


@dataclass(frozen=True, slots=True)
class Key:
    """A TSIG key; the secret is in base64."""

    name: str
    secret: str
    algorithm: str = "hmac-sha256"


@dataclass(frozen=True, slots=True)
class PrimaryZone:
    """A zone served from text. Transfers go to loopback, with ``key`` if there is one, unless ``allow_transfer`` is False."""

    name: str
    text: str
    notify: tuple[tuple[str, int], ...] = ()
    key: Key | None = None
    allow_transfer: bool = True


@dataclass(frozen=True, slots=True)
class SecondaryZone:
    """A zone transferred from ``primary`` (address, port), which may also send NOTIFY; signed with ``key`` if there is one."""

    name: str
    primary: tuple[str, int]
    key: Key | None = None


Zone = PrimaryZone | SecondaryZone


class RealServer(ABC):
    """One server process. Subclasses say how it is configured, started and told to reload.

    Args:
        zones: what it serves.
        options: lines for its global section, in its own language.
        port: where to listen, when that must be known beforehand; else a free port is taken.

    """

    programs: tuple[str, ...] = ()

    def __init__(self, zones: Sequence[Zone], *, options: str = "", port: int = 0) -> None:
        self.paths = need(*self.programs)
        self.zones = tuple(zones)
        self.options = options
        self.address = LOOPBACK
        self.port = port
        # A short path: Unix sockets allow about 100 octets.
        self.folder = Path(tempfile.mkdtemp(prefix="real-"))
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        """Start, on another port if somebody took ours meanwhile, and wait until each primary zone is answered.

        What was published before a stop or a kill is what is served again.
        """
        for zone in self.zones:
            if isinstance(zone, PrimaryZone) and not self._file(zone.name).exists():
                self._file(zone.name).write_text(zone.text)
        ports = [self.port] if self.port else [free_port() for _ in range(3)]
        for self.port in ports:
            self._configure()
            with self._log_file.open("ab") as log:
                self._process = subprocess.Popen(
                    self._command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder, start_new_session=True
                )
            if self._comes_up():
                return
            self.stop()
        raise AssertionError(f"{type(self).__name__} does not start:\n{self.log()}")

    def stop(self) -> None:
        """End the process and whatever it started; the folder stays, so ``start`` goes on from it on the same port."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(10)
        self._process = None

    def kill(self) -> None:
        """End the process and whatever it started with SIGKILL: it gets no chance to put anything in order."""
        assert self._process is not None, "not running"
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(10)
        self._process = None

    @property
    def pid(self) -> int:
        """Return the process id of the running server."""
        assert self._process is not None, "not running"
        return self._process.pid

    def is_running(self) -> bool:
        """Tell whether the process that was started is alive."""
        return not self._has_ended()

    def log(self) -> str:
        """Return all that the server has logged, restarts included."""
        return self._log_file.read_text(errors="replace") if self._log_file.exists() else ""

    def publish(self, zone: str, text: str) -> None:
        """Replace a primary zone's text and reload it."""
        self._file(zone).write_text(text)
        self.reload(zone)

    @abstractmethod
    def reload(self, zone: str) -> None:
        """Tell the server to load a zone's file again."""

    def ask(self, query: dns.message.Message, *, tcp: bool = False, timeout: float = 5.0) -> dns.message.Message:
        """Send a query and return the answer, truncated or not."""
        send = dns.query.tcp if tcp else dns.query.udp
        return send(query, self.address, timeout, self.port)

    def serial(self, zone: str) -> int | None:
        """Return the serial with which the server answers now, None while it does not."""
        try:
            answer = self.ask(dns.message.make_query(zone, "SOA"), timeout=1.0)
        except (OSError, dns.exception.DNSException):
            return None
        if answer.rcode() != dns.rcode.NOERROR or not answer.flags & dns.flags.AA:
            return None
        found = [rrset for rrset in answer.answer if rrset.rdtype == dns.rdatatype.SOA]
        return int(found[0][0].serial) if found else None

    def wait_serial(self, zone: str, serial: int, timeout: float = _PATIENCE) -> None:
        """Wait until the server answers with this serial; fail with its log when it does not in time."""
        if not until(lambda: self.serial(zone) == serial, timeout):
            raise AssertionError(f"{type(self).__name__} answers {self.serial(zone)}, not {serial}:\n{self.log()}")

    def wait_log(self, words: str, timeout: float = _PATIENCE) -> None:
        """Wait until the server has logged these words."""
        if not until(lambda: words in self.log(), timeout):
            raise AssertionError(f"{type(self).__name__} never logged {words!r}:\n{self.log()}")

    @property
    def _log_file(self) -> Path:
        return self.folder / "log"

    @property
    def _keys(self) -> dict[str, Key]:
        return {zone.key.name: zone.key for zone in self.zones if zone.key}

    def _file(self, zone: str) -> Path:
        return self.folder / f"{zone.rstrip('.') or 'root'}.zone"

    @abstractmethod
    def _configure(self) -> None:
        """Write the configuration for ``self.port`` into the folder."""

    @abstractmethod
    def _command(self) -> list[str]:
        """Return what to run; it stays in the foreground and logs to standard error."""

    def _run(self, *command: str) -> None:
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False, timeout=30)
        assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}\n{self.log()}"

    def _comes_up(self) -> bool:
        primaries = [zone.name for zone in self.zones if isinstance(zone, PrimaryZone)]

        def loaded() -> bool:
            return self._answers() and all(self.serial(zone) is not None for zone in primaries)

        return until(lambda: self._has_ended() or loaded(), _PATIENCE) and not self._has_ended()

    def _answers(self) -> bool:
        try:
            self.ask(dns.message.make_query("up.invalid.", "A"), timeout=0.3)
        except (OSError, dns.exception.DNSException):
            return False
        return True

    def _has_ended(self) -> bool:
        return self._process is None or self._process.poll() is not None


class Bind(RealServer):
    """ISC BIND 9's named."""

    programs = ("named", "rndc")

    def _configure(self) -> None:
        self._control_port = free_port()
        control = Key("control", "bWFpbG5hbWUncyBpbnRlcm9wIHRlc3RzIHNheSBoaQ==")
        keys = "".join(
            f'key "{key.name}" {{ algorithm {key.algorithm}; secret "{key.secret}"; }};\n'
            for key in [control, *self._keys.values()]
        )
        (self.folder / "rndc.conf").write_text(
            f'{keys}options {{ default-key "control"; default-server {LOOPBACK}; default-port {self._control_port}; }};\n'
        )
        (self.folder / "named.conf").write_text(
            f"""{keys}
controls {{ inet {LOOPBACK} port {self._control_port} allow {{ {LOOPBACK}; }} keys {{ "control"; }}; }};
options {{
    directory "{self.folder}"; pid-file none; session-keyfile none; listen-on port {self.port} {{ {LOOPBACK}; }};
    listen-on-v6 {{ none; }}; recursion no; dnssec-validation no; empty-zones-enable no; check-integrity no;
    check-names primary ignore; check-names secondary ignore; notify explicit; notify-delay 0; allow-transfer {{ none; }};
    masterfile-format text; min-refresh-time 1; min-retry-time 1; transfer-message-size 20480; {self.options}
}};
"""
            + "".join(map(self._zone, self.zones))
        )

    def _zone(self, zone: Zone) -> str:
        signed = f' key "{zone.key.name}"' if zone.key else ""
        allowed = f'key "{zone.key.name}";' if zone.key else f"{LOOPBACK};"
        if isinstance(zone, SecondaryZone):
            address, port = zone.primary
            body = f"type secondary; primaries {{ {address} port {port}{signed}; }}; allow-transfer {{ {allowed} }};"
        else:
            notify = " ".join(f"{address} port {port}{signed};" for address, port in zone.notify)
            allow = f"allow-transfer {{ {allowed} }};" if zone.allow_transfer else ""
            body = f"type primary; {allow} also-notify {{ {notify} }};"
        return f'zone "{zone.name}" {{ {body} file "{self._file(zone.name)}"; }};\n'

    def _command(self) -> list[str]:
        return [self.paths[0], "-g", "-n", "1", "-c", str(self.folder / "named.conf")]

    def reload(self, zone: str) -> None:
        self._run(self.paths[1], "-c", str(self.folder / "rndc.conf"), "reload", zone)


class Knot(RealServer):
    """CZ.NIC's knotd."""

    programs = ("knotd", "knotc")

    def _configure(self) -> None:
        keys = "".join(
            f"  - id: {key.name}\n    algorithm: {key.algorithm}\n    secret: {key.secret}\n" for key in self._keys.values()
        )
        remotes: list[str] = []
        access: list[str] = []
        zones = []
        for number, zone in enumerate(self.zones):
            signed = f"\n    key: {zone.key.name}" if zone.key else ""
            peers = [zone.primary] if isinstance(zone, SecondaryZone) else list(zone.notify)
            names = [f"peer{number}-{position}" for position, _ in enumerate(peers)]
            remotes += [
                f"  - id: {name}\n    address: {address}@{port}{signed}\n"
                for name, (address, port) in zip(names, peers, strict=True)
            ]
            access.append(f"  - id: acl{number}\n    address: {LOOPBACK}{signed}\n    action: [ transfer, notify ]\n")
            role = "master" if isinstance(zone, SecondaryZone) else "notify"
            allowed = isinstance(zone, SecondaryZone) or zone.allow_transfer
            zones.append(
                f"  - domain: {zone.name}\n    file: {self._file(zone.name)}\n"
                + (f"    acl: acl{number}\n" if allowed else "")
                + (f"    {role}: [ {', '.join(names)} ]\n" if names else "")
            )
        (self.folder / "knot.conf").write_text(
            f"server:\n    listen: {LOOPBACK}@{self.port}\n    rundir: {self.folder}\n    udp-workers: 1\n    tcp-workers: 1\n"
            f"    background-workers: 1\n{self.options}\n"
            f"database:\n    storage: {self.folder}\n    journal-db-max-size: 20M\n"
            "log:\n  - target: stderr\n    any: info\n"
            + _section("key", keys)
            + _section("remote", "".join(remotes))
            + _section("acl", "".join(access))
            + "template:\n  - id: default\n    semantic-checks: off\n    zonefile-sync: 0\n"
            + _section("zone", "".join(zones))
        )

    def _command(self) -> list[str]:
        return [self.paths[0], "-c", str(self.folder / "knot.conf")]

    def reload(self, zone: str) -> None:
        self._run(self.paths[1], "-c", str(self.folder / "knot.conf"), "zone-reload", zone)


class Nsd(RealServer):
    """NLnet Labs' nsd."""

    programs = ("nsd", "nsd-control")

    def _configure(self) -> None:
        keys = "".join(
            f"key:\n  name: {key.name}\n  algorithm: {key.algorithm}\n  secret: {key.secret}\n" for key in self._keys.values()
        )
        (self.folder / "nsd.conf").write_text(
            f"""server:
  ip-address: {LOOPBACK}@{self.port}
  server-count: 1
  username: ""
  zonesdir: "{self.folder}"
  database: ""
  pidfile: "{self.folder}/nsd.pid"
  xfrdfile: "{self.folder}/xfrd.state"
  zonelistfile: "{self.folder}/zone.list"
  xfrdir: "{self.folder}"
  cookie-secret-file: "{self.folder}/cookies"
  verbosity: 2
  xfrd-reload-timeout: 0
  rrl-ratelimit: 0
  {self.options}
remote-control:
  control-enable: yes
  control-interface: "{self.folder}/control"
{keys}"""
            + "".join(map(self._zone, self.zones))
        )

    def _zone(self, zone: Zone) -> str:
        key = zone.key.name if zone.key else "NOKEY"
        lines = [f"name: {zone.name}", f'zonefile: "{self._file(zone.name)}"']
        if isinstance(zone, SecondaryZone):
            address, port = zone.primary
            lines += [f"request-xfr: {address}@{port} {key}", f"allow-notify: {address} {key}", "min-refresh-time: 1"]
            lines += ["min-retry-time: 1", f"provide-xfr: {LOOPBACK} {key}"]
        else:
            lines += [f"notify: {address}@{port} {key}" for address, port in zone.notify]
            lines += [f"provide-xfr: {LOOPBACK} {key}"] if zone.allow_transfer else []
        return "zone:\n" + "".join(f"  {line}\n" for line in lines)

    def _command(self) -> list[str]:
        return [self.paths[0], "-d", "-c", str(self.folder / "nsd.conf")]

    def reload(self, zone: str) -> None:
        self._run(self.paths[1], "-c", str(self.folder / "nsd.conf"), "reload", zone)


def _section(name: str, body: str) -> str:
    return f"{name}:\n{body}" if body else ""


def until(done: Callable[[], bool], seconds: float = _PATIENCE) -> bool:
    """Wait until something is so; return False when it is not within ``seconds``."""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
