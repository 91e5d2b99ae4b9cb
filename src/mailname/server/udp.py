"""UDP: datagrams in, datagrams out, from the address they came to."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mailname.server.dispatch import Dispatcher
    from mailname.server.network import Endpoint, Network

_BATCH = 64  # datagrams answered before other work gets its turn
_LARGEST = 65535
_IP_PKTINFO = 8  # Linux; Python 3.11's socket module does not name it
_IP_PKTINFO_SIZE = 12


class UdpListener:
    """Answers what arrives at one UDP address."""

    def __init__(self, network: Network, at: Endpoint, dispatcher: Dispatcher) -> None:
        self._network = network
        self._dispatcher = dispatcher
        self._socket = network.listen_udp(at)
        # Behind a wildcard the system would choose the reply's source; a resolver drops what comes from another address than
        # it asked. With "packet info" the reply leaves from the address that the question came to.
        self._with_source = at.address.is_unspecified and sys.platform == "linux"
        if self._with_source:
            ask_for_source(self._socket, at.address.version)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._socket, self._on_readable)

    async def close(self) -> None:
        """Stop answering."""
        self._loop.remove_reader(self._socket)
        self._socket.close()

    def _on_readable(self) -> None:
        for _ in range(_BATCH):
            try:
                wire, ancillary, _flags, seen = self._socket.recvmsg(_LARGEST, 64 if self._with_source else 0)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:  # a queued ICMP error of an earlier reply: nobody waits for it
                continue
            reply = self._dispatcher.on_udp(wire, self._network.peer(seen))
            if reply is not None:
                # A full send buffer drops the reply, as the network might; the client asks again.
                with contextlib.suppress(OSError):
                    self._socket.sendmsg([reply], answer_from(ancillary), 0, seen)


def ask_for_source(bound: socket.socket, version: int) -> None:
    """Let a socket on a wildcard address tell to which address each datagram came (Linux)."""
    if version == 4:
        bound.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
    else:
        bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)


def answer_from(ancillary: list[tuple[int, int, bytes]]) -> list[tuple[int, int, Any]]:
    """Return the ancillary data that makes a reply leave from the address that the question came to."""
    for level, kind, data in ancillary:
        if level == socket.IPPROTO_IP and kind == _IP_PKTINFO and len(data) >= _IP_PKTINFO_SIZE:
            # struct in_pktinfo: interface, address to send from, address in the header
            return [(level, kind, struct.pack("=I", 0) + data[8:12] + bytes(4))]
        if level == socket.IPPROTO_IPV6 and kind == socket.IPV6_PKTINFO:
            return [(level, kind, data)]
    return []
