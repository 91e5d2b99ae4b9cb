"""NOTIFYs on their way to one secondary: one socket for all that are, however many zones changed.

A secondary's system takes some hundred datagrams before its server has looked at one. So only some go without an answer at once;
who does not answer is told of the others all the same, a little later.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

    from mailname.server.network import Endpoint, IPAddress, Network

    _Way = tuple[Endpoint, IPAddress | None]

_AT_ONCE = 64
_ROOM_AFTER = 0.05  # seconds without an answer, after which another one may go
_LARGEST = 65535


class _Line:
    """The NOTIFYs that go to one address."""

    def __init__(self, udp: socket.socket) -> None:
        self.udp = udp
        self.asked: dict[int, asyncio.Future[bytes]] = {}
        self.users = 0
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


class NotifyLines:
    """Hands out message ids, sends, and gives each who sent one its answer."""

    def __init__(self) -> None:
        self._lines: dict[_Way, _Line] = {}

    @contextlib.contextmanager
    def _line(self, network: Network, to: Endpoint, source: IPAddress | None) -> Iterator[_Line]:
        loop = asyncio.get_running_loop()
        line = self._lines.get((to, source))
        if line is None:
            line = self._lines[to, source] = _Line(network.open_udp(to, source))
            loop.add_reader(line.udp, line.on_readable)
        line.users += 1
        try:
            yield line
        finally:
            line.users -= 1
            if not line.users:
                del self._lines[to, source]
                loop.remove_reader(line.udp)
                line.udp.close()

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
        with self._line(network, to, source) as line:
            await line.room.acquire()
            making_room = loop.call_later(_ROOM_AFTER, line.room.release)
            answer: asyncio.Future[bytes] = loop.create_future()
            while (message_id := secrets.randbelow(65536)) in line.asked:
                pass
            line.asked[message_id] = answer
            try:
                line.udp.send(make(message_id))
                async with asyncio.timeout(timeout):
                    return await answer
            finally:
                del line.asked[message_id]
                if answer.done() and not answer.cancelled():
                    answer.exception()  # looked at, whoever else raised
                if making_room.when() > loop.time():
                    making_room.cancel()
                    line.room.release()
