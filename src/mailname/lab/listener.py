"""UDP and TCP sockets for those servers of the lab that are not the plan's: root, TLD, resolver.

The plan's own servers are the real ``mailname.server``; this is the smallest thing that serves the world around them.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from mailname.server.network import read_message

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mailname.lab.paths import Transport
    from mailname.server.network import Endpoint, Network

    Answer = Callable[[bytes, Transport], Awaitable[bytes | None]]

# Seconds that a TCP client may be silent (RFC 7766 section 6.2.3 leaves the figure to the server).
_IDLE = 10.0


class Listener:
    """Hands each message that comes in to one coroutine function, and sends what it returns; None is silence."""

    def __init__(
        self, network: Network, at: tuple[Endpoint, ...], answer: Answer, *, answers_from: Endpoint | None = None
    ) -> None:
        """Describe the listener; with ``answers_from`` its datagrams leave from there, as no server's should."""
        self.at = at
        self._answers_from = answers_from
        self._leaving: asyncio.DatagramTransport | None = None
        self._network = network
        self._answer = answer
        self._udp: list[asyncio.DatagramTransport] = []
        self._tcp: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Bind every endpoint, both transports."""
        loop = asyncio.get_running_loop()
        if self._answers_from is not None:
            sock = self._network.listen_udp(self._answers_from)
            self._leaving, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, sock=sock)
            self._udp.append(self._leaving)
        for at in self.at:
            transport, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), sock=self._network.listen_udp(at))
            self._udp.append(transport)
            self._tcp.append(await asyncio.start_server(self._serve_stream, sock=self._network.listen_tcp(at)))

    async def stop(self) -> None:
        """Close every socket and end what is still being answered."""
        for transport in self._udp:
            transport.close()
        for server in self._tcp:
            server.close()
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for server in self._tcp:
            await server.wait_closed()
        self._udp.clear()
        self._tcp.clear()

    def take_datagram(self, wire: bytes, transport: asyncio.DatagramTransport, sender: tuple[str, int]) -> None:
        """Answer one datagram in a task of its own: a resolver's answer may take its time."""
        task = asyncio.get_running_loop().create_task(self._answer_datagram(wire, transport, sender))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer_datagram(self, wire: bytes, transport: asyncio.DatagramTransport, sender: tuple[str, int]) -> None:
        reply = await self._answer(wire, "udp")
        if reply is not None and not transport.is_closing():
            (self._leaving or transport).sendto(reply, sender)

    async def _serve_stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while True:
                async with asyncio.timeout(_IDLE):
                    wire = await read_message(reader)
                reply = await self._answer(wire, "tcp")
                if reply is None:
                    break
                writer.write(len(reply).to_bytes(2, "big") + reply)
                await writer.drain()
        except (EOFError, OSError, asyncio.CancelledError):
            pass  # the client left or was slow, or we stop: there is nobody to tell
        finally:
            self._tasks.discard(task)
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # asyncio promises a transport that can sendto(); its Unix implementation is no subclass of DatagramTransport everywhere.
        self._transport = transport  # type: ignore[assignment]  # see above

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self._transport is not None:
            self._listener.take_datagram(data, self._transport, addr)
