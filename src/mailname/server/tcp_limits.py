"""What TCP connections share: how many there may be, in all and per client, which one makes room, whose turn it is.

RFC 7766 section 6.2.3 lets a server close idle connections when it runs short of them.
"""

from __future__ import annotations

import asyncio
import resource
from collections import Counter
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MOST_CONNECTIONS = 400
MOST_PER_CLIENT = 40
_OWN_FILES = 48  # what a server has open besides, and needs while it transfers and writes
_FEWEST = 4
STUCK = 3.0  # seconds after which a client that does not read its answers may be ended to make room
_IPV6_CLIENT = 64  # bits: what one host is commonly given


def most_connections() -> int:
    """Return how many connections there may be: half of the files that this process may have open, beside its own."""
    most_files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most_files == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS
    return min(MOST_CONNECTIONS, max(_FEWEST, (most_files - _OWN_FILES) // 2))


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """One connection's place among those that there may be.

    Attributes:
        client: whose it is.
        end: ends the connection; called at most once, to make room.

    """

    client: IPv4Address | IPv6Address
    end: Callable[[], object]


class Turns:
    """Who may make a message next, over all connections of a server.

    In each round of the event loop one question is answered and one message of a transfer is made, and datagrams get their turn
    in between: making a message takes long, and neither many connections nor large transfers may hold up the answers by UDP.
    """

    def __init__(self) -> None:
        self._questions = asyncio.Lock()
        self._streams = asyncio.Lock()

    async def begin(self, replies: Iterator[bytes], write: Callable[[bytes], None]) -> tuple[bool, bytes | None]:
        """Write the first message of an answer, and tell what comes behind it; most have one, some none.

        Args:
            replies: the messages.
            write: takes the first one, before the second is made: for who transfers a small zone that is all.

        Returns:
            Whether there was a message, and the second one.

        """
        async with self._questions:
            first = next(replies, None)
            if first is not None:
                write(first)
            second = next(replies, None) if first is not None else None
            await asyncio.sleep(0)
        return first is not None, second

    async def go_on(self, replies: Iterator[bytes]) -> bytes | None:
        """Return the next message of an answer that has many, None after the last."""
        async with self._streams:
            reply = next(replies, None)
            await asyncio.sleep(0)
        return reply


class TcpLimits:
    """Counts connections over all addresses of one server.

    Where one is too many, the one that has waited longest for a question makes room: of the client itself if it has its share,
    otherwise of anybody; if nobody waits, one whose client has not read its answers for a while. Only when all are at work is
    the new one closed. So neither idle nor stalled connections shut anybody out. An IPv6 client is a network of 64 bits.
    """

    def __init__(self, now: Callable[[], float], most: int = MOST_CONNECTIONS, most_per_client: int = MOST_PER_CLIENT) -> None:
        self.turns = Turns()
        self._now = now
        self._most = most
        self._most_per_client = most_per_client
        self._places: set[Place] = set()
        self._clients: Counter[IPv4Address | IPv6Address] = Counter()
        self._idle: dict[Place, None] = {}  # who waits longest comes first, here
        self._stuck: dict[Place, float] = {}  # and here

    def __len__(self) -> int:
        return len(self._places)

    def admit(self, address: IPv4Address | IPv6Address, end: Callable[[], object]) -> Place | None:
        """Return a place for one more connection, None when there is none and nobody can make room."""
        client = _client(address)
        if self._clients[client] >= self._most_per_client:
            fits = self._end_one(lambda place: place.client == client)
        else:
            fits = len(self._places) < self._most or self._end_one(lambda _: True)
        if not fits:
            return None
        place = Place(client, end)
        self._places.add(place)
        self._clients[client] += 1
        return place

    def leave(self, place: Place) -> None:
        """Give a place back; once or more often."""
        self.busy(place)
        self.moving(place)
        if place in self._places:
            self._places.remove(place)
            self._clients[place.client] -= 1
            if not self._clients[place.client]:
                del self._clients[place.client]

    def idle(self, place: Place) -> None:
        """Take note that nothing is being answered: whoever waits longest for a question is the first to make room."""
        if place in self._places:
            self._idle[place] = None

    def busy(self, place: Place) -> None:
        """Take note that something is being answered: the connection is not ended for others."""
        self._idle.pop(place, None)

    def stuck(self, place: Place) -> None:
        """Take note that the client has to read before more can be sent."""
        if place in self._places:
            self._stuck.setdefault(place, self._now())

    def moving(self, place: Place) -> None:
        """Take note that the client has read."""
        self._stuck.pop(place, None)

    def _end_one(self, may_go: Callable[[Place], bool]) -> bool:
        longest = next(filter(may_go, self._candidates()), None)
        if longest is None:
            return False
        self.leave(longest)
        longest.end()
        return True

    def _candidates(self) -> Iterator[Place]:
        yield from self._idle
        long_ago = self._now() - STUCK
        yield from (place for place, since in self._stuck.items() if since <= long_ago)


def _client(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    if address.version == 4:
        return address
    shift = 128 - _IPV6_CLIENT
    return IPv6Address(int(address) >> shift << shift)
