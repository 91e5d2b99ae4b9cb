"""Asking once over UDP from a socket that hears everybody: a server may answer, and from another address than was asked.

A connected socket, as a resolver has it, never sees such an answer (RFC 2181 section 4.1 demands that there is none). One that
is not connected does not learn that a port is closed, so the first try is never made here.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING

from mailname.checks.patience import patiently
from mailname.checks.wire_answer import question_of

if TYPE_CHECKING:
    from mailname.server.network import Endpoint, Network, SocketAddress

_LARGEST = 65535


async def ask_all_ears(network: Network, query: bytes, to: Endpoint, timeout: float) -> tuple[bytes, Endpoint | None]:
    """Send one query and return the answer to it, and where it came from if not from where it should.

    Raises:
        TimeoutError: nothing came within ``timeout`` seconds.
        OSError: no route.

    """
    return await patiently(_listen(network, query, to), timeout)


async def _listen(network: Network, query: bytes, to: Endpoint) -> tuple[bytes, Endpoint | None]:
    with contextlib.closing(network.open_udp(to)) as connected:
        there: SocketAddress = connected.getpeername()
        here: SocketAddress = connected.getsockname()
    loop = asyncio.get_running_loop()
    with contextlib.closing(socket.socket(connected.family, socket.SOCK_DGRAM)) as ears:
        ears.setblocking(False)
        ears.bind((here[0], 0))
        await loop.sock_sendto(ears, query, there)
        while True:
            wire, seen = await loop.sock_recvfrom(ears, _LARGEST)
            # Who answers must know the number and the question; servers that send no question back are let pass.
            if len(wire) >= 12 and wire[:2] == query[:2] and question_of(wire) in (question_of(query), b""):
                return wire, None if tuple(seen[:2]) == tuple(there[:2]) else network.peer(seen)
