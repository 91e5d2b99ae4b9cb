"""How many transfers from one server go on at once, and that they share its connections.

Ten thousand zones that are notified at once would be ten thousand connections, of which a primary takes some dozens. A few are
opened, and while other zones wait, a connection on which a transfer has ended is handed to the next (RFC 7766 section 6.2.1;
RFC 9103 wants it for transfers). One that nobody waits for stays open for some seconds (RFC 7766 section 6.2.3): who changes a
zone once often does so again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from mailname.server.network import end_stream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from mailname.server.network import Endpoint, IPAddress

    _Way = tuple[Endpoint, IPAddress | None, object]

AT_ONCE = 8  # transfers from one server
_OPENING = 5.0  # seconds
KEPT = 8.0  # seconds for which a connection stays open without a transfer: servers end those that are silent after ten, or later


class Opens(Protocol):
    """What opens connections: the network, or TLS over it."""

    async def open_tcp(self, to: Endpoint, source: IPAddress | None = None) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect; raises OSError as sockets do."""


@dataclass(slots=True)
class Connection:
    """A TCP connection to a primary.

    Attributes:
        used: transfers that have ended on it.
        clean: nothing is expected on it any more, and nothing has come that was not; only then another transfer may use it.

    """

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    used: int = 0
    clean: bool = False

    async def close(self) -> None:
        """End it."""
        await end_stream(self.writer)


@dataclass(slots=True)
class _Line:
    """Those who want something of one server."""

    under_way: int = 0
    waiting: deque[asyncio.Future[Connection | None]] = field(default_factory=deque)
    idle: Connection | None = None
    closing: asyncio.TimerHandle | None = None

    def take_idle(self, *, usable: bool = True) -> Connection | None:
        """Return the connection that was kept open, if there is one; None as well where the server has ended it."""
        kept, self.idle = self.idle, None
        if self.closing is not None:
            self.closing.cancel()
            self.closing = None
        if kept is not None and usable and (kept.reader.at_eof() or kept.writer.is_closing()):
            kept.writer.close()
            return None
        return kept


class TransferTurns:
    """Hands out connections to primaries."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._at_once = at_once
        self._lines: dict[_Way, _Line] = {}

    @contextlib.asynccontextmanager
    async def connection(
        self, network: Opens, to: Endpoint, source: IPAddress | None, proof: object = None, *, fresh: bool = False
    ) -> AsyncIterator[Connection]:
        """Wait for a turn, and give a connection.

        Args:
            network: to open it in.
            to: the server.
            source: the address to speak from.
            proof: what the server had to prove when the connection was opened; one that proved something else is not used.
            fresh: it must be a new one.

        Raises:
            OSError: it cannot be opened; TimeoutError among them.

        """
        way = (to, source, proof)
        kept = await self._turn(way)
        used: Connection | None = None
        try:
            if kept is not None and fresh:
                await kept.close()
                kept = None
            if kept is None:
                async with asyncio.timeout(_OPENING):
                    kept = Connection(*await network.open_tcp(to, source))
            used = kept
            used.clean = False
            yield used
            used.used += 1
        finally:
            await self._end(way, used)

    async def _turn(self, key: _Way) -> Connection | None:
        line = self._lines.setdefault(key, _Line())
        if line.under_way < self._at_once:
            line.under_way += 1
            return line.take_idle()
        mine: asyncio.Future[Connection | None] = asyncio.get_running_loop().create_future()
        line.waiting.append(mine)
        try:
            return await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():
                await self._end(key, mine.result())
            raise

    async def _end(self, key: _Way, connection: Connection | None) -> None:
        """Give the turn to the next in line, with the connection where it can be used again."""
        line = self._lines[key]
        following = None
        while line.waiting and following is None:
            first = line.waiting.popleft()
            following = None if first.done() else first
        reusable = connection is not None and connection.clean and not connection.writer.is_closing()
        keeps = reusable and (following is not None or line.idle is None)
        if following is not None:
            following.set_result(connection if reusable else None)
        else:
            line.under_way -= 1
            if keeps:
                line.idle = connection
                line.closing = asyncio.get_running_loop().call_later(KEPT, self._let_go, key)
            self._forget(key)
        if connection is not None and not keeps:
            await connection.close()

    def _forget(self, key: _Way) -> None:
        line = self._lines[key]
        if not line.under_way and line.idle is None:
            del self._lines[key]

    def _let_go(self, key: _Way) -> None:
        """End a connection on which there was no transfer for a while."""
        if (kept := self._lines[key].take_idle(usable=False)) is not None:
            kept.writer.close()
        self._forget(key)

    async def close(self) -> None:
        """End the connections that are kept open."""
        for key in list(self._lines):
            kept = self._lines[key].take_idle(usable=False)
            self._forget(key)
            if kept is not None:
                await kept.close()
