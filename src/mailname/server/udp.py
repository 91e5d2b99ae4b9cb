"""UDP: datagrams in, datagrams out, from the address they came to.

Where the system can, many with one system call (``udp_batch``), and prepared answers are written where the question came in.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import sys
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from mailname.server.network import DirectNetwork
from mailname.server.udp_batch import NAME, PLACE, Batch, socket_address
from mailname.server.udp_counts import UdpCounts, place_of
from mailname.server.waiting import datagrams_waiting
from mailname.wire.message import is_update

if TYPE_CHECKING:
    from mailname.answer.prepared import Prepared
    from mailname.server.dispatch import Dispatcher
    from mailname.server.network import Endpoint, Network, SocketAddress

_AT_ONCE = 64  # datagrams answered before other work gets its turn
_LARGEST = 65535
_FEW = 4  # datagrams in a batch: there is time to look who sent them
_MOST_UNSEEN = 256  # answers for which one client stands
_MOST_UNLIMITED = 4096  # clients of which we remember that their answers are not counted
_IP_PKTINFO = 8  # Linux; Python 3.11's socket module does not name it
_IP_PKTINFO_SIZE = 12


class UdpListener:
    """Answers what arrives at one UDP address."""

    def __init__(self, network: Network, at: Endpoint, dispatcher: Dispatcher) -> None:
        self._network = network
        self._dispatcher = dispatcher
        self.is_answering = True
        self._socket = network.listen_udp(at)
        # Behind a wildcard the system would choose the reply's source; a resolver drops what comes from another address than
        # it asked. With "packet info" the reply leaves from the address that the question came to.
        self._with_source = at.address.is_unspecified and sys.platform == "linux"
        if self._with_source:
            ask_for_source(self._socket, at.address.version)
        dispatcher.rates.forgiven += datagrams_waiting(self._socket)
        self._counts = UdpCounts()
        # Where in a socket address the client's is. A network that maps ports to addresses has to be asked each time.
        self._client = (4, 8) if self._socket.family == socket.AF_INET else (8, 24)
        self._remembers_clients = type(network).peer is DirectNetwork.peer
        self._unlimited: set[bytes] = set()
        self._unseen = self._unnamed = 0
        self._loop = asyncio.get_running_loop()
        try:
            batch = Batch(with_control=self._with_source)
        except (AttributeError, OSError):  # a system without calls for batches
            self._loop.add_reader(self._socket, self._answer_one_by_one)
        else:
            self._loop.add_reader(self._socket, self._answer_batch, batch)

    async def close(self) -> None:
        """Stop answering."""
        self._loop.remove_reader(self._socket)
        self._socket.close()
        self.is_answering = False

    def counters(self) -> list[dict[str, Any]]:
        """Return what has been seen."""
        return [self._counts.as_dict()]

    def traffic(self) -> dict[str, Any]:
        """Return what the reference has not seen, as the Counters of a worker do."""
        seen = self._counts.as_dict() | self._counts.prepared()
        version = 4 if self._socket.family == socket.AF_INET else 6
        # What was too many is counted by who limits.
        return seen | {"limited": 0, "ipv4": 0, "ipv6": 0, f"ipv{version}": seen["plain"], "took": {}, "microseconds": 0}

    def _count_clients(self, seen: SocketAddress, count: int) -> None:
        dispatcher = self._dispatcher
        dispatcher.traffic.clients.count(self._network.peer(seen).address, count, dispatcher.context.clock.wall())

    def _count_name(self, name: bytes, count: int) -> None:
        self._dispatcher.traffic.names.count(name, count, time.time())

    def _answer_batch(self, batch: Batch) -> None:
        fd = self._socket.fileno()
        received = batch.receive(fd)
        began = time.monotonic()
        if self._with_source and self._socket.family == socket.AF_INET:
            batch.forget_interfaces(len(received))
        prepared, counts = self._dispatcher.prepared, self._counts
        prepared.follow(self._dispatcher.context.table)
        find, octets, sizes, names, unlimited = prepared.find, batch.octets, batch.sizes, batch.names, self._unlimited
        answered = counts.answered
        client, client_ends = self._client
        count_name, few, last, before = self._count_name, len(received) < _FEW, b"", counts.plain
        at = first = plain = 0
        for place, size in enumerate(received):
            wire = octets[at : at + size]
            known = find(wire)
            if known is not None and names[NAME * place + client : NAME * place + client_ends] in unlimited:
                head, rest, question_ends, _, _, kind, _, reply_size, tally, _ = known
                octets[at + 2 : at + 12] = head
                begins = at + question_ends
                octets[begins : at + reply_size] = rest
                sizes[place] = reply_size
                answered[(place_of(wire, question_ends) if wire[question_ends - 4] else wire[question_ends - 3]) << 6 | kind] += 1
                tally[0] += 1
                plain += 1
                last = wire[12 : question_ends - 4]
                if few:
                    count_name(last, 1)
            else:
                reply = self._reply(wire, known, socket_address(batch.sender(place)), batch.sender(place)[client:client_ends])
                if reply is None:
                    batch.send(fd, first, place)
                    first = place + 1
                else:
                    octets[at : at + len(reply)] = reply
                    sizes[place] = len(reply)
            at += PLACE
        batch.send(fd, first, len(received))
        counts.received += len(received)
        counts.plain += plain
        self._dispatcher.traffic.in_time(time.monotonic() - began, counts.plain - before)
        # Under load one sender stands for many: who asks much is met often, and looking at each would take as long as answering.
        self._unseen += plain
        if last and not few:
            self._unnamed += plain
            if self._unnamed >= _MOST_UNSEEN:
                count_name(last, self._unnamed)
                self._unnamed = 0
        if self._unseen and (few or self._unseen >= _MOST_UNSEEN):
            self._count_clients(socket_address(batch.sender(len(received) - 1)), self._unseen)
            self._unseen = 0

    def _answer_one_by_one(self) -> None:
        prepared = self._dispatcher.prepared
        for _ in range(_AT_ONCE):
            try:
                wire, ancillary, _flags, seen = self._socket.recvmsg(_LARGEST, 64 if self._with_source else 0)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:  # a queued ICMP error of an earlier reply: nobody waits for it
                continue
            before = self._counts.plain
            began = time.monotonic()
            self._counts.received += 1
            prepared.follow(self._dispatcher.context.table)
            reply = self._reply(wire, prepared.find(wire), seen)
            if reply is not None:
                # A full send buffer drops the reply, as the network might; the client asks again.
                with contextlib.suppress(OSError):
                    self._socket.sendmsg([reply], answer_from(ancillary), 0, seen)
            self._dispatcher.traffic.in_time(time.monotonic() - began, self._counts.plain - before)

    def _send_later(self, seen: SocketAddress, reply: bytes) -> None:
        """Send a reply that took its time; the system chooses the address that it leaves from."""
        with contextlib.suppress(OSError):
            self._socket.sendto(reply, seen)

    def _reply(self, wire: bytes, known: Prepared | None, seen: SocketAddress, client: bytes | None = None) -> bytes | None:
        """Reply by the reference, or to a client of which we did not know whether its answers are counted."""
        counts, dispatcher, rates = self._counts, self._dispatcher, self._dispatcher.rates
        source = self._network.peer(seen)
        limited = rates.limited
        if known is None and is_update(wire):
            dispatcher.updating.take(wire, source, partial(self._send_later, seen))
            return None
        if known is None:
            reply = dispatcher.by_reference(wire, source)
            counts.handed_on += 1
        else:
            reply = dispatcher.limited(known, wire, source.address)
            self._count_clients(seen, 1)
            if reply is not None:
                counts.plain += 1
                counts.answered[place_of(wire, known.question_ends) << 6 | known.kind & ~15 | reply[3] & 15] += 1
                known.tally[0] += 1
                self._count_name(wire[12 : known.question_ends - 4], 1)
        counts.limited += rates.limited - limited
        if reply is None:
            counts.dropped += 1
        elif known is None:
            counts.count(reply)
        if client is not None and self._remembers_clients and not rates.is_limited(source.address):
            if len(self._unlimited) >= _MOST_UNLIMITED:
                self._unlimited.clear()
            self._unlimited.add(client)
        return reply


def ask_for_source(bound: socket.socket, version: int) -> None:
    """Let a socket on a wildcard address tell to which address each datagram came (Linux)."""
    if version == 4:
        bound.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
    else:
        bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)


def answer_from(ancillary: list[tuple[int, int, bytes]]) -> list[tuple[int, int, Any]]:
    """Return the ancillary data that makes a reply leave from the address that the question came to."""
    for level, kind, data in ancillary:
        if level == socket.IPPROTO_IP and kind == _IP_PKTINFO and len(data) >= _IP_PKTINFO_SIZE:
            # struct in_pktinfo: interface, address to send from, address in the header
            return [(level, kind, struct.pack("=I", 0) + data[8:12] + bytes(4))]
        if level == socket.IPPROTO_IPV6 and kind == socket.IPV6_PKTINFO:
            return [(level, kind, data)]
    return []
