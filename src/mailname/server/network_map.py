"""A world whose addresses lie elsewhere: each (address, port) of the plan's world is a loopback port of this machine.

The lab writes such a world to a *network file*, so that a second process (``mailname check --network FILE``, or a person's
``dig``) can look at the very same world. This module is the reading side, which needs nothing of the lab.

Only 127.0.0.1 is used, as macOS has no other loopback address. UDP and TCP share one port number, so that "TCP to the same
port" means the same here as outside.
"""

from __future__ import annotations

import asyncio
import errno
import json
import socket
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

import dns.exception
import dns.name

from mailname.errors import HostError
from mailname.server.network import Endpoint, IPAddress, SocketAddress, refused_port_remedy
from mailname.server.rehearsed_clock import RehearsedClock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dns.name import Name

SCHEMA = "mailname.network/1"
LOOPBACK = "127.0.0.1"


@dataclass(slots=True)
class MappedNetwork:
    """Implements ``Network``: talks to the loopback port that stands for an endpoint of the plan's world.

    Attributes:
        places: where each endpoint is found.
        root_hints: the world's root servers, by name and address.
        resolver: the world's recursive resolver, if it has one.
        control: the control socket of each name server that runs on this machine.
        zone_file: the file from which the primary loads the plan's zone.
        direct: the addresses are real; ``places`` is empty and not looked at (root, inside a network namespace).
        clock: the world's clock, where it does not run as ours does.

    """

    places: dict[Endpoint, tuple[str, int]] = field(default_factory=dict)
    root_hints: tuple[tuple[Name, IPAddress], ...] = ()
    resolver: Endpoint | None = None
    control: dict[Name, Path] = field(default_factory=dict)
    zone_file: Path | None = None
    direct: bool = False
    clock: RehearsedClock | None = None

    def place(self, of: Endpoint) -> tuple[str, int]:
        """Return the socket address that stands for an endpoint.

        Raises:
            OSError: EHOSTUNREACH for an address that nobody has, ECONNREFUSED for a port that its host does not serve.

        """
        if self.direct:
            return str(of.address), of.port
        if place := self.places.get(of):
            return place
        if any(known.address == of.address for known in self.places):
            raise ConnectionRefusedError(errno.ECONNREFUSED, f"nothing listens at {of}")
        raise OSError(errno.EHOSTUNREACH, f"nobody has the address {of.address} in this network")

    def listen_udp(self, at: Endpoint) -> socket.socket:
        """Bind the UDP port that stands for ``at``."""
        return bind(socket.SOCK_DGRAM, self._place_to_listen(at), at)

    def listen_tcp(self, at: Endpoint) -> socket.socket:
        """Listen on the TCP port that stands for ``at``."""
        listening = bind(socket.SOCK_STREAM, self._place_to_listen(at), at)
        listening.listen(128)
        return listening

    def _place_to_listen(self, at: Endpoint) -> tuple[str, int]:
        try:
            return self.place(at)
        except OSError as error:
            raise HostError(
                f"cannot listen on {at}: the network file has no place for it",
                remedy="Use an address of the rehearsal that wrote the file.",
                step="listen",
            ) from error

    def open_udp(self, to: Endpoint, source: IPAddress | None = None) -> socket.socket:
        """Connect a UDP socket to the port that stands for ``to``."""
        return connect_udp(self.place(to), source if self.direct else None)

    async def open_tcp(self, to: Endpoint, source: IPAddress | None = None) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect a TCP stream to the port that stands for ``to``."""
        local = (str(source), 0) if source is not None and self.direct else None
        host, port = self.place(to)
        return await asyncio.open_connection(host, port, local_addr=local)

    def peer(self, seen: SocketAddress) -> Endpoint:
        """Return the sender as seen, or whom it stands for when that is a port on which somebody listens.

        Who else hides behind a loopback port, a process that only read the file cannot know.
        """
        known = next((at for at, place in self.places.items() if place == tuple(seen[:2])), None)
        if known is not None and not self.direct:
            return known
        return Endpoint(ip_address(seen[0].partition("%")[0]), seen[1])

    def to_text(self) -> str:
        """Write the network file's text."""
        return (
            json.dumps(
                {
                    "schema": SCHEMA,
                    "places": [{"address": str(at.address), "port": at.port, "to": list(to)} for at, to in self.places.items()],
                    "root_hints": [[name.to_text(), str(address)] for name, address in self.root_hints],
                    "resolver": [str(self.resolver.address), self.resolver.port] if self.resolver else None,
                    "control": {name.to_text(): str(path) for name, path in self.control.items()},
                    "zone_file": str(self.zone_file) if self.zone_file else None,
                    "direct": self.direct,
                    "clock": self.clock.to_json() if self.clock else None,
                },
                indent=1,
            )
            + "\n"
        )

    def save(self, file: Path) -> None:
        """Write the network file whole, or leave the old one."""
        new = file.with_name(f".{file.name}.new")
        new.write_text(self.to_text(), encoding="utf-8")
        new.replace(file)

    @classmethod
    def parse(cls, text: str, file: str) -> MappedNetwork:
        """Read a network file's text.

        Raises:
            HostError: it is not a network file, or of a kind that this version does not know.

        """
        with _told_as_host_error(file):
            read = json.loads(text)
            if read["schema"] != SCHEMA:
                raise ValueError(f"its schema is {read['schema']!r}, not {SCHEMA!r}")
            resolver = read.get("resolver")
            zone_file = read.get("zone_file")
            return cls(
                places={_endpoint(one["address"], one["port"]): (str(one["to"][0]), int(one["to"][1])) for one in read["places"]},
                root_hints=tuple((dns.name.from_text(name), ip_address(address)) for name, address in read["root_hints"]),
                resolver=_endpoint(*resolver) if resolver else None,
                control={dns.name.from_text(name): Path(path) for name, path in read.get("control", {}).items()},
                zone_file=Path(zone_file) if zone_file else None,
                direct=bool(read.get("direct", False)),
                clock=RehearsedClock.from_json(read["clock"]) if read.get("clock") else None,
            )

    @classmethod
    def load(cls, file: Path) -> MappedNetwork:
        """Read a network file.

        Raises:
            HostError: the file cannot be read or is not a network file.

        """
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = "it is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else error.strerror
            raise HostError(
                f"cannot read the network file {file}: {why}",
                remedy="A rehearsal writes it while it runs: mailname rehearse PLAN --serve",
                step="network",
            ) from error
        return cls.parse(text, str(file))


def bind(kind: socket.SocketKind, place: tuple[str, int], stands_for: Endpoint) -> socket.socket:
    """Bind a non-blocking socket to a place.

    Raises:
        HostError: the place is taken or not ours.

    """
    bound = socket.socket(socket.AF_INET6 if ":" in place[0] else socket.AF_INET, kind)
    try:
        if kind == socket.SOCK_STREAM:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.setblocking(False)
        bound.bind(place)
    except OSError as error:
        bound.close()
        transport = "TCP" if kind == socket.SOCK_STREAM else "UDP"
        raise HostError(
            f"cannot listen on {place[0]} port {place[1]} ({transport}), which stands for {stands_for}: {error.strerror}",
            remedy=refused_port_remedy(error, place[1]),
            step="listen",
        ) from error
    return bound


def connect_udp(place: tuple[str, int], source: IPAddress | None) -> socket.socket:
    """Return a non-blocking UDP socket that is connected to a place."""
    opened = socket.socket(socket.AF_INET6 if ":" in place[0] else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        opened.setblocking(False)
        if source is not None:
            opened.bind((str(source), 0))
        opened.connect(place)
    except OSError:
        opened.close()
        raise
    return opened


def _endpoint(address: str, port: int) -> Endpoint:
    return Endpoint(ip_address(address), int(port))


@contextmanager
def _told_as_host_error(file: str) -> Iterator[None]:
    try:
        yield
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, dns.exception.DNSException) as error:
        reason = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)
        raise HostError(
            f"{file} is not a network file: {reason}",
            remedy="Let `mailname rehearse PLAN --serve` write it again.",
            step="network",
        ) from error
