"""One UDP socket towards one address, for all questions to it: each has its own number, and answers find theirs by it.

A socket that is connected tells that a port is closed; that is told to every question that waits on it.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING

from mailname.checks.patience import Expiry
from mailname.checks.wire_answer import question_of

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

_LARGEST = 65535
_AT_A_TIME = 64  # datagrams read before others have their turn


class UdpPort:
    """Holds the socket while questions wait on it, and closes it with the last; one that is kept, when it is told to."""

    def __init__(self, open_socket: Callable[[], socket.socket], *, kept: bool = False) -> None:
        self._open = open_socket
        self._kept = kept
        self._socket: socket.socket | None = None
        self._waiting: dict[int, tuple[bytes, asyncio.Future[bytes]]] = {}

    async def ask(self, query: bytes, timeout: float) -> bytes:
        """Send one query under a fresh number, and return the answer to it.

        Raises:
            TimeoutError: nothing came within ``timeout`` seconds.
            OSError: refused (port unreachable) or no route.

        """
        loop = asyncio.get_running_loop()
        if self._socket is None:
            self._socket = self._open()
            loop.add_reader(self._socket.fileno(), self._read, self._socket)
        number = secrets.randbelow(0x10000)
        while number in self._waiting:
            number = secrets.randbelow(0x10000)
        answer: asyncio.Future[bytes] = loop.create_future()
        self._waiting[number] = (question_of(query), answer)
        expires = Expiry(answer, timeout)
        try:
            self._socket.send(number.to_bytes(2, "big") + query[2:])
            return await answer
        finally:
            expires.cancel()
            del self._waiting[number]
            if not self._waiting and not self._kept:
                self.close()

    def close(self) -> None:
        """Close the socket; a later question opens another."""
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket.fileno())
            self._socket.close()
            self._socket = None

    def _read(self, from_socket: socket.socket) -> None:
        for _ in range(_AT_A_TIME):
            try:
                wire = from_socket.recv(_LARGEST)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                for _, answer in self._waiting.values():
                    if not answer.done():
                        answer.set_exception(type(error)(*error.args))
                return
            found = self._waiting.get(int.from_bytes(wire[:2], "big"))
            # Somebody who guesses the number must know the question, too; servers that send none back are let pass.
            if found is not None and not found[1].done() and question_of(wire) in (found[0], b""):
                found[1].set_result(wire)
