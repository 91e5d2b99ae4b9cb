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
                async with asyncio.timeout(wait):
                    wire = await read_message(reader)
            except EOFError:
                return
            for reply in self._dispatcher.on_tcp(wire, source):
                writer.write(len(reply).to_bytes(2, "big") + reply)
                async with asyncio.timeout(SLOW_READER):
                    await writer.drain()
            await asyncio.sleep(0)  # a client that asks without end does not keep the others waiting
            wait = IDLE


class TcpLimits:
    """How many connections there may be, in all and per client, over all addresses of one server."""

    def __init__(self, most: int = MOST_CONNECTIONS, most_per_client: int = MOST_PER_CLIENT) -> None:
        self._most = most
        self._most_per_client = most_per_client
        self._clients: Counter[IPAddress] = Counter()

    @contextlib.contextmanager
    def admit(self, client: IPAddress) -> Iterator[bool]:
        """Count a connection while it lives; gives False for one too many."""
        if self._clients.total() >= self._most or self._clients[client] >= self._most_per_client:
            yield False
            return
        self._clients[client] += 1
        try:
            yield True
        finally:
            self._clients[client] -= 1
            if not self._clients[client]:
                del self._clients[client]
