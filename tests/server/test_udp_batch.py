"""Batches: what comes in with one system call goes out with another, to whom it came from."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from mailname.server.udp_batch import MOST, NAME, PLACE, Batch, socket_address

if TYPE_CHECKING:
    from collections.abc import Iterator

LOOPBACK = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}


@pytest.fixture(params=[socket.AF_INET, socket.AF_INET6], ids=["IPv4", "IPv6"])
def pair(request: pytest.FixtureRequest) -> Iterator[tuple[socket.socket, socket.socket]]:
    with socket.socket(request.param, socket.SOCK_DGRAM) as server, socket.socket(request.param, socket.SOCK_DGRAM) as client:
        server.bind((LOOPBACK[request.param], 0))
        client.bind((LOOPBACK[request.param], 0))
        client.connect(server.getsockname()[:2])
        client.settimeout(10)
        yield server, client


def answer(batch: Batch, place: int, octets: bytes) -> None:
    batch.octets[PLACE * place : PLACE * place + len(octets)] = octets
    batch.sizes[place] = len(octets)


class TestBatch:
    def test_of_nothing_is_empty(self, pair: tuple[socket.socket, socket.socket]) -> None:
        """It does not wait, and says nothing of errors."""
        assert Batch(with_control=False).receive(pair[0].fileno()) == []
        assert Batch(with_control=False).receive(-1) == []

    def test_holds_what_was_sent_and_by_whom(self, pair: tuple[socket.socket, socket.socket]) -> None:
        """In the order of arrival; more than it holds waits for the next."""
        server, client = pair
        batch = Batch(with_control=False)
        sent = [bytes([number]) * (number * 7) for number in range(MOST + 3)]
        for one in sent:
            client.send(one)
        for part in (sent[:MOST], sent[MOST:]):
            assert batch.receive(server.fileno()) == [len(one) for one in part]
            assert [batch.octets[PLACE * i : PLACE * i + len(one)] for i, one in enumerate(part)] == part
            assert {socket_address(batch.sender(i)) for i in range(len(part))} == {client.getsockname()}

    def test_is_answered_in_its_places(self, pair: tuple[socket.socket, socket.socket]) -> None:
        """Any run of them; what was longer or shorter before does not matter."""
        server, client = pair
        batch = Batch(with_control=False)
        for size in (3, 500, 2):
            for number in range(4):
                client.send(bytes([number]) * size)
            assert batch.receive(server.fileno()) == [size] * 4
            for place in range(4):
                answer(batch, place, b"%d" % place * (place + size))
            batch.send(server.fileno(), 0, 1)
            batch.send(server.fileno(), 2, 4)
            batch.send(server.fileno(), 4, 4)
            assert [client.recv(2000) for _ in range(3)] == [b"%d" % place * (place + size) for place in (0, 2, 3)]

    def test_loses_only_the_answer_that_cannot_go(self, pair: tuple[socket.socket, socket.socket]) -> None:
        """As one to port 0, from which anybody can pretend to ask."""
        server, client = pair
        batch = Batch(with_control=False)
        for number in range(5):
            client.send(b"%d" % number)
        for place in range(len(batch.receive(server.fileno()))):
            answer(batch, place, b"%d" % place)
        for place in (0, 2, 4):
            batch.names[NAME * place + 2 : NAME * place + 4] = bytes(2)
        batch.send(server.fileno(), 0, 5)
        assert [client.recv(10), client.recv(10)] == [b"1", b"3"]
        client.setblocking(False)
        with pytest.raises(BlockingIOError):
            client.recv(10)

    def test_takes_the_largest_datagram(self) -> None:
        """65,507 octets by IPv4."""
        with socket.socket(type=socket.SOCK_DGRAM) as server, socket.socket(type=socket.SOCK_DGRAM) as client:
            server.bind(("127.0.0.1", 0))
            client.sendto(b"x" * 65_507, server.getsockname())
            assert Batch(with_control=True).receive(server.fileno()) == [65_507]
