"""Where an address of the plan's world is found, and how to talk to it.

Everything in mailname that talks goes through one ``Network``. ``DirectNetwork`` is the world as it is; the lab brings one that
maps each simulated (address, port) to a loopback port.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Protocol

from mailname.errors import HostError

IPAddress = IPv4Address | IPv6Address
SocketAddress = tuple[str, int] | tuple[str, int, int, int]


@dataclass(frozen=True, slots=True, order=False)
class Endpoint:
    """An address and a port, as the plan's world knows them."""

    address: IPAddress
    port: int = 53

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if self.address.version == 6 else f"{self.address}:{self.port}"


#: Octets of datagrams that wait: what a primary of ten thousand zones sends at once when all of them change. The sockets that
#: systemd opens for us have as many.
_RECEIVED = 1 << 22


class Network(Protocol):
    """Sockets towards and at the addresses of the plan's world. No method blocks but ``open_tcp``."""

    def listen_udp(self, at: Endpoint) -> socket.socket:
        """Return a bound, non-blocking UDP socket that receives what is sent to ``at``."""

    def listen_tcp(self, at: Endpoint) -> socket.socket:
        """Return a listening, non-blocking TCP socket for ``at``."""

    def open_udp(self, to: Endpoint, source: IPAddress | None = None) -> socket.socket:
        """Return a connected, non-blocking UDP socket. ``source`` is the address we want to be seen with."""

    async def open_tcp(self, to: Endpoint, source: IPAddress | None = None) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect; raises OSError as sockets do. The caller bounds the time."""

    def peer(self, seen: SocketAddress) -> Endpoint:
        """Tell who a sender is in the plan's world, from the socket address we saw."""


def refused_port_remedy(error: OSError, port: int) -> str:
    """Say what to do about a port that could not be had."""
    if error.errno == errno.EADDRNOTAVAIL:
        return "This machine does not have the address: see them with 'ip addr'."
    if error.errno in (errno.EACCES, errno.EPERM):
        return "Ports below 1024 want root, or: sudo setcap cap_net_bind_service=+ep on the Python that runs this."
    return f"See who holds the port: ss -lntup 'sport = :{port}'"


def _bound(kind: socket.SocketKind, at: Endpoint, *, share: bool = False) -> socket.socket:
    family = socket.AF_INET6 if at.address.version == 6 else socket.AF_INET
    bound = socket.socket(family, kind)
    try:
        if kind == socket.SOCK_STREAM:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if share:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.setblocking(False)
        bound.bind((str(at.address), at.port))
    except OSError as error:
        bound.close()
        raise HostError(
            f"cannot listen on {at} over {'TCP' if kind == socket.SOCK_STREAM else 'UDP'}: {error.strerror}",
            remedy=refused_port_remedy(error, at.port),
            step="listen",
        ) from error
    return bound


class DirectNetwork:
    """The world as it is: addresses are addresses."""

    def listen_udp(self, at: Endpoint) -> socket.socket:
        """Bind a UDP socket."""
        return _bound(socket.SOCK_DGRAM, at)

    def share_udp(self, at: Endpoint, count: int) -> list[socket.socket]:
        """Bind several UDP sockets to one address; the kernel spreads the clients over them (Linux).

        A lone one is bound first: sockets that share would not notice that another server has the address already.
        """
        if count > 1:
            _bound(socket.SOCK_DGRAM, at).close()
        bound = [_bound(socket.SOCK_DGRAM, at, share=count > 1) for _ in range(count)]
        for one in bound:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVED)  # or as much as the system allows
        return bound

    def listen_tcp(self, at: Endpoint) -> socket.socket:
        """Bind a TCP socket and listen."""
        listening = _bound(socket.SOCK_STREAM, at)
        listening.listen(128)
        return listening

    def open_udp(self, to: Endpoint, source: IPAddress | None = None) -> socket.socket:
        """Connect a UDP socket, so that only the peer's answers and its port-unreachable arrive."""
        family = socket.AF_INET6 if to.address.version == 6 else socket.AF_INET
        opened = socket.socket(family, socket.SOCK_DGRAM)
        try:
            opened.setblocking(False)
            if source is not None:
                opened.bind((str(source), 0))
            opened.connect((str(to.address), to.port))
        except OSError:
            opened.close()
            raise
        return opened

    async def open_tcp(self, to: Endpoint, source: IPAddress | None = None) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect a TCP stream."""
        local = (str(source), 0) if source is not None else None
        return await asyncio.open_connection(str(to.address), to.port, local_addr=local)

    def peer(self, seen: SocketAddress) -> Endpoint:
        """Return the sender as it is, with an IPv4-mapped address unwrapped."""
        return Endpoint(_address_seen(seen[0]), seen[1])


@lru_cache(maxsize=4096)
def _address_seen(host: str) -> IPAddress:
    address = ip_address(host.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


async def ask_udp(network: Network, query: bytes, to: Endpoint, *, timeout: float, source: IPAddress | None = None) -> bytes:
    """Send one query by UDP and return the first datagram that carries its message id.

    Raises:
        TimeoutError: nothing came within ``timeout`` seconds.
        OSError: refused (port unreachable) or no route.

    """
    loop = asyncio.get_running_loop()
    with contextlib.closing(network.open_udp(to, source)) as udp:
        await loop.sock_sendall(udp, query)
        async with asyncio.timeout(timeout):
            while True:
                answer = await loop.sock_recv(udp, 65535)
                if answer[:2] == query[:2]:
                    return answer


async def ask_tcp(network: Network, query: bytes, to: Endpoint, *, timeout: float, source: IPAddress | None = None) -> bytes:
    """Send one query by TCP and return the first message of the answer (RFC 7766 section 8 framing).

    Raises:
        TimeoutError: not done within ``timeout`` seconds.
        OSError: refused, reset or no route; EOFError: closed without a whole message.

    """
    async with asyncio.timeout(timeout):
        reader, writer = await network.open_tcp(to, source)
        try:
            writer.write(len(query).to_bytes(2, "big") + query)
            return await read_message(reader)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


async def end_stream(writer: asyncio.StreamWriter) -> None:
    """End a connection on which all that was wanted has come.

    Over TLS the other side's goodbye is not waited for: BIND says none, and asyncio would wait for half a minute.
    """
    if writer.get_extra_info("ssl_object") is not None:
        writer.transport.abort()
        return
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


async def read_message(reader: asyncio.StreamReader) -> bytes:
    """Read one length-prefixed message from a TCP stream. Raises EOFError when the stream ends before it is whole."""
    length = int.from_bytes(await reader.readexactly(2), "big")
    return await reader.readexactly(length)
