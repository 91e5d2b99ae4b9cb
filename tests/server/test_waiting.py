"""Questions that waited in a socket of systemd's while nobody served are all answered, however many are alike."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import dns.message
import pytest
from tests.server.running import PATIENCE, Running, Site
from tests.server.test_udp_workers import needs_workers

from mailname.answer.rate_limit import RateLimit
from mailname.server.clock import ShiftedClock
from mailname.server.systemd import InheritedNetwork
from mailname.server.waiting import datagrams_waiting

if TYPE_CHECKING:
    from collections.abc import Iterator

QUESTION = dns.message.make_query("example.tech.", "SOA").to_wire()
ASKED = 100


@pytest.fixture
def bound(site: Site) -> Iterator[socket.socket]:
    """Open a socket before the server comes."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind((str(site.primary_at.address), site.port))
        yield udp


def whole_answers(asking: socket.socket, at_most: int) -> int:
    """Count what comes back with the answer in it; a missing one is a failure."""
    found = 0
    asking.settimeout(PATIENCE)
    while found < at_most:
        found += not asking.recv(2000)[2] & 2
    return found


class TestDatagramsWaiting:
    def test_is_a_bound_of_what_waits(self, bound: socket.socket) -> None:
        """None where nothing was sent; never fewer than there are."""
        assert datagrams_waiting(bound) == 0
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            for _ in range(ASKED):
                asking.sendto(QUESTION, bound.getsockname())
        assert ASKED <= datagrams_waiting(bound) < 20 * ASKED


class TestServerThatComesLate:
    @pytest.mark.parametrize("workers", [0, pytest.param(2, marks=needs_workers)])
    async def test_limits_the_rate_of_what_comes_later_alone(self, site: Site, bound: socket.socket, workers: int) -> None:
        """Far more like answers than the rate allows: those that waited go out whole, and the limit counts from then on."""
        limit = RateLimit(responses_per_second=1, slip=0, exempt=())
        config = site.primary(rate_limit=limit)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            for _ in range(ASKED):
                asking.sendto(QUESTION, bound.getsockname())
            with bound.dup() as given:
                server = Running(config, clock=ShiftedClock(), network=InheritedNetwork([given]), workers=workers)
                await server.start()
                try:
                    assert await asyncio.to_thread(whole_answers, asking, ASKED) == ASKED
                    assert server.status()["udp"]["limited"] == 0
                    async with asyncio.timeout(PATIENCE):
                        while not server.status()["udp"]["limited"]:
                            asking.sendto(QUESTION, bound.getsockname())
                            await asyncio.sleep(0)
                finally:
                    await server.stop()
