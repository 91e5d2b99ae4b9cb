"""What a stranger sees of a host: each port that is wanted, and some that are not, tried from here."""

from __future__ import annotations

import asyncio
import contextlib
import errno
from typing import TYPE_CHECKING

from mailname.host.facts import Tried

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mailname.plan.address import IPAddress

PATIENCE = 2.0  # seconds
_TOGETHER = 32
#: Ports that are open by mistake more often than others: what listens there has no business with strangers.
OFTEN_OPEN = (23, 80, 111, 443, 631, 2049, 3306, 5432, 6379, 8080, 11211)
# The root's NS, with recursion not desired: a question that every name server answers somehow (RFC 1035 section 4.1).
_QUESTION = b"\x6d\x6e\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x01"


async def try_ports(addresses: Iterable[IPAddress], ports: Iterable[tuple[int, str]]) -> tuple[Tried, ...]:
    """Try every port at every address, some at once.

    Args:
        addresses: the host's.
        ports: each with ``tcp`` or ``udp``; of UDP, only port 53 can be told open from silent.

    """
    gate = asyncio.Semaphore(_TOGETHER)

    async def one(address: IPAddress, port: int, protocol: str) -> Tried:
        async with gate:
            says = await (_tcp(address, port) if protocol == "tcp" else _udp(address, port))
            return Tried(address, port, protocol, says)

    wanted = list(ports)
    return tuple(await asyncio.gather(*(one(address, *each) for address in addresses for each in wanted)))


async def _tcp(address: IPAddress, port: int) -> str:
    try:
        async with asyncio.timeout(PATIENCE):
            _, writer = await asyncio.open_connection(str(address), port)
    except TimeoutError:
        return "silent"
    except OSError as error:
        return "closed" if error.errno == errno.ECONNREFUSED else "unreachable"
    writer.transport.abort()
    return "open"


class _Waiting(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.says: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: object) -> None:
        del data, addr
        self._say("open")

    def error_received(self, exc: Exception) -> None:
        self._say("closed" if isinstance(exc, ConnectionRefusedError) else "unreachable")

    def _say(self, word: str) -> None:
        if not self.says.done():
            self.says.set_result(word)


async def _udp(address: IPAddress, port: int) -> str:
    loop = asyncio.get_running_loop()
    try:
        transport, waiting = await loop.create_datagram_endpoint(_Waiting, remote_addr=(str(address), port))
    except OSError:
        return "unreachable"
    try:
        transport.sendto(_QUESTION)
        with contextlib.suppress(TimeoutError):  # one datagram may be lost
            async with asyncio.timeout(PATIENCE / 3):
                return await asyncio.shield(waiting.says)
        transport.sendto(_QUESTION)
        async with asyncio.timeout(PATIENCE):
            return await waiting.says
    except TimeoutError:
        return "silent"
    finally:
        transport.close()
