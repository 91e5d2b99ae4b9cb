"""UDP workers on real sockets: what they answer themselves, what they hand on, and that nobody can tell the difference."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import socket
import struct
import threading
import time
from functools import partial
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import pytest
from tests.answer.plain_forms import contents, must_be_compiled
from tests.server.running import APEX, PATIENCE, Running, Site, asked, free_port, serial_at, until, zone_text

from mailname.answer import Settings
from mailname.answer.rate_limit import RateLimit
from mailname.errors import HostError
from mailname.server.clock import ShiftedClock
from mailname.server.config import ZoneConfig
from mailname.server.network import DirectNetwork, Endpoint, ask_udp
from mailname.server.udp_workers import UdpWorkers, are_available
from mailname.wire.cookie import server_cookie
from mailname.wire.tsig_key import make_key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from mailname.server.config import ServerConfig

AVAILABLE = are_available(DirectNetwork())
# In continuous integration the core must have been compiled, except where it is tested uncompiled on purpose.
MUST_BE_COMPILED = "CI" in os.environ and "MAILNAME_PURE" not in os.environ
needs_workers = pytest.mark.skipif(
    not AVAILABLE and not MUST_BE_COMPILED, reason="the core is not compiled here: there are no workers"
)
SECRET = bytes(range(16))
HERE = ip_address("127.0.0.1")
BIG = "\n".join(f"h{number} A 192.0.2.9" for number in range(300))


@contextlib.asynccontextmanager
async def working(config: ServerConfig, workers: int = 2, clock: ShiftedClock | None = None) -> AsyncIterator[Running]:
    """Run a server with workers."""
    server = Running(config, clock=clock or ShiftedClock(), workers=workers)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


def counted(server: Running) -> dict[str, Any]:
    """Return what the workers have seen."""
    found: dict[str, Any] = server.status()["udp"]
    return found


def listeners(server: Running) -> list[UdpWorkers]:
    """Return the workers of each address."""
    return [listener for listener in server._udp if isinstance(listener, UdpWorkers)]


def holds(server: Running, serial: int) -> bool:
    """Tell whether a server serves this version."""
    return server.serial() == serial


def query(name: str = "example.tech.", rdtype: str = "SOA", *options: tuple[int, bytes], **more: Any) -> bytes:
    """Return a question with id 4711; with EDNS unless ``use_edns=False``."""
    made = dns.message.make_query(name, rdtype, id=4711, **{"use_edns": 0, "payload": 1232} | more)
    if options:
        sent: list[dns.edns.Option] = [dns.edns.GenericOption(dns.edns.OptionType.make(code), data) for code, data in options]
        made.use_edns(0, payload=made.payload, options=sent)
    return made.to_wire()


async def ask(at: Endpoint, wire: bytes, source: str | None = None) -> bytes:
    return await ask_udp(DirectNetwork(), wire, at, timeout=PATIENCE, source=ip_address(source) if source else None)


def cookie_of(wire: bytes) -> bytes:
    """Return the COOKIE option of a reply."""
    message = dns.message.from_wire(wire)
    return next(option.to_wire() or b"" for option in message.options if option.otype == dns.edns.OptionType.COOKIE)


class TestAvailability:
    def test_is_there_where_the_core_is_compiled(self) -> None:
        """Nothing but a mistake keeps them away where there is a compiler."""
        assert AVAILABLE or not must_be_compiled()


@needs_workers
class TestCounters:
    async def test_tell_who_answered_what(self, site: Site) -> None:
        """Plain ones by the worker, others by Python; by rcode and type; what gets no answer is dropped."""
        async with working(site.primary()) as server:
            for name, rdtype in [
                ("example.tech.", "MX"),
                ("example.tech.", "SOA"),
                ("no.example.tech.", "A"),
                ("MAIL.example.tech.", "A"),
            ]:
                await ask(site.primary_at, query(name, rdtype))
            await ask(site.primary_at, query("example.org."))
            with socket.socket(type=socket.SOCK_DGRAM) as udp:
                udp.sendto(b"short", (str(site.primary_at.address), site.port))
                await until(lambda: counted(server)["received"] == 6)
            assert counted(server) == {
                "received": 6,
                "plain": 4,
                "handed_on": 1,
                "dropped": 1,
                "limited": 0,
                "rcodes": {0: 3, 3: 1},
                "types": {1: 2, 6: 1, 15: 1},
            }


def same_questions() -> dict[str, bytes]:
    """Return questions of all sorts, by what is special about them."""
    soa = query(use_edns=False)
    made = {
        "plain": query(),
        "plain without EDNS": soa,
        "alias": query("www.example.tech.", "A"),
        "NODATA": query(rdtype="AAAA"),
        "NXDOMAIN": query("no.example.tech."),
        "referral": query("www.kid.example.tech.", "A"),
        "DS at a cut": query("kid.example.tech.", "DS"),
        "ANY": query(rdtype="ANY"),
        "large": query("big.example.tech.", "TXT"),
        "large, small payload": query("big.example.tech.", "TXT", payload=512),
        "not ours": query("example.org.", "A"),
        "the root": query(".", "NS"),
        "AXFR": query(rdtype="AXFR"),
        "IXFR": query(rdtype="IXFR", use_edns=False),
        "CH": query("version.bind.", "TXT", rdclass=dns.rdataclass.CH),
        "class ANY": query(rdclass=dns.rdataclass.ANY),
        "EDNS version 1": query(use_edns=1),
        "unknown option": query("example.tech.", "MX", (65001, b"x")),
        "EXPIRE": query("example.tech.", "SOA", (9, b"")),
        "cookie": query("example.tech.", "MX", (10, b"12345678")),
        "cookie that is not ours": query("example.tech.", "MX", (10, b"12345678" + bytes(16))),
        "cookie, alias to nowhere": query("out.example.tech.", "MX", (10, b"12345678")),
        "cookie of 9 octets": query("example.tech.", "MX", (10, b"123456789")),
        "cookie of 41 octets": query("example.tech.", "MX", (10, bytes(41))),
        "empty cookie": query("example.tech.", "MX", (10, b"")),
        "cookie that hardly fits": query("full.example.tech.", "TXT", (10, b"12345678"), payload=512),
        "DO": query(want_dnssec=True),
        "opcode STATUS": soa[:2] + b"\x10" + soa[3:],
        "opcode NOTIFY": soa[:2] + b"\x24" + soa[3:],
        "opcode UPDATE": soa[:2] + b"\x28" + soa[3:],
        "TC set": soa[:2] + b"\x02" + soa[3:],
        "all flags but QR": soa[:2] + b"\x07\xff" + soa[4:],
        "header alone": soa[:4] + bytes(8),
        "two questions": soa[:5] + b"\x02" + soa[6:] + soa[12:],
        "cut": soa[:-3],
        "octets behind": soa + b"\0\0\0",
        "label of 64": soa[:12] + b"\x40" + bytes(64) + b"\0\0\6\0\1",
        "pointer": soa[:12] + b"\xc0\x0c\0\6\0\1",
        "name of 256": soa[:12] + (b"\x3f" + b"a" * 63) * 4 + b"\0\0\6\0\1",
        "two OPT": query()[:11] + b"\2" + query()[12:] + query()[-11:],
        "option that overruns": query()[:-2] + b"\0\4\0\x0a\0\x08",
        "TSIG that is none": soa[:11] + b"\1" + soa[12:] + b"\0\0\xfa\0\xff\0\0\0\0\0\0",
    }
    return made | {"padded": query()[:-2] + struct.pack("!HHH", 4004, 12, 4000) + bytes(4000)}


MORE = (
    "www CNAME mail\nout CNAME www.example.org.\nkid NS ns.kid\nkid NS ns1\nns.kid A 192.0.2.7\n"
    f'big TXT "{"x" * 255}" "{"y" * 255}" "{"z" * 200}"\nfull TXT "{"x" * 255}" "{"y" * 162}"\n'
)


class TestAnswers:
    async def test_in_a_batch_are_the_same_as_alone(self, site: Site) -> None:
        """What is fetched ahead for many questions decides nothing, also for those that are none or about nothing of ours."""
        site.write(7, MORE + "a.b.c A 192.0.2.8\n")
        names = [
            "example.tech.",
            "b.c.example.tech.",
            "no.example.tech.",
            "www.example.tech.",
            "a.b.c.example.tech.",
            "org.",
            ".",
        ]
        wires = [query(name, rdtype) for name in names for rdtype in ("A", "TXT", "NS")]
        wires += [wires[0][:cut] for cut in range(13, len(wires[0]))]
        wires += [wires[0][:12] + bytes(label) + wires[0][12:] for label in ((64,), (63,), (1,), (1, 97) * 127)]
        sent = [struct.pack("!H", number) + wire[2:] for number, wire in enumerate(wires)]
        async with working(site.primary(replies=Settings(cookie_secrets=(SECRET,)))) as server:
            alone = {wire[:2]: await ask(site.primary_at, wire) for wire in sent}
            with socket.socket(type=socket.SOCK_DGRAM) as udp:
                udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**20)
                udp.connect((str(site.primary_at.address), site.port))
                udp.settimeout(PATIENCE)
                for _ in range(5):
                    for wire in sent:
                        udp.send(wire)
                    replies = await asyncio.to_thread(lambda: [udp.recv(4096) for _ in sent])
                    assert {reply[:2]: reply for reply in replies} == alone
            assert counted(server)["received"] == 6 * len(sent)

    async def test_are_the_same_with_and_without_workers(self, site: Site) -> None:
        """Whoever answers: rcode, flags, records, options. Silence included."""
        site.write(7, MORE)
        other = Site(site.folder, port=free_port())
        replies = Settings(cookie_secrets=(SECRET,), nsid=b"ns1", version="x")
        with_workers = site.primary(replies=replies, state=None, control=None)
        without = other.primary(replies=replies, state=None, control=None)
        async with working(with_workers) as server, working(without, workers=0):
            for what, wire in same_questions().items():
                answers = [await ask(at, wire) for at in (site.primary_at, other.primary_at)]
                seen = [contents(answer) for answer in answers]
                if b"\0\x0a\0\x18" in answers[0]:  # the cookie's time is the second in which it was made
                    seen = [part[:-1] for part in seen]
                assert seen[0] == seen[1], what
            if AVAILABLE:
                assert counted(server)["plain"] >= 12
                assert counted(server)["handed_on"] >= 25

    @pytest.mark.parametrize("wire", [b"", b"x", bytes(11), b"\x12\x67\x80" + bytes(9), query()[:2] + b"\x80" + query()[3:]])
    async def test_to_fragments_and_responses_are_none(self, site: Site, wire: bytes) -> None:
        """Or two servers could talk for ever."""
        async with working(site.primary(), workers=1):
            with socket.socket(type=socket.SOCK_DGRAM) as udp:
                udp.connect((str(site.primary_at.address), site.port))
                udp.settimeout(PATIENCE)
                udp.send(wire)
                udp.send(query("mail.example.tech.", "A"))
                assert dns.message.from_wire(await asyncio.to_thread(udp.recv, 2000)).answer

    async def test_to_signed_questions_are_signed(self, site: Site) -> None:
        """TSIG is Python's business (RFC 8945); a bad key gets NOTAUTH."""
        key, stranger = (make_key(dns.name.from_text(name)) for name in ("known.example.", "stranger.example."))
        async with working(site.primary(keys={key.name: key})):
            for one, rcode in ((key, dns.rcode.NOERROR), (stranger, dns.rcode.NOTAUTH)):
                signed = dns.message.make_query("example.tech.", "SOA", use_edns=False)
                signed.use_tsig({one.name: one.secret}, one.name, algorithm=one.algorithm)
                answer = dns.message.from_wire(await ask(site.primary_at, signed.to_wire()), keyring=False)
                assert (answer.rcode(), answer.had_tsig) == (rcode, True)

    async def test_fill_the_room_that_the_client_gives(self, site: Site) -> None:
        """With a cookie too, which comes on top: never more octets than asked for."""
        site.write(7, MORE)
        async with working(site.primary()):
            for payload in range(480, 640, 8):
                for options in ((), ((10, b"12345678"),)):
                    answer = await ask(site.primary_at, query("full.example.tech.", "TXT", *options, payload=payload))
                    assert len(answer) <= max(payload, 512)
                    message = dns.message.from_wire(answer)
                    assert bool(message.answer) != bool(message.flags & dns.flags.TC)


class TestAddresses:
    async def test_are_shared_by_several_workers(self, site: Site) -> None:
        """The kernel spreads the clients; each gets his answer, whoever he is."""
        async with working(site.primary(), workers=4) as server:
            answers = await asyncio.gather(*(serial_at(site.primary_at) for _ in range(60)))
            assert set(answers) == {1}
            if AVAILABLE:
                await until(lambda: counted(server)["plain"] == 60)
                busy = [one["plain"] for listener in listeners(server) for one in listener.counters()]
                assert len(busy) == 4
                assert sum(count > 0 for count in busy) > 1

    @pytest.mark.parametrize("workers", [1, 2])
    async def test_behind_a_wildcard_answer_from_the_one_asked(self, site: Site, workers: int) -> None:
        """Plain and handed on; a connected socket, as resolvers have it, hears nothing else."""
        listen = (Endpoint(ip_address("0.0.0.0"), site.port), Endpoint(ip_address("::"), site.port))
        async with working(site.primary(listen=listen), workers=workers):
            for address in ("127.0.0.1", "127.0.0.5", "127.3.2.1", "::1"):
                at = Endpoint(ip_address(address), site.port)
                assert await serial_at(at) == 1
                assert dns.message.from_wire(await ask(at, query("example.org."))).rcode() == dns.rcode.REFUSED

    @pytest.mark.parametrize("workers", [(1, 1), (2, 2), (1, 2), (2, 1), (2, 0), (0, 2)])
    async def test_are_not_shared_by_two_servers(self, site: Site, workers: tuple[int, int]) -> None:
        """Else the kernel would give each of them half of the clients, and nobody would notice."""
        config = site.primary(state=None, control=None)
        async with working(config, workers=workers[0]):
            second = Running(config, clock=ShiftedClock(), workers=workers[1])
            with pytest.raises(HostError, match="cannot listen"):
                await second.start()
            assert {await serial_at(site.primary_at) for _ in range(20)} == {1}


class TestChanges:
    async def test_are_answered_at_once(self, site: Site) -> None:
        """When the reload returns, nobody gets the former version any more."""
        async with working(site.primary(), workers=2) as server:
            for serial in range(2, 15):
                site.write(serial)
                assert await server.reload() == {}
                assert {await serial_at(site.primary_at) for _ in range(4)} == {serial}

    async def test_arrive_at_secondaries(self, site: Site) -> None:
        """By NOTIFY, which workers hand on; the copy is answered by the secondary's workers."""
        async with working(site.secondary()) as secondary, working(site.primary()) as primary:
            await until(lambda: secondary.serial() == 1)
            for serial in range(2, 6):
                site.write(serial)
                await primary.reload()
                await until(partial(holds, secondary, serial))
                assert {await serial_at(site.secondary_at) for _ in range(4)} == {serial}
            if AVAILABLE:
                assert counted(secondary)["plain"] >= 16

    @needs_workers
    async def test_have_room_for_what_comes_at_once(self, site: Site) -> None:
        """Ten thousand NOTIFYs while all threads are busy: what the system's default holds is full after some hundred."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
            allowed = other.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
        async with working(site.primary()) as server:
            for one in listeners(server)[0]._sockets:
                assert one.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == allowed

    async def test_follow_a_notify_that_finds_the_event_loop_behind(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        """Other questions are dropped then, and asked again; a primary of many zones soon gives up, so its NOTIFY waits."""
        async with working(site.secondary()) as secondary, working(site.primary()) as primary:
            await until(lambda: secondary.serial() == 1)
            site.write(2)
            monkeypatch.setattr("mailname.server.udp_workers._MOST_WAITING", 0)
            await primary.reload()
            await until(partial(holds, secondary, 2))

    async def test_of_the_set_of_zones_are_answered_at_once(self, site: Site, tmp_path: Path) -> None:
        """A zone that goes is refused, one that comes is answered, the others stay."""
        kid = dns.name.from_text("kid.example.tech.")
        file = tmp_path / "kid.zone"
        file.write_text(zone_text(70))
        both = site.primary(site.zone(), ZoneConfig(kid, "primary", file))
        async with working(site.primary()) as server:
            for _ in range(5):
                assert dns.message.from_wire(await ask(site.primary_at, query("kid.example.tech."))).rcode() == dns.rcode.NXDOMAIN
                await server.reconfigure(both)
                answer = dns.message.from_wire(await ask(site.primary_at, query("kid.example.tech.")))
                assert answer.answer[0][0].serial == 70
                await server.reconfigure(site.primary())
            await server.reconfigure(site.primary(ZoneConfig(kid, "primary", file)))
            assert await serial_at(site.primary_at) == "REFUSED"

    async def test_of_a_copy_that_expires_are_answered_at_once(self, site: Site) -> None:
        """SERVFAIL, though there was an image; and the zone again once it has been transferred again."""
        clock = ShiftedClock()
        async with working(site.secondary(), clock=clock) as secondary:
            async with working(site.primary()):
                await until(lambda: secondary.serial() == 1)
                assert await serial_at(site.secondary_at) == 1
            clock.move(90_000)
            await until(lambda: secondary.zone_status()["state"] == "expired")
            assert {await serial_at(site.secondary_at) for _ in range(4)} == {"SERVFAIL"}
            async with working(site.primary()):
                assert (await secondary.obey({"do": "retransfer"}))["ok"]
                await until(lambda: secondary.zone_status()["state"] == "serving")
                assert await serial_at(site.secondary_at) == 1


class TestCookies:
    def config(self, site: Site, **more: Any) -> ServerConfig:
        return site.primary(replies=Settings(cookie_secrets=(SECRET,), **more))

    @pytest.mark.parametrize("address", ["127.0.0.2", "::1"])
    async def test_are_those_of_the_reference(self, site: Site, address: str) -> None:
        """Made for client, time and address (RFC 9018); shown again, they come back as they are."""
        at = Endpoint(ip_address(address), site.port)
        client = ip_address("127.0.0.1" if at.address.version == 4 else "::1").packed
        async with working(site.primary(listen=(at,), replies=Settings(cookie_secrets=(SECRET,)))) as server:
            given = cookie_of(await ask(at, query("example.tech.", "MX", (10, b"8 octets"))))
            made_at = struct.unpack_from("!I", given, 12)[0]
            assert abs(made_at - time.time()) < PATIENCE
            assert given == b"8 octets" + server_cookie(b"8 octets", client, SECRET, made_at)
            assert cookie_of(await ask(at, query("example.tech.", "MX", (10, given)))) == given
            if AVAILABLE:
                assert counted(server)["handed_on"] == 0

    @pytest.mark.parametrize(
        ("age", "kept"), [(0, True), (1700, True), (1900, False), (3700, False), (-200, True), (-400, False)]
    )
    async def test_are_renewed_in_time(self, site: Site, age: int, kept: bool) -> None:
        """After half an hour, or when they are too old or ahead (RFC 9018 section 4.3)."""
        shown = b"8 octets" + server_cookie(b"8 octets", HERE.packed, SECRET, int(time.time()) - age)
        async with working(self.config(site)):
            given = cookie_of(await ask(site.primary_at, query("example.tech.", "MX", (10, shown)), "127.0.0.1"))
            assert (given == shown) == kept
            assert given[:8] == b"8 octets"

    @pytest.mark.parametrize("place", [0, 8, 9, 12, 16, 23])
    async def test_that_are_not_ours_are_replaced(self, site: Site, place: int) -> None:
        """Another client, version, time, hash: answered, with one that is good."""
        shown = bytearray(b"8 octets" + server_cookie(b"8 octets", HERE.packed, SECRET, int(time.time())))
        shown[place] ^= 1
        async with working(self.config(site)):
            answer = await ask(site.primary_at, query("example.tech.", "MX", (10, bytes(shown))), "127.0.0.1")
            assert cookie_of(answer) != shown
            assert dns.message.from_wire(answer).answer

    async def test_may_be_required(self, site: Site) -> None:
        """BADCOOKIE to who speaks of cookies and has none that is good; who does not speak of them is answered."""
        async with working(self.config(site, require_cookies=True)):
            refused = await ask(site.primary_at, query("example.tech.", "MX", (10, b"8 octets")))
            assert dns.message.from_wire(refused).rcode() == dns.rcode.BADCOOKIE
            answer = dns.message.from_wire(await ask(site.primary_at, query("example.tech.", "MX", (10, cookie_of(refused)))))
            assert answer.answer
            assert dns.message.from_wire(await ask(site.primary_at, query())).answer


def flood(at: Endpoint, wires: list[bytes], source: str = "127.0.0.1") -> list[bytes]:
    """Send questions at once and return all replies; the last question must be one that is answered whatever came before."""
    with socket.socket(type=socket.SOCK_DGRAM) as udp:
        udp.bind((source, 0))
        udp.connect((str(at.address), at.port))
        udp.settimeout(PATIENCE)
        for wire in wires:
            udp.send(wire)
        replies: list[bytes] = []
        while not replies or replies[-1][:2] != b"\xff\xff":
            replies.append(udp.recv(2000))
        return replies[:-1]


LAST = b"\xff\xff" + query("ns2.example.tech.", "A")[2:]


@needs_workers
class TestRates:
    def config(self, site: Site, *, rate: int = 2, slip: int = 2, **more: Any) -> ServerConfig:
        limit = RateLimit(responses_per_second=rate, slip=slip, exempt=(), **more)
        return site.primary(rate_limit=limit, replies=Settings(cookie_secrets=(SECRET,)))

    @pytest.mark.parametrize("slip", [0, 1, 2, 3])
    async def test_like_answers_to_one_network_are_limited(self, site: Site, slip: int) -> None:
        """What the rate allows, then every so manieth with TC, the others not at all."""
        async with working(self.config(site, slip=slip), workers=1) as server:
            replies = await asyncio.to_thread(flood, site.primary_at, [query()] * 60 + [LAST])
            slipped = [reply for reply in replies if reply[2] & 2]
            whole = len(replies) - len(slipped)
            assert 2 <= whole < 60
            assert len(slipped) == ((60 - whole) // slip if slip else 0)
            await until(lambda: counted(server)["received"] == 61)
            assert counted(server)["limited"] == 60 - whole
            assert counted(server)["dropped"] == 60 - whole - len(slipped)

    @pytest.mark.parametrize(
        "wires",
        [
            [query(f"x{number}.example.tech.", "A") for number in range(60)],
            [query("mail.example.tech.", "A", use_edns=False) for _ in range(60)],
            [query(f"x{number}.kid.example.tech.", "A") for number in range(60)],
            [query("mail.example.tech.", rdtype) for rdtype in ("TXT", "MX", "AAAA") * 20],
        ],
        ids=["NXDOMAIN", "answer", "referral", "NODATA"],
    )
    async def test_answers_are_alike_by_sort_and_subject(self, site: Site, wires: list[bytes]) -> None:
        """Below one zone or cut, all names that are not there are one."""
        site.write(7, MORE)
        async with working(self.config(site), workers=1):
            replies = await asyncio.to_thread(flood, site.primary_at, [*wires, LAST])
            assert len(replies) < 45
            for reply in replies:
                message = dns.message.from_wire(reply, ignore_trailing=False)
                if message.flags & dns.flags.TC:
                    assert (message.rcode(), message.sections[1:]) == (dns.rcode.NOERROR, [[], [], []])
                    assert not message.flags & dns.flags.AA

    async def test_other_networks_and_questions_are_not_limited(self, site: Site) -> None:
        """127.0.0.0/24 is flooded; 127.0.1.0/24 and other subjects notice nothing."""
        async with working(self.config(site), workers=1):
            replies = await asyncio.to_thread(flood, site.primary_at, [query()] * 40 + [LAST])
            assert len(replies) < 35
            assert dns.message.from_wire(await ask(site.primary_at, query(), "127.0.1.1")).answer
            assert dns.message.from_wire(await ask(site.primary_at, query(rdtype="MX"), "127.0.1.1")).answer
            assert dns.message.from_wire(await ask(site.primary_at, query("ns1.example.tech.", "A"), "127.0.0.9")).answer

    async def test_whoever_shows_a_good_cookie_is_not_limited(self, site: Site) -> None:
        """Nobody forges his address."""
        shown = b"8 octets" + server_cookie(b"8 octets", HERE.packed, SECRET, int(time.time()))
        forged = shown[:-1] + bytes([shown[-1] ^ 1])
        async with working(self.config(site), workers=1):
            good = await asyncio.to_thread(flood, site.primary_at, [query("example.tech.", "MX", (10, shown))] * 40 + [LAST])
            assert len(good) == 40
            assert all(dns.message.from_wire(reply).answer for reply in good)
            others = await asyncio.to_thread(flood, site.primary_at, [query("example.tech.", "MX", (10, forged))] * 40 + [LAST])
            assert len(others) < 35

    async def test_exempt_networks_are_not_limited(self, site: Site) -> None:
        """Single addresses and odd prefixes, of either family."""
        exempt = tuple(map(ip_network, ("192.0.2.0/25", "127.0.0.0/31", "2001:db8::/33")))
        limit = RateLimit(responses_per_second=2, exempt=exempt)
        async with working(site.primary(rate_limit=limit), workers=1):
            assert len(await asyncio.to_thread(flood, site.primary_at, [query()] * 40 + [LAST])) == 40
            assert len(await asyncio.to_thread(flood, site.primary_at, [query()] * 40 + [LAST], "127.0.0.2")) < 35

    async def test_no_limit_is_none(self, site: Site) -> None:
        """0 answers a second stand for no limit."""
        async with working(self.config(site, rate=0), workers=1):
            assert len(await asyncio.to_thread(flood, site.primary_at, [query()] * 60 + [LAST])) == 60

    @pytest.mark.parametrize(
        ("wire", "edns", "options"),
        [(query(use_edns=False), -1, 0), (query(), 0, 0), (query("example.tech.", "SOA", (10, b"8 octets")), 0, 1)],
        ids=["without EDNS", "with EDNS", "with a cookie"],
    )
    async def test_truncated_answers_are_well_formed(self, site: Site, wire: bytes, edns: int, options: int) -> None:
        """The question, TC, EDNS where there was, the cookie with which the next question gets through; nothing more."""
        async with working(self.config(site, slip=1), workers=1):
            replies = await asyncio.to_thread(flood, site.primary_at, [wire] * 30 + [LAST])
            slipped = [dns.message.from_wire(reply, ignore_trailing=False) for reply in replies if reply[2] & 2]
            assert slipped
            for message in slipped:
                assert (message.id, message.edns, len(message.options)) == (4711, edns, options)
                assert (message.question[0].name, message.sections[1:]) == (APEX, [[], [], []])
            assert max(len(reply) for reply in replies if reply[2] & 2) <= len(wire) + 16 * options
            if options:
                cookie = cookie_of(next(reply for reply in replies if reply[2] & 2))
                again = await ask(site.primary_at, query("example.tech.", "SOA", (10, cookie)), "127.0.0.1")
                assert dns.message.from_wire(again).answer


@needs_workers
class TestEnd:
    async def test_leaves_nothing_behind(self, site: Site) -> None:
        """No thread, no descriptor, no socket: after many starts as after one."""

        def left() -> tuple[int, list[str]]:
            gc.collect()  # a server is a ring of objects
            return len(list(Path("/proc/self/fd").iterdir())), [
                one.name for one in threading.enumerate() if one.name.startswith("udp ")
            ]

        async def once() -> None:
            async with working(site.primary(), workers=3) as server:
                assert await serial_at(site.primary_at) == 1
                assert len([one for one in threading.enumerate() if one.name.startswith("udp ")]) == 3
                await server.reload()

        await once()
        before = left()
        assert before[1] == []
        for _ in range(10):
            await once()
        assert left() == before

    async def test_comes_under_load_too(self, site: Site) -> None:
        """Questions in flight are answered or lost; the server ends."""
        ended = threading.Event()

        def load() -> None:
            with socket.socket(type=socket.SOCK_DGRAM) as udp:
                while not ended.is_set():
                    for wire in (query(), query("example.org.")) * 8:
                        udp.sendto(wire, (str(site.primary_at.address), site.port))
                    time.sleep(0.001)

        loading = asyncio.create_task(asyncio.to_thread(load))
        try:
            for _ in range(3):
                async with working(site.primary()):
                    assert await serial_at(site.primary_at) == 1
        finally:
            ended.set()
            await loading

    async def test_of_a_flood_that_python_cannot_follow_is_the_end_of_it(self, site: Site) -> None:
        """What is handed on waits in a bounded line; when the flood ends, everybody is answered again."""
        async with working(site.primary()) as server:
            with socket.socket(type=socket.SOCK_DGRAM) as udp:
                for _ in range(3000):
                    udp.sendto(query("example.org."), (str(site.primary_at.address), site.port))
            assert (await asked(site.primary_at)).answer
            await until(lambda: all(not listener._waiting for listener in listeners(server)))
            assert dns.message.from_wire(await ask(site.primary_at, query("example.org."))).rcode() == dns.rcode.REFUSED
