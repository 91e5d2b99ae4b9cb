"""UDP without workers: answered from the address that was asked, in batches or one by one, and counted."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

import dns.message
import pytest
from tests.server.running import PATIENCE, Site, asked, running, serial_at

from mailname.answer.rate_limit import RateLimit
from mailname.lab.network import LabNetwork
from mailname.server import udp as udp_module
from mailname.server.network import Endpoint

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from mailname.server.service import Server


@pytest.fixture(params=["batches", "one by one"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Take datagrams as this system can, and as one without calls for batches has to."""

    def no_batches(**_: bool) -> None:
        raise AttributeError

    if request.param == "one by one":
        monkeypatch.setattr(udp_module, "Batch", no_batches)
    return str(request.param)


def question(name: str, rdtype: str = "A", number: int = 0) -> bytes:
    made = dns.message.make_query(name, rdtype, use_edns=0, payload=1232)
    made.id = number
    return made.to_wire()


@contextlib.asynccontextmanager
async def client(at: Endpoint) -> AsyncIterator[socket.socket]:
    with socket.socket(socket.AF_INET6 if at.address.version == 6 else socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.setblocking(False)
        opened.connect((str(at.address), at.port))
        yield opened


async def answers(opened: socket.socket, questions: list[bytes], expected: int) -> dict[int, dns.message.Message]:
    """Send all at once, before anybody can look at them, and return what comes back, by id."""
    for one in questions:
        opened.send(one)
    found: dict[int, dns.message.Message] = {}
    async with asyncio.timeout(PATIENCE):
        while len(found) < expected:
            message = dns.message.from_wire(await asyncio.get_running_loop().sock_recv(opened, 65535))
            assert message.id not in found
            found[message.id] = message
    return found


def counted(server: Server) -> dict[str, object]:
    found: dict[str, object] = server.status()["udp"]
    return found


@pytest.mark.usefixtures("way")
class TestWildcard:
    @pytest.mark.skipif(sys.platform != "linux", reason="127.0.0.5 is there without configuration only on Linux")
    async def test_answer_comes_from_the_address_that_was_asked(self, site: Site) -> None:
        """A connected socket, as resolvers have it, hears nothing else."""
        async with running(site.primary(listen=(Endpoint(ip_address("0.0.0.0"), site.port),))):
            for address in ("127.0.0.1", "127.0.0.5", "127.3.2.1"):
                assert await serial_at(Endpoint(ip_address(address), site.port)) == 1

    async def test_the_same_by_ipv6(self, site: Site) -> None:
        """Beside IPv4 on the same port: each listens for its own family."""
        listen = (Endpoint(ip_address("::"), site.port), Endpoint(ip_address("0.0.0.0"), site.port))
        async with running(site.primary(listen=listen)):
            for _ in range(2):  # the second one is prepared
                assert await serial_at(Endpoint(ip_address("::1"), site.port)) == 1
                assert await serial_at(Endpoint(ip_address("127.0.0.1"), site.port)) == 1
            assert await serial_at(Endpoint(ip_address("::1"), site.port), tcp=True) == 1


@pytest.mark.usefixtures("way")
class TestDatagrams:
    async def test_rubbish_does_not_disturb(self, site: Site) -> None:
        """What is no request is dropped; the next question is answered."""
        async with running(site.primary()):
            with socket.socket(type=socket.SOCK_DGRAM) as udp:
                for octets in (b"", b"\x00", b"\xff" * 512, bytes(12), b"\0" * 60_000):
                    udp.sendto(octets, (str(site.primary_at.address), site.port))
                # Who is gone before the answer comes: its port-unreachable must not disturb either.
                udp.sendto(dns.message.make_query("example.tech.", "SOA").to_wire(), (str(site.primary_at.address), site.port))
            assert (await asked(site.primary_at)).answer

    async def test_many_at_once_get_each_its_answer(self, site: Site) -> None:
        """More than a batch, some without an answer among them, some for the reference, some spelled otherwise."""
        async with running(site.primary()), client(site.primary_at) as opened:
            wires, expected = [], {}
            for number in range(150):
                name = ["example.tech.", "MAIL.example.tech.", f"no{number}.example.tech.", "a.example.org."][number % 4]
                wires.append(question(name, "MX" if number % 4 == 0 else "A", number))
                expected[number] = (name, [0, 0, 3, 5][number % 4])
                if number % 3 == 0:
                    wires.append(b"rubbish")
            found = await answers(opened, wires, len(expected))
        told = {number: (message.question[0].name.to_text(), int(message.rcode())) for number, message in found.items()}
        assert told == expected
        assert all(bool(message.answer) == (number % 4 < 2) for number, message in found.items())

    async def test_that_is_huge_is_read_whole(self, site: Site) -> None:
        """A question with an option of 20,000 octets is a question (RFC 6891 section 6.1.2)."""
        made = dns.message.make_query("example.tech.", "SOA", use_edns=0)
        wire = made.to_wire()[:-2] + (20_004).to_bytes(2, "big") + b"\xfd\xe9" + (20_000).to_bytes(2, "big") + bytes(20_000)
        async with running(site.primary()), client(site.primary_at) as opened:
            for _ in range(2):
                assert (await answers(opened, [wire], 1))[made.id].answer


@pytest.mark.usefixtures("way")
class TestClients:
    async def test_that_ask_too_often_are_limited(self, site: Site) -> None:
        """Prepared or not: two a second, then every other one truncated, the others dropped."""
        config = site.primary(rate_limit=RateLimit(responses_per_second=2, slip=2, exempt=()))
        async with running(config) as server, client(site.primary_at) as opened:
            found = await answers(opened, [question("example.tech.", "MX", number) for number in range(6)], 4)
            assert sorted(len(message.answer) for message in found.values()) == [0, 0, 1, 1]
            assert [counted(server)[key] for key in ("limited", "dropped")] == [4, 2]

    async def test_that_are_exempt_are_not(self, site: Site) -> None:
        limit = RateLimit(responses_per_second=2, exempt=(ip_network("127.0.0.0/8"),))
        async with running(site.primary(rate_limit=limit)), client(site.primary_at) as opened:
            assert len(await answers(opened, [question("example.tech.", "MX", number) for number in range(60)], 60)) == 60

    async def test_are_remembered_in_bounded_number(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        """What is full is emptied."""
        monkeypatch.setattr(udp_module, "_MOST_UNLIMITED", 2)
        async with running(site.primary()):
            for last in range(1, 7):
                with socket.socket(type=socket.SOCK_DGRAM) as opened:
                    opened.setblocking(False)
                    opened.bind((f"127.0.0.{last}", 0))
                    opened.connect((str(site.primary_at.address), site.port))
                    assert len(await answers(opened, [question("example.tech.", "MX", number) for number in range(3)], 3)) == 3

    async def test_are_whom_the_network_says(self, site: Site) -> None:
        """In the lab, a port stands for an address: who is exempt at one is not at another."""
        lab = LabNetwork()
        address = ip_address("203.0.113.1")
        at = Endpoint(ip_address("192.0.2.53"), 53)
        limit = RateLimit(responses_per_second=1, slip=0, exempt=(ip_network("203.0.113.1/32"),))
        async with running(site.primary(listen=(at,), rate_limit=limit), network=lab):
            with lab.open_udp(at, address) as friend, lab.open_udp(at, ip_address("198.51.100.1")) as stranger:
                wires = [question("example.tech.", "MX", number) for number in range(5)]
                assert len(await answers(friend, wires, 5)) == 5
                assert len(await answers(stranger, wires, 1)) == 1
                assert len(await answers(friend, wires, 5)) == 5
                with pytest.raises(BlockingIOError):
                    stranger.recv(512)
        lab.close()


@pytest.mark.usefixtures("way")
class TestCounters:
    async def test_tell_who_answered_what(self, site: Site) -> None:
        """What is prepared; what the reference answers, for the first time among others; what gets no answer."""
        async with running(site.primary()) as server, client(site.primary_at) as opened:
            for number, (name, rdtype) in enumerate(
                [
                    ("example.tech.", "MX"),
                    ("example.tech.", "MX"),
                    ("EXAMPLE.tech.", "MX"),
                    ("one.example.tech.", "A"),
                    ("two.example.tech.", "AAAA"),
                    ("example.tech.", "TYPE65280"),
                    ("example.org.", "A"),
                ]
            ):
                await answers(opened, [question(name, rdtype, number)], 1)
            await answers(opened, [b"short", question("example.tech.", "MX", 9)], 1)
            assert counted(server) == {
                "received": 9,
                "plain": 4,
                "handed_on": 5,
                "dropped": 1,
                "limited": 0,
                "rcodes": {0: 5, 3: 2, 5: 1},
                "types": {1: 2, 15: 4, 28: 1, 255: 1},
            }

    async def test_of_a_reply_without_question_are_of_no_type(self, site: Site) -> None:
        """FORMERR to a header alone."""
        async with running(site.primary()) as server, client(site.primary_at) as opened:
            await answers(opened, [b"\0\7" + bytes(10)], 1)
            assert (counted(server)["rcodes"], counted(server)["types"]) == ({1: 1}, {0: 1})
