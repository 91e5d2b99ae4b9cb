"""TCP: framed messages, several on one connection, answered as they are ready, with bounds on what a client may hold (RFC 7766).

Questions are answered in their order, but for those whose answer takes many messages: a transfer is sent beside what follows it
(section 6.2.1.1 asks for that; clients match answers by their id). A client that asks faster than it reads is not read from.

Not implemented: RFC 7766 section 6.2.3's advice to lower the idle timeout under load; connections are ended to make room instead.
"""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Protocol

from mailname.wire.message import is_update

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailname.server.network import Endpoint, Network
    from mailname.server.tcp_limits import Place, TcpLimits
    from mailname.server.updating import Updating

FIRST_MESSAGE = 5.0  # seconds to begin the first question
MESSAGE = 5.0  # seconds from a question's first octet to its last: who sends one now and then is sent away
IDLE = 20.0  # seconds between two questions: RFC 7766 section 6.2.3 wants a few seconds at least
SLOW_READER = 30.0  # seconds in which a client must take some of what it asked for
MOST_STREAMS = 4  # transfers under way on one connection; who orders more waits with all that follows
_RECEIVED = 32 * 1024  # octets


class Answering(Protocol):
    """What answers the messages of a TCP stream."""

    @property
    def updating(self) -> Updating | None:
        """What answers dynamic updates, where they are not left to ``on_tcp``."""

    def on_tcp(self, wire: bytes, source: Endpoint) -> Iterator[bytes]:
        """Return the messages that answer one message."""


_ON_THE_WAY = 3  # turns of the event loop from accept to our own function


class TcpListener:
    """Answers on the connections to one TCP address.

    Attributes:
        received: octets that are taken from a client before it is answered, here and in the system's buffer each.

    """

    received = _RECEIVED

    def __init__(self, network: Network, at: Endpoint, dispatcher: Answering, limits: TcpLimits) -> None:
        self._network = network
        self._at = at
        self._dispatcher = dispatcher
        self._limits = limits
        self._server: asyncio.Server | None = None
        self._closing = False
        self._connections: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Bind and listen."""
        self._server = await asyncio.start_server(self._connected, sock=self._listening(), limit=self.received)

    def _listening(self) -> socket.socket:
        listening = self._network.listen_tcp(self._at)
        listening.setblocking(False)  # one of systemd's blocks: to accept there would hold up everything
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.received)  # accepted sockets inherit it
        # This as well: asyncio does it only for sockets made with the protocol's number. A handshake would wait for 40 ms.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listening

    async def close(self) -> None:
        """Stop listening and end the connections."""
        self._closing = True
        if self._server is not None:
            # Who was accepted and did not come to us yet comes now: a server of asyncio that is closed loses his socket.
            for one in self._server.sockets:
                asyncio.get_running_loop().remove_reader(one.fileno())
            for _ in range(_ON_THE_WAY):
                await asyncio.sleep(0)
            self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._closing:  # it was accepted before, and comes to us only now
            writer.transport.abort()
            return
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        task.add_done_callback(lambda _: writer.transport.abort())  # a task that is cancelled before it begins ends nothing

    def _client(self, writer: asyncio.StreamWriter) -> Endpoint | None:
        """Return who is there; None for who is gone already."""
        seen = writer.get_extra_info("peername")
        return None if seen is None else self._network.peer(seen)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        place = None
        try:
            source = self._client(writer)
            if source is None:
                return
            place = self._limits.admit(source.address, task.cancel)
            if place is None:
                return
            await _Connection(reader, writer, source, self._dispatcher, self._limits, place).converse()
            # A client that ended its side may still read what it asked for, but not for ever.
            self._limits.idle(place)
            writer.close()
            async with asyncio.timeout(SLOW_READER):
                await writer.wait_closed()
        except* OSError:  # gone, reset, silent or too slow (TimeoutError is an OSError): the connection just ends
            pass
        finally:
            if place is not None:
                self._limits.leave(place)
            writer.transport.abort()  # what is still to be sent goes nowhere: waiting for it would let a client hold us


class _Connection:
    """One client's connection, from its first question until it has no more."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        source: Endpoint,
        dispatcher: Answering,
        limits: TcpLimits,
        place: Place,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._source = source
        self._dispatcher = dispatcher
        self._limits = limits
        self._place = place
        self._now = asyncio.get_running_loop().time
        self._streams = 0
        self._may_stream = asyncio.Semaphore(MOST_STREAMS)
        self._patience: asyncio.Timeout | None = None  # while a question is awaited; without end while a transfer is under way

    async def converse(self) -> None:
        """Answer until the client has no more questions and all its answers are on their way.

        Raises:
            ExceptionGroup: of TimeoutError, the client is silent or too slow; of OSError, it is gone.

        """
        # Who is slow at a transfer loses the connection: the group ends all if one fails.
        async with asyncio.TaskGroup() as streams:
            wait = FIRST_MESSAGE
            while (wire := await self._question(wait)) is not None:
                if is_update(wire) and (updating := self._dispatcher.updating) is not None:
                    if (reply := await updating.reply(wire, self._source)) is not None:
                        await self._send(reply)
                    wait = IDLE
                    continue
                replies = self._dispatcher.on_tcp(wire, self._source)
                written, second = await self._limits.turns.begin(replies, self._write)
                if written:
                    await self._drained()
                if second is not None:
                    await self._may_stream.acquire()
                    self._streams += 1
                    streams.create_task(self._stream(second, replies))
                wait = IDLE

    async def _question(self, wait: float) -> bytes | None:
        """Return the next message; None when the client has ended its side, be it in the middle of one."""
        try:
            async with asyncio.timeout(None) as self._patience:
                if not self._streams:
                    self._be_idle(self._patience, wait)
                length = await self._reader.readexactly(1)
                self._patience.reschedule(self._now() + MESSAGE)
                length += await self._reader.readexactly(1)
                return await self._reader.readexactly(int.from_bytes(length, "big"))
        except EOFError:
            return None
        finally:
            self._patience = None
            self._limits.busy(self._place)

    def _be_idle(self, patience: asyncio.Timeout, wait: float) -> None:
        """Wait for a question no longer than this; a connection is idle while nothing is asked and nothing being answered."""
        self._limits.idle(self._place)
        patience.reschedule(self._now() + wait)

    async def _stream(self, reply: bytes | None, replies: Iterator[bytes]) -> None:
        """Send the rest of an answer that takes many messages."""
        while reply is not None:
            await self._send(reply)
            reply = await self._limits.turns.go_on(replies)
        self._may_stream.release()
        self._streams -= 1
        if not self._streams and self._patience is not None and self._patience.when() is None:
            self._be_idle(self._patience, IDLE)

    async def _send(self, message: bytes) -> None:
        self._write(message)
        await self._drained()

    def _write(self, message: bytes) -> None:
        self._writer.write(len(message).to_bytes(2, "big") + message)
        self._limits.stuck(self._place)

    async def _drained(self) -> None:
        async with asyncio.timeout(SLOW_READER):
            await self._writer.drain()
        self._limits.moving(self._place)
