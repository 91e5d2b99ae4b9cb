"""Datagrams on their way to one server, each with an answer to come: one socket for all, however many zones changed.

NOTIFYs go so, and questions for what changed. A server's system takes some hundred datagrams before the server has looked at one.
So only some go without an answer at once; who does not answer gets the others all the same, a little later.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from mailname.server.network import Endpoint, IPAddress, Network

    _Way = tuple[Endpoint, IPAddress | None]

_AT_ONCE = 64
_BESIDES = 8  # so many go at once whoever waits
_ROOM_AFTER = 0.05  # seconds without an answer, after which another one may go
_LARGEST = 65535
_KEPT = 8.0  # seconds for which a socket is kept that nobody uses: who changes a zone once often does so again


class _Line:
    """What goes to one address."""

    def __init__(self, udp: socket.socket) -> None:
        self.udp = udp
        self.asked: dict[int, asyncio.Future[bytes]] = {}
        self.users = 0
        self.closing: asyncio.TimerHandle | None = None
        self.room = asyncio.Semaphore(_AT_ONCE)

    def on_readable(self) -> None:
        """Take the answers that have come."""
        try:
            while True:
                answer = self.udp.recv(_LARGEST)
                waiting = self.asked.get(int.from_bytes(answer[:2], "big"))
                if waiting is not None and not waiting.done():
                    waiting.set_result(answer)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:  # nobody listens there, or there is no way: that is so for all of them
            for waiting in self.asked.values():
                if not waiting.done():
                    waiting.set_exception(error)


class DatagramLines:
    """Hands out message ids, sends, and gives each who sent one its answer."""

    def __init__(self) -> None:
        self._lines: dict[_Way, _Line] = {}

    def _line(self, network: Network, way: _Way) -> _Line:
        line = self._lines.get(way)
        if line is None:
            line = self._lines[way] = _Line(network.open_udp(*way))
            asyncio.get_running_loop().add_reader(line.udp, line.on_readable)
        return line

    def _unused(self, way: _Way) -> None:
        """See to it that a socket is closed when nobody has used it for a while."""
        line = self._lines.get(way)
        if line is None or line.users or line.asked:
            return
        if line.closing is not None:
            line.closing.cancel()
        line.closing = asyncio.get_running_loop().call_later(_KEPT, self._close_unused, way)

    def _close_unused(self, way: _Way) -> None:
        line = self._lines.get(way)
        if line is not None and not line.users and not line.asked:
            self._close(way)

    def _close(self, way: _Way) -> None:
        line = self._lines.pop(way)
        if line.closing is not None:
            line.closing.cancel()
        asyncio.get_running_loop().remove_reader(line.udp)
        line.udp.close()

    def close(self) -> None:
        """Close all sockets. Nobody waits for an answer any more."""
        for way in list(self._lines):
            self._close(way)

    def begin(
        self, network: Network, to: Endpoint, make: Callable[[int], bytes], timeout: float, source: IPAddress | None = None
    ) -> asyncio.Future[bytes] | None:
        """Send a message now and return its answer to come; None where so many are under way that it has to wait: see ``ask``.

        Raises:
            OSError: it cannot be sent.

        """
        way = (to, source)
        line = self._line(network, way)
        if len(line.asked) >= _BESIDES or line.room.locked():
            return None
        try:
            return self._sent(line, way, make, timeout)
        finally:
            self._unused(way)

    async def ask(
        self, network: Network, to: Endpoint, make: Callable[[int], bytes], timeout: float, source: IPAddress | None = None
    ) -> bytes:
        """Send a message, and return the first datagram from there that carries its id.

        Args:
            network: to send it in.
            to: the secondary.
            make: the message with this id, made when it goes.
            timeout: seconds for the answer.
            source: the address to speak from.

        Raises:
            TimeoutError: nothing came within ``timeout`` seconds.
            OSError: refused (port unreachable) or no route.

        """
        loop = asyncio.get_running_loop()
        way = (to, source)
        line = self._line(network, way)
        line.users += 1
        try:
            await line.room.acquire()
            making_room = loop.call_later(_ROOM_AFTER, line.room.release)
            try:
                return await self._sent(line, way, make, timeout)
            finally:
                if making_room.when() > loop.time():
                    making_room.cancel()
                    line.room.release()
        finally:
            line.users -= 1
            self._unused(way)

    def _sent(self, line: _Line, way: _Way, make: Callable[[int], bytes], timeout: float) -> asyncio.Future[bytes]:
        """Send a message; its answer need not be waited for."""
        loop = asyncio.get_running_loop()
        while (message_id := secrets.randbelow(65536)) in line.asked:
            pass
        line.udp.send(make(message_id))
        answer = line.asked[message_id] = loop.create_future()
        silence = loop.call_later(timeout, _on_silence, answer)

        def ended(done: asyncio.Future[bytes]) -> None:
            silence.cancel()
            del line.asked[message_id]
            if not done.cancelled():
                done.exception()  # looked at, whoever else does
            self._unused(way)

        answer.add_done_callback(ended)
        return answer


def _on_silence(answer: asyncio.Future[bytes]) -> None:
    if not answer.done():
        answer.set_exception(TimeoutError())
