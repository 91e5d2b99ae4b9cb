"""A primary of loopback that answers what a test says."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from typing import TYPE_CHECKING, cast

import dns.flags
import dns.message
import dns.rrset
from tests.server.running import PRIMARY, Site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable


@contextlib.asynccontextmanager
async def fake_primary(
    site: Site, answer: Callable[[bytes, bool], bytes | None], *, tcp: bool = True, cut: bool = False
) -> AsyncIterator[None]:
    """Answer at the primary's address: by UDP and TCP with ``answer``.

    ``cut`` resets the TCP connection behind them.
    """
    loop = asyncio.get_running_loop()

    class Udp(asyncio.DatagramProtocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = cast("asyncio.DatagramTransport", transport)

        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            if (reply := answer(data, False)) is not None:
                self.transport.sendto(reply, addr)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, EOFError):
            query = await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
            reply = answer(query, True)
            if reply is not None:
                writer.write(len(reply).to_bytes(2, "big") + reply)
                await writer.drain()
            if cut:
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()
            else:
                await reader.read()
        writer.close()

    transport, _ = await loop.create_datagram_endpoint(Udp, local_addr=(str(PRIMARY), site.port))
    server = await asyncio.start_server(connected, str(PRIMARY), site.port) if tcp else None
    try:
        yield
    finally:
        transport.close()
        if server is not None:
            server.close()


def zone_answer(query: bytes, tcp: bool, *records: str, aa: bool = True) -> bytes:
    """Answer the SOA question by UDP; by TCP give these records as the transfer."""
    asked = dns.message.from_wire(query, keyring=False)
    reply = dns.message.make_response(asked)
    reply.flags = dns.flags.QR | (dns.flags.AA if aa else 0)
    soa = "example.tech. 3600 IN SOA ns2.example.tech. hostmaster.example.tech. 7 3600 1 86400 60"
    for line in (soa, *records) if tcp else (soa,):
        owner, ttl, _, rdtype, data = line.split(maxsplit=4)
        reply.answer.append(dns.rrset.from_text(owner, int(ttl), "IN", rdtype, data))
    return reply.to_wire()
