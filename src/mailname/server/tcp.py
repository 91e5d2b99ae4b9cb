"""TCP: framed messages, several on one connection, with bounds on what one client may hold (RFC 7766)."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from typing import TYPE_CHECKING

from mailname.server.network import read_message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailname.server.dispatch import Dispatcher
    from mailname.server.network import Endpoint, IPAddress, Network

FIRST_MESSAGE = 5.0  # seconds to send the first question
IDLE = 20.0  # seconds between two questions: RFC 7766 section 6.2.3 wants a few seconds at least
SLOW_READER = 30.0  # seconds in which a client must take some of what it asked for
MOST_CONNECTIONS = 400
MOST_PER_CLIENT = 40


class TcpListener:
    """Answers on the connections to one TCP address."""

    def __init__(self, network: Network, at: Endpoint, dispatcher: Dispatcher, limits: TcpLimits) -> None:
        self._network = network
        self._at = at
        self._dispatcher = dispatcher
        self._limits = limits
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Bind and listen."""
        self._server = await asyncio.start_server(self._connected, sock=self._network.listen_tcp(self._at))

    async def close(self) -> None:
        """Stop listening and end the connections."""
        if self._server is not None:
            self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen = writer.get_extra_info("peername")
        try:
            if seen is None:
                return
            source = self._network.peer(seen)
            with self._limits.admit(source.address) as admitted:
                if admitted:
                    await self._converse(reader, writer, source)
            # A client that ended its side may still read what it asked for, but not for ever.
            writer.close()
            async with asyncio.timeout(SLOW_READER):
                await writer.wait_closed()
        except OSError:  # gone, reset, silent or too slow (TimeoutError is an OSError): the connection just ends
            pass
        finally:
            writer.transport.abort()  # what is still to be sent goes nowhere: waiting for it would let a client hold us

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, source: Endpoint) -> None:
        wait = FIRST_MESSAGE
        while True:
            try:
                with self._limits.idle(source.address):
                    async with asyncio.timeout(wait):
                        wire = await read_message(reader)
            except EOFError:
                return
            replies = self._dispatcher.on_tcp(wire, source)
            while (reply := await self._limits.in_turn(replies)) is not None:
                writer.write(len(reply).to_bytes(2, "big") + reply)
                async with asyncio.timeout(SLOW_READER):
                    await writer.drain()
            wait = IDLE


class TcpLimits:
    """How many connections there may be, in all and per client, over all addresses of one server.

    Where one is too many, the one that has waited longest for a question makes room (RFC 7766 section 6.2.3 allows to close idle
    ones): of the client itself if it has its share, otherwise of anybody. So idle connections shut nobody out.
    """

    def __init__(self, most: int = MOST_CONNECTIONS, most_per_client: int = MOST_PER_CLIENT) -> None:
        self._most = most
        self._most_per_client = most_per_client
        self._clients: Counter[IPAddress] = Counter()
        self._idle: dict[asyncio.Task[None], IPAddress] = {}  # who waits longest comes first
        self._turn = asyncio.Lock()

    @contextlib.contextmanager
    def admit(self, client: IPAddress) -> Iterator[bool]:
        """Count a connection while it lives; gives False for one too many when nobody can make room."""
        if not self._has_room(client):
            yield False
            return
        self._clients[client] += 1
        try:
            yield True
        finally:
            self._clients[client] -= 1
            if not self._clients[client]:
                del self._clients[client]

    @contextlib.contextmanager
    def idle(self, client: IPAddress) -> Iterator[None]:
        """Mark the running task's connection as one that waits for a question: it may be ended to make room."""
        task = asyncio.current_task()
        assert task is not None
        self._idle[task] = client
        try:
            yield
        finally:
            self._idle.pop(task, None)

    async def in_turn(self, replies: Iterator[bytes]) -> bytes | None:
        """Return the next message of an answer, None after the last.

        One is made at a time, and datagrams get their turn in between: a message of a transfer takes long to make, and several
        large transfers at once must not hold up the answers by UDP.
        """
        async with self._turn:
            reply = next(replies, None)
            await asyncio.sleep(0)
        return reply

    def _has_room(self, client: IPAddress) -> bool:
        if self._clients[client] >= self._most_per_client:
            return self._end(task for task, other in self._idle.items() if other == client)
        return self._clients.total() < self._most or self._end(iter(self._idle))

    def _end(self, candidates: Iterator[asyncio.Task[None]]) -> bool:
        longest = next(candidates, None)
        if longest is None:
            return False
        del self._idle[longest]
        longest.cancel()
        return True
