"""The lab's network: it gives out loopback ports, and knows within this process who a sender is.

Outside this process (``dig``, ``mailname check --network``) everyone is a stranger, as on the Internet. Inside it, a socket that
was opened *from* an address of the plan's world is seen with that address, so that "only the secondaries may transfer" and
"only the primary may notify" are decided by the real code on real packets.

With ``direct=True`` the addresses are real ones (root, inside a network namespace) and only cut paths and silent ports remain
of all this.
"""

from __future__ import annotations

import asyncio
import errno
import random
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from mailname.errors import HostError
from mailname.lab.packet_filter import PacketFilter
from mailname.lab.paths import Paths
from mailname.server.network import Endpoint, IPAddress, SocketAddress
from mailname.server.network_map import LOOPBACK, MappedNetwork, bind, connect_udp

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mailname.lab.paths import Transport

# Below the ephemeral ranges of Linux (32768-60999) and macOS (49152-65535): no client's socket ever lands on a lab's port.
_PORTS = range(20000, 32000)
# A closed socket's last datagram may still wait in the receiver's queue; after this many seconds it does not.
_REMEMBERED = 5.0
# Connections that fill the shortest queue of a listening socket.
_CROWD = 4
# How long a connect on a cut path takes to fail. A kernel waits two minutes; a rehearsal is shorter.
_CONNECT_PATIENCE = 0.25


@dataclass(slots=True)
class _Sender:
    """Who holds a loopback port, and when he let go of it (monotonic seconds)."""

    address: IPAddress
    left: float | None = None


class _SenderSocket(socket.socket):
    """A client's socket that notes when it is closed, so that a stranger on the same port is not taken for its owner."""

    sender: _Sender

    def close(self) -> None:
        if self.sender.left is None:
            self.sender.left = time.monotonic()
        super().close()


class LabNetwork(MappedNetwork):
    """Implements ``Network`` for everything that lives in the lab's process. Close it when all of them have stopped."""

    def __init__(self, *, direct: bool = False) -> None:
        super().__init__(direct=direct)
        #: Loopback addresses from which other programs speak -> whom they stand for.
        self.aliases: dict[IPAddress, IPAddress] = {}
        self.paths = Paths(PacketFilter.of_this_namespace() if direct else None)
        self._senders: dict[int, _Sender] = {}
        self._reserved: dict[Endpoint, tuple[socket.socket, socket.socket]] = {}
        self._walls: dict[tuple[Endpoint, str], socket.socket] = {}
        self._waiting: list[socket.socket] = []
        self._next = random.SystemRandom().randrange(len(_PORTS))

    def reserve(self, at: Endpoint) -> None:
        """Give an endpoint a loopback port on which nothing answers: UDP and TCP are refused until somebody listens."""
        if self.direct or at in self._reserved or self._has_wall(at):
            return
        if known := self.places.get(at):
            self._reserved[at] = _closed_pair(known[1], at)
            return
        for _ in _PORTS:
            port = _PORTS[self._next]
            self._next = (self._next + 1) % len(_PORTS)
            try:
                self._reserved[at] = _closed_pair(port, at)
            except HostError:
                continue
            self.places[at] = (LOOPBACK, port)
            return
        raise HostError(
            f"no loopback port from {_PORTS.start} to {_PORTS.stop - 1} is free for {at}",
            remedy="See who holds them: ss -lntu",
            step="lab",
        )

    def _has_wall(self, at: Endpoint) -> bool:
        return (at, "udp") in self._walls or (at, "tcp") in self._walls

    def release(self, at: Endpoint) -> None:
        """Let go of a reserved port, so that a server can bind it."""
        for held in self._reserved.pop(at, ()):
            held.close()

    def listen_udp(self, at: Endpoint) -> socket.socket:
        """Bind the UDP port that stands for ``at``; behind a wall, if the port is silent."""
        return self._listen(socket.SOCK_DGRAM, at)

    def listen_tcp(self, at: Endpoint) -> socket.socket:
        """Listen on the TCP port that stands for ``at``; behind a wall, if the port is silent."""
        listening = self._listen(socket.SOCK_STREAM, at)
        listening.listen(128)
        return listening

    def _listen(self, kind: socket.SocketKind, at: Endpoint) -> socket.socket:
        if not self.direct and at not in self.places:
            self.reserve(at)
        self.release(at)
        transport: Transport = "udp" if kind == socket.SOCK_DGRAM else "tcp"
        if not self.paths.is_silent(at, transport):
            return bind(kind, self.place(at), at)
        if (at, transport) not in self._walls:
            wall = bind(kind, self.place(at), at)
            self._walls[at, transport] = wall
            if kind == socket.SOCK_STREAM:
                self._crowd(wall)
        # The server runs on, on a port that nobody knows: to the outside only the wall is there, and it never answers.
        return bind(kind, (LOOPBACK, 0), at)

    def _crowd(self, wall: socket.socket) -> None:
        """Fill the queue of a listening socket that nobody accepts from: who connects then waits, as behind a packet filter."""
        wall.listen(0)
        for _ in range(_CROWD):
            waiting = socket.socket(wall.family, socket.SOCK_STREAM)
            waiting.setblocking(False)
            waiting.connect_ex(wall.getsockname())
            self._waiting.append(waiting)

    def open_udp(self, to: Endpoint, source: IPAddress | None = None) -> socket.socket:
        """Connect a UDP socket, seen by the lab's servers with the address ``source``."""
        if self.paths.is_cut(source, to.address, "udp"):
            return self._into_the_void(to, source)
        if self.direct or source is None:
            return connect_udp(self.place(to), source if self.direct else None)
        opened = self._sender_socket(socket.SOCK_DGRAM, source)
        try:
            opened.connect(self.place(to))
        except OSError:
            opened.close()
            raise
        return opened

    def _into_the_void(self, to: Endpoint, source: IPAddress | None) -> socket.socket:
        """Return a socket whose datagrams nobody reads, and that therefore never hears an answer."""
        wall = self._walls.get((to, "void"))
        if wall is None:
            wall = self._walls[to, "void"] = bind(socket.SOCK_DGRAM, (LOOPBACK, 0), to)
        del source
        return connect_udp(wall.getsockname(), None)

    async def open_tcp(self, to: Endpoint, source: IPAddress | None = None) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect a TCP stream, seen by the lab's servers as ``source``. On a cut path it takes a while to fail."""
        if self.paths.is_cut(source, to.address, "tcp"):
            await asyncio.sleep(_CONNECT_PATIENCE)
            raise TimeoutError(errno.ETIMEDOUT, f"no answer from {to}")
        if self.direct or source is None:
            return await super().open_tcp(to, source)
        opened = self._sender_socket(socket.SOCK_STREAM, source)
        try:
            await asyncio.get_running_loop().sock_connect(opened, self.place(to))
            return await asyncio.open_connection(sock=opened)
        except BaseException:
            opened.close()
            raise

    def _sender_socket(self, kind: socket.SocketKind, source: IPAddress) -> _SenderSocket:
        while True:
            opened = _SenderSocket(socket.AF_INET, kind)
            opened.sender = _Sender(source)
            opened.setblocking(False)
            opened.bind((LOOPBACK, 0))
            port: int = opened.getsockname()[1]
            # One number may be in use over UDP and TCP at once; then it must be one sender's, as peer() sees only the number.
            held = self._senders.get(port)
            if held is None or held.left is not None or held.address == source:
                self._senders[port] = opened.sender
                return opened
            opened.close()

    def peer(self, seen: SocketAddress) -> Endpoint:
        """Tell who a sender is: the address it was opened from, or for a stranger the address we saw."""
        stranger = super().peer(seen)
        if (alias := self.aliases.get(stranger.address)) is not None:
            return Endpoint(alias, stranger.port)
        sender = self._senders.get(stranger.port) if str(stranger.address) == LOOPBACK else None
        if sender is None or (sender.left is not None and time.monotonic() - sender.left > _REMEMBERED):
            return stranger
        return Endpoint(sender.address, stranger.port)

    def close(self) -> None:
        """Let go of every reserved port, every wall and every rule of the packet filter."""
        if self.paths.filter is not None:
            self.paths.filter.close()
        for at in tuple(self._reserved):
            self.release(at)
        for held in (*self._walls.values(), *self._waiting):
            held.close()
        self._walls.clear()
        self._waiting.clear()


def _closed_pair(port: int, at: Endpoint) -> tuple[socket.socket, socket.socket]:
    """Hold a port number such that both transports refuse: TCP bound but not listening, UDP connected to itself only."""
    udp = bind(socket.SOCK_DGRAM, (LOOPBACK, port), at)
    try:
        udp.connect(cast("tuple[str, int]", udp.getsockname()))
        return udp, bind(socket.SOCK_STREAM, (LOOPBACK, port), at)
    except (OSError, HostError):
        udp.close()
        raise


def missing_addresses(wanted: Iterable[IPAddress]) -> tuple[IPAddress, ...]:
    """Return those addresses that no interface of this machine (or network namespace) has."""
    missing = []
    for address in wanted:
        family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind((str(address), 0))
            except OSError:
                missing.append(address)
    return tuple(missing)
