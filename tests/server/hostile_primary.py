"""A primary that plays with marked cards: it announces a version, and then does with the transfer what a test tells it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self, cast

import dns.flags
import dns.message
import dns.name
import dns.rrset
from dns.rdatatype import RdataType
from tests.server.running import APEX, PRIMARY

from mailname.wire.tsig import sign
from mailname.zone.text import read_zone

if TYPE_CHECKING:
    from mailname.wire.tsig_key import Key

Play = Callable[["HostilePrimary", bytes], AsyncIterator[bytes]]


def records(serial: int, *more: str) -> list[str]:
    """Return the lines of a good zone, the SOA first and last."""
    soa = soa_line(serial)
    body = [f"{APEX} 3600 IN NS ns1.{APEX}", f"ns1.{APEX} 3600 IN A 192.0.2.1", f"now.{APEX} 3600 IN TXT {serial}", *more]
    return [soa, *body, soa]


def soa_line(serial: int, minimum: int = 60) -> str:
    return f"{APEX} 3600 IN SOA ns1.{APEX} hostmaster.{APEX} {serial} 3600 1 86400 {minimum}"


def message(query: bytes, lines: list[str], *, change: Callable[[dns.message.Message], object] | None = None) -> bytes:
    """Answer a query with records, each given as a line; ``change`` spoils the message before it is written."""
    asked = dns.message.from_wire(query, keyring=False)
    answer = dns.message.QueryMessage(id=asked.id)
    answer.flags = dns.flags.QR | dns.flags.AA
    answer.question = list(asked.question)
    for line in lines:
        owner, ttl, rdclass, rdtype, data = line.split(maxsplit=4)
        answer.answer.append(dns.rrset.from_text(owner, int(ttl), rdclass, rdtype, data))
    if change is not None:
        change(answer)
    return answer.to_wire(max_size=65535)


def framed(wire: bytes) -> bytes:
    return len(wire).to_bytes(2, "big") + wire


async def honest(primary: HostilePrimary, query: bytes) -> AsyncIterator[bytes]:
    """Send the zone as it is, signed where it was asked so."""
    yield framed(primary.signed(query, message(query, records(primary.serial))))


@dataclass
class HostilePrimary:
    """Listens at the primary's address. ``play`` yields the octets that go out by TCP; afterwards the connection stays open.

    Attributes:
        ends: the connection is closed when the play is over.
        transfers: how many were asked for, by type.

    """

    port: int
    serial: int = 1
    play: Play = honest
    key: Key | None = None
    ends: bool = True
    transfers: dict[str, int] = field(default_factory=dict)
    _stack: contextlib.AsyncExitStack = field(default_factory=contextlib.AsyncExitStack)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        hostile = self

        class Udp(asyncio.DatagramProtocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                self.transport = cast("asyncio.DatagramTransport", transport)

            def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
                self.transport.sendto(hostile.signed(data, message(data, [soa_line(hostile.serial)])), addr)

        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(Udp, local_addr=(str(PRIMARY), self.port))
        self._stack.callback(transport.close)
        server = await asyncio.start_server(self._connected, str(PRIMARY), self.port)
        self._stack.callback(server.close)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def signed(self, query: bytes, wire: bytes) -> bytes:
        """Sign the only message of an answer."""
        if self.key is None:
            return wire
        return sign(wire, self.key, time.time(), dns.message.from_wire(query, keyring=False).mac or b"")[0]

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._converse(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                query = await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
                kind = RdataType(dns.message.from_wire(query, keyring=False).question[0].rdtype).name
                self.transfers[kind] = self.transfers.get(kind, 0) + 1
                async for octets in self.play(self, query):
                    writer.write(octets)
                    await writer.drain()
                    await asyncio.sleep(0)  # others have their turn, however much there is to send
                if self.ends:
                    return
        except (OSError, EOFError):
            return
        finally:
            writer.transport.abort() if not self.ends else writer.close()


def honest_zone(serial: int) -> object:
    """Return what a secondary holds after an honest transfer."""
    return read_zone("\n".join(records(serial)[:-1]), "x", APEX).zone
