"""The network between two servers of the soak: forwards what they say to each other, or spoils it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random
    from collections.abc import Coroutine

FAULTS = ("drop", "tcp-blocked", "reset", "stall", "truncate", "delay", "corrupt", "duplicate")
_LONGEST_DATAGRAM = 65535
_UDP_PATIENCE = 4.0  # seconds that a datagram's answer is waited for


@dataclass(slots=True)
class Link:
    """One direction between two servers: who asks speaks to ``face`` and is heard from ``source``.

    Attributes:
        fault: one of FAULTS, or None. ``drop``: nothing gets through, what flows stands still. ``tcp-blocked``: UDP gets through.
            ``reset``: connections are reset. ``stall``: they stand still after some octets. ``truncate``: they end there.
            ``delay``: everything is late, and in another order. ``corrupt``: some octets are others. ``duplicate``: datagrams
            come twice.
        counts: what was done, by fault.

    """

    face: str
    target: str
    source: str
    port: int
    chance: random.Random
    fault: str | None = None
    counts: dict[str, int] = field(default_factory=dict)
    _healed: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _server: asyncio.Server | None = None
    _udp: socket.socket | None = None
    _ending: bool = False

    async def start(self) -> None:
        """Begin to forward."""
        self._healed.set()
        self._server = await asyncio.start_server(self._connected, self.face, self.port)
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.setblocking(False)
        self._udp.bind((self.face, self.port))
        self._spawn(self._receive(self._udp))

    async def stop(self) -> None:
        """End everything, also what began while the rest was ending."""
        self._ending = True
        self.heal()
        if self._server is not None:
            self._server.close()
        while self._tasks:
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(list(self._tasks), timeout=1.0)
        if self._udp is not None:
            self._udp.close()

    def spoil(self, fault: str) -> None:
        """Let a fault begin."""
        self.fault = fault
        self._healed.clear()

    def heal(self) -> None:
        """End the fault: what stood still flows on."""
        self.fault = None
        self._healed.set()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1

    async def _receive(self, udp: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while not self._ending:
            try:
                data, sender = await loop.sock_recvfrom(udp, _LONGEST_DATAGRAM)
            except OSError:  # what we answered to somebody who is gone came back
                continue
            self._spawn(self._datagram(udp, data, sender))

    async def _datagram(self, udp: socket.socket, data: bytes, sender: tuple[str, int]) -> None:
        """Pass one datagram on, and what is answered to it back."""
        loop = asyncio.get_running_loop()
        with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as out, contextlib.suppress(OSError):
            out.setblocking(False)
            out.bind((self.source, 0))
            out.connect((self.target, self.port))
            for passed in await self._spoiled(data):
                await loop.sock_sendall(out, passed)
            async with asyncio.timeout(_UDP_PATIENCE):
                answer = await loop.sock_recv(out, _LONGEST_DATAGRAM)
            for passed in await self._spoiled(answer):
                await loop.sock_sendto(udp, passed, sender)

    async def _spoiled(self, data: bytes) -> list[bytes]:
        """Return what becomes of a datagram on one way."""
        if self.fault == "drop":
            self._count("drop")
            return []
        if self.fault == "delay":
            self._count("delay")
            await asyncio.sleep(self.chance.random() * 2)
        if self.fault == "corrupt" and self.chance.random() < 0.5:
            self._count("corrupt")
            return [self._with_another_octet(data)]
        if self.fault == "duplicate":
            self._count("duplicate")
            return [data, data]
        return [data]

    def _with_another_octet(self, data: bytes) -> bytes:
        at = self.chance.randrange(len(data))
        return data[:at] + bytes([data[at] ^ 1 << self.chance.randrange(8)]) + data[at + 1 :]

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        out: asyncio.StreamWriter | None = None
        try:
            if self._ending:
                return
            if self.fault in ("drop", "tcp-blocked"):
                self._count("held connection")
                await self._healed.wait()
            if self.fault == "reset":
                return
            back, out = await asyncio.open_connection(self.target, self.port, local_addr=(self.source, 0))
            ways = [asyncio.ensure_future(self._pass_on(reader, out)), asyncio.ensure_future(self._pass_on(back, writer))]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_EXCEPTION)
                for way in ways:
                    if way.done():
                        way.result()
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        except OSError:
            self._count("broken connection")
        except asyncio.CancelledError:
            if not self._ending:  # at our end nobody waits for it, and asyncio's own callback would take it for a fault
                raise
        finally:
            for one in (writer, out):
                if one is not None:
                    _reset(one)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        left = self.chance.randrange(40_000)  # octets until a stall or a cut
        while data := await reader.read(self.chance.choice([100, 5_000, 100_000])):
            passed = data
            if self.fault in ("drop", "tcp-blocked", "stall") and (self.fault != "stall" or left < len(data)):
                self._count("stall")
                await self._healed.wait()
            if self.fault == "reset" or (self.fault == "truncate" and left < len(data)):
                if self.fault == "truncate":
                    writer.write(data[:left])
                    await writer.drain()
                self._count(self.fault)
                raise ConnectionResetError
            if self.fault == "delay":
                await asyncio.sleep(self.chance.random() * 0.3)
            if self.fault == "corrupt" and self.chance.random() < 0.5:
                self._count("corrupt")
                passed = self._with_another_octet(data)
            left = max(left - len(data), 0)
            writer.write(passed)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close a connection at once; the other side sees a reset."""
    if (opened := writer.get_extra_info("socket")) is not None:
        with contextlib.suppress(OSError):
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
