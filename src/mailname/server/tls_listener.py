"""The TLS port: transfers, and the SOA questions that go with them, and nothing else (RFC 9103 section 7).

Everything else is for port 53: it is answered with REFUSED and the extended error "not supported". So the port costs what a few
secondaries cost, and whom it shuts out misses nothing.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dns.opcode import Opcode
from dns.rcode import Rcode
from dns.rdatatype import RdataType

from mailname.server.context import log
from mailname.server.network import Endpoint
from mailname.server.tcp import TcpListener
from mailname.server.tls import ALPN, HANDSHAKE, pin_of
from mailname.wire.edns import ExtendedError
from mailname.wire.message import Request, error_reply, read_request

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Iterator

    from mailname.server.dispatch import Dispatcher
    from mailname.server.network import Network
    from mailname.server.tcp_limits import TcpLimits

_FOR_TRANSFERS = (RdataType.SOA, RdataType.AXFR, RdataType.IXFR)


@dataclass(frozen=True, slots=True)
class TlsClient(Endpoint):
    """A client seen over TLS; ``pin`` is its certificate's, if it had to show one."""

    pin: str | None = None

    __str__ = Endpoint.__str__


class TransfersOnly:
    """Answers what may be asked on the TLS port."""

    updating = None  # refused like all else

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher

    def on_tcp(self, wire: bytes, source: Endpoint) -> Iterator[bytes]:
        """Return the messages that answer one message."""
        request = read_request(wire)
        if isinstance(request, Request) and (request.opcode != Opcode.QUERY or request.question.rdtype not in _FOR_TRANSFERS):
            return iter([error_reply(request, Rcode.REFUSED, options=(ExtendedError.NOT_SUPPORTED.option,))])
        return self._dispatcher.on_tcp(wire, source)


class TlsListener(TcpListener):
    """Answers on the connections to one address for TLS."""

    def __init__(
        self, network: Network, at: Endpoint, dispatcher: Dispatcher, limits: TcpLimits, context: ssl.SSLContext
    ) -> None:
        super().__init__(network, at, TransfersOnly(dispatcher), limits)
        self.at = at
        #: What is shown to clients from the next connection on.
        self.context = context
        self._told = dispatcher.strangers
        self._now = dispatcher.context.clock.wall
        self._accepting: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Bind and listen."""
        self._accepting = asyncio.get_running_loop().create_task(self._accept(self._listening()))

    async def close(self) -> None:
        """Stop listening and end the connections."""
        if self._accepting is not None:
            self._accepting.cancel()
            await asyncio.gather(self._accepting, return_exceptions=True)
        await super().close()

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        with listening:
            while True:
                try:
                    accepted, seen = await loop.sock_accept(listening)
                except OSError as error:  # no more descriptors: some will be free again
                    log.error("%s, TLS: cannot take a connection: %s", self.at, error.strerror)
                    await asyncio.sleep(1.0)
                    continue
                task = loop.create_task(self._greet(accepted, self._network.peer(seen)))
                self._connections.add(task)
                task.add_done_callback(self._connections.discard)

    async def _greet(self, accepted: socket.socket, client: Endpoint) -> None:
        """Shake hands, then answer. The log says why somebody could not get as far.

        Who shakes hands has a place like who is waited for: one client has its share, and the slowest makes room for others.
        """
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        place = self._limits.admit(client.address, task.cancel)
        if place is None:
            accepted.close()
            return
        self._limits.idle(place)
        reader = asyncio.StreamReader(limit=self.received)
        protocol = asyncio.StreamReaderProtocol(reader)
        try:
            transport, _ = await loop.connect_accepted_socket(
                lambda: protocol, accepted, ssl=self.context, ssl_handshake_timeout=HANDSHAKE
            )
        except OSError as error:  # ssl.SSLError is one
            if self._told.allows(client.address, self._now()):
                log.warning("TLS with %s failed: %s", client, getattr(error, "reason", None) or str(error) or "it was ended")
            return
        finally:
            self._limits.leave(place)
        await self._serve(reader, asyncio.StreamWriter(transport, protocol, reader, loop))

    def _client(self, writer: asyncio.StreamWriter) -> Endpoint | None:
        """Return who is there; None for who has not agreed on "dot"."""
        tls, client = writer.get_extra_info("ssl_object"), super()._client(writer)
        if client is None or tls is None:
            return None
        if tls.selected_alpn_protocol() != ALPN:
            if self._told.allows(client.address, self._now()):
                log.warning('TLS with %s ended: it did not offer the protocol "%s" (ALPN)', client, ALPN)
            return None
        return TlsClient(client.address, client.port, pin_of(tls))
