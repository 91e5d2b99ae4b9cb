"""``mailname serve`` as a child process on loopback, with the same handles as BIND, Knot and NSD in ``real_servers``."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.interop.real_servers import LOOPBACK, PrimaryZone, RealServer, SecondaryZone, until

from mailname.server.control import ask

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.interop.real_servers import Key, Zone

_NOBODY = 9  # a port on which no secondary listens


def mailname_program() -> str:
    """Return the console script that was installed with the package under test."""
    return str(Path(sys.executable).with_name("mailname"))


class Mailname(RealServer):
    """``mailname serve --config FILE``, with a state folder and a control socket.

    Args:
        zones: what it serves.
        options: lines for the configuration's top level.
        port: where to listen; 0 takes a free port.
        more_addresses: addresses to listen on besides 127.0.0.1, on the same port; IPv6 in brackets.

    """

    def __init__(self, zones: Sequence[Zone], *, options: str = "", port: int = 0, more_addresses: tuple[str, ...] = ()) -> None:
        super().__init__(zones, options=options, port=port)
        self.more_addresses = more_addresses

    @property
    def control(self) -> Path:
        """The control socket."""
        return self.folder / "control"

    @property
    def state(self) -> Path:
        """The folder in which zones are kept."""
        return self.folder / "state"

    def order(self, do: str, zone: str | None = None) -> dict[str, Any]:
        """Give an order on the control socket."""
        return asyncio.run(ask(self.control, {"do": do} | ({"zone": zone} if zone else {}), timeout=600))

    def status(self, zone: str) -> dict[str, Any]:
        """Return what ``mailname status --json`` says of a zone."""
        found: dict[str, Any] = self.order("status", zone)["zones"][0]
        return found

    def wait_status(self, zone: str, so: Callable[[dict[str, Any]], object], timeout: float = 20.0) -> dict[str, Any]:
        """Wait until a zone's status is ``so`` and return it."""
        if not until(lambda: bool(so(self.status(zone))), timeout):
            raise AssertionError(f"{json.dumps(self.status(zone), indent=1)}\n{self.log()}")
        return self.status(zone)

    def reload(self, zone: str) -> None:
        answer = self.order("reload", zone)
        assert answer["ok"], answer

    def begin_reload(self, zone: str, seconds: float) -> None:
        """Order a reload and leave after some seconds, whether it is done or not."""
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as order:
            order.connect(str(self.control))
            order.sendall(json.dumps({"do": "reload", "zone": zone}).encode() + b"\n")
            order.settimeout(seconds)
            with contextlib.suppress(TimeoutError):
                order.recv(1)

    def key_file(self, key: Key) -> Path:
        """Return a file in BIND's form that holds a key, readable by its owner only."""
        path = self.folder / f"{key.name.rstrip('.')}.key"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(f'key "{key.name}" {{ algorithm {key.algorithm}; secret "{key.secret}"; }};\n')
        return path

    def _listen(self) -> list[str]:
        return [f"{address}:{self.port}" for address in (LOOPBACK, *self.more_addresses)]

    def _configure(self) -> None:
        lines = [f"listen = {json.dumps(self._listen())}", 'state = "state"', 'control = "control"', self.options]
        for key in self._keys.values():
            lines += ["[[key]]", f'file = "{self.key_file(key).name}"']
        for zone in self.zones:
            lines += self._zone(zone)
        (self.folder / "serve.toml").write_text("\n".join(lines) + "\n")

    def _zone(self, zone: Zone) -> list[str]:
        key = f'key = "{zone.key.name}"' if zone.key else ""
        lines = ["[[zone]]", f'name = "{zone.name}"']
        if isinstance(zone, SecondaryZone):
            address, port = zone.primary
            lines += ['role = "secondary"', f'allow_transfer = ["{LOOPBACK}/32"]']
            return [*lines, "[[zone.primary]]", f'address = "{address}"', f"port = {port}", key]
        lines += ['role = "primary"', f'file = "{self._file(zone.name).name}"']
        peers = zone.notify
        if zone.allow_transfer and not zone.key:
            lines.append(f'allow_transfer = ["{LOOPBACK}/32"]')
        elif zone.allow_transfer and not peers:
            peers = ((LOOPBACK, _NOBODY),)  # who may transfer with a key is a secondary
        for address, port in peers:
            lines += ["[[zone.secondary]]", f'address = "{address}"', f"port = {port}", key]
        return lines

    def _command(self) -> list[str]:
        return [mailname_program(), "serve", "--config", str(self.folder / "serve.toml")]


class MailnameFolder(Mailname):
    """``mailname serve --zones DIR``: primary zones only, nothing kept on disk, transfers to nobody unless ``arguments`` say so.

    Args:
        zones: name -> text.
        arguments: more words for the command line.
        more_addresses: as for ``Mailname``.

    """

    def __init__(self, zones: dict[str, str], *, arguments: tuple[str, ...] = (), more_addresses: tuple[str, ...] = ()) -> None:
        super().__init__([PrimaryZone(name, text) for name, text in zones.items()], more_addresses=more_addresses)
        self.arguments = arguments

    def _configure(self) -> None:
        """Nothing is configured: the folder says it all."""

    def _command(self) -> list[str]:
        listen = [word for at in self._listen() for word in ("--listen", at)]
        return [
            mailname_program(),
            "serve",
            "--zones",
            str(self.folder),
            *listen,
            "--control",
            str(self.control),
            *self.arguments,
        ]
