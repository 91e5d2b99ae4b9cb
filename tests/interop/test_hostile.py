"""What strangers throw at a name server, thrown at ``mailname serve``: the right rcode or silence for each, and no harm.

After each test the server must be alive, answer an ordinary question by UDP and TCP, and have logged no traceback.
"""

from __future__ import annotations

import contextlib
import random
import re
import resource
import socket
import struct
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import dns.exception
import dns.message
import dns.opcode
import dns.query
import dns.rcode
import dns.rdatatype
import dns.update
import pytest
from tests.interop.mailname_server import MailnameFolder
from tests.interop.raw_messages import NAME, RAW_MESSAGES, SOA_IN, message, opt, record
from tests.interop.real_servers import LOOPBACK, until
from tests.interop.transfer_zone import zone_text

from mailname.wire.message import is_notify

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs the many addresses of 127.0.0.0/8, and /proc")

ZONE = "example.tech."
FRIEND = "127.0.0.3"  # the only one who may transfer
PATIENCE = 20.0

#: rcode -> the odd messages of ``raw_messages`` that get it, as patterns of their names.
EXPECTED = {
    "silence": "eleven octets|a response|a NOTIFY response",
    "NOERROR": (
        "EDNS|EDNS, (DO|unknown flags|payload 0|unknown option)|a record (in|before|after) .*|octets after .*|"
        "an OPT that is not counted|flags .*"
    ),
    "FORMERR": (
        "EDNS, option (too long|cut)|two (OPT|TSIG|questions)|OPT (in|with|whose) .*|TSIG (before|in) .*|"
        "a (record|question) that is .*|an answer that is not there|no question.*|a question without type|"
        "a name .*|a cut name|a label of .*"
    ),
    "BADVERS": "EDNS version 1.*",
    "REFUSED": "EDNS, not our zone|IXFR by UDP, with a SOA|class .*|opcode 5(, with EDNS)?",
    "NOTAUTH": "(EDNS and )?TSIG with an unknown key|NOTIFY|(NOTIFY|UPDATE) for a zone of others",
    "NOTIMP": "DSO|STATUS without question|opcode (?!5(,|$)).*",
}


@pytest.fixture(scope="module")
def server() -> Iterator[MailnameFolder]:
    zones = {ZONE: zone_text(1), "large.example.": zone_text(1, records=3000)}
    with MailnameFolder(zones, arguments=("--allow-transfer", f"{FRIEND}/32")) as one:
        yield one


@pytest.fixture(autouse=True)
def unharmed(server: MailnameFolder) -> Iterator[None]:
    yield
    assert server.is_running(), server.log()[-3000:]
    for tcp in (False, True):
        assert ask(server, tcp=tcp).rcode() == dns.rcode.NOERROR
    assert "Traceback" not in server.log()
    assert " ERROR " not in server.log()


def ask(server: MailnameFolder, *, tcp: bool = False, source: str = "127.0.0.2") -> dns.message.Message:
    """Put an ordinary question, as often as it takes: under a flood a datagram may be lost."""
    query = dns.message.make_query(ZONE, "MX", use_edns=0)
    if tcp:
        return dns.query.tcp(query, server.address, PATIENCE, server.port, source=source)
    for _ in range(10):
        with contextlib.suppress(dns.exception.Timeout):
            return dns.query.udp(query, server.address, 2, server.port, source=source)
    raise AssertionError(f"no answer by UDP:\n{server.log()[-2000:]}")


class Client:
    """A UDP client that tells silence from slowness: each message is followed by one that must be answered."""

    def __init__(self, server: MailnameFolder, source: str = LOOPBACK) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((source, 0))
        self.socket.connect((server.address, server.port))
        self.socket.settimeout(PATIENCE)
        self._marker = 0

    def replies_to(self, *wires: bytes) -> list[bytes]:
        """Send messages and return all replies to them."""
        for wire in wires:
            self.socket.send(wire)
        found = []
        for _ in range(2):  # what comes at the same time may be answered in another order
            self._marker += 1
            marker = f"marker{self._marker}.example.org."
            asked = dns.message.make_query(marker, "A", id=0xFFFF).to_wire()
            self.socket.send(asked)
            while (reply := self.socket.recv(65535))[12 : 12 + len(asked) - 16] != asked[12:-4]:
                found.append(reply)
        return found

    def rcode_of(self, wire: bytes) -> str:
        """Return the rcode with which one message is answered, or "silence"."""
        replies = self.replies_to(wire)
        assert len(replies) <= 1
        return rcode(wire, replies[0]) if replies else "silence"


@pytest.fixture
def client(server: MailnameFolder) -> Iterator[Client]:
    one = Client(server)
    with closing(one.socket):
        yield one


def rcode(wire: bytes, reply: bytes) -> str:
    """Return a reply's rcode; fail when it is no proper reply to this message."""
    assert reply[:2] == wire[:2], "another id"
    assert reply[2] & 0x80, "not a response"
    assert not reply[3] & 0x80, "recursion available"
    assert reply[2] >> 3 & 0xF == wire[2] >> 3 & 0xF, "another opcode"
    try:
        return dns.rcode.to_text(dns.message.from_wire(reply, ignore_trailing=False).rcode())
    except dns.message.UnknownTSIGKey:
        return dns.rcode.to_text(dns.rcode.Rcode(reply[3] & 0xF))


def resident_octets(pid: int) -> int:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) * 1024


class TestOddMessages:
    @pytest.mark.parametrize("name", RAW_MESSAGES)
    def test_get_the_rcode_that_is_due(self, name: str, client: Client) -> None:
        """Header, EDNS, TSIG, classes, opcodes, lengths and counts: each fault has its rcode, fragments and responses silence."""
        expected = [word for word, pattern in EXPECTED.items() if re.fullmatch(pattern, name)]
        assert len(expected) == 1, "EXPECTED has not one row for this message"
        assert client.rcode_of(RAW_MESSAGES[name]) == expected[0]

    @pytest.mark.parametrize("name", RAW_MESSAGES)
    def test_by_tcp_get_the_same_or_nothing(self, name: str, server: MailnameFolder) -> None:
        """By TCP too, and the connection can be used afterwards."""
        with tcp(server) as stream:
            stream.sendall(framed(RAW_MESSAGES[name]) + framed(message()))
            first = read_framed(stream)
            if re.fullmatch(EXPECTED["silence"], name):
                assert rcode(message(), first) == "NOERROR"
            else:
                rcode(RAW_MESSAGES[name], first)
                assert rcode(message(), read_framed(stream)) == "NOERROR"

    def test_cut_at_each_octet(self, client: Client) -> None:
        """Below a whole header silence, then FORMERR, until the message is whole."""
        whole = message(counts=(1, 0, 0, 1), rest=opt())
        for length in range(len(whole)):
            expected = "FORMERR" if length >= 12 else "silence"
            assert client.rcode_of(whole[:length]) == expected, length

    @pytest.mark.parametrize("count", [0, 2, 3, 255, 256, 65535])
    def test_with_a_count_that_lies(self, count: int, client: Client) -> None:
        """Another number of questions than one, or records that are not there."""
        for position in range(4):
            counts = [1, 0, 0, 0]
            counts[position] = count
            expected = "NOERROR" if position and not count else "FORMERR"
            first, second, third, fourth = counts
            assert client.rcode_of(message(counts=(first, second, third, fourth))) == expected, counts

    @pytest.mark.parametrize(
        "owner",
        [
            b"\xc0\x0c\xc0\x0c",
            b"\xc0",
            b"\xff\xff",
            b"\x01a\xc0\x1e",
            b"\xc0\x1e",
            b"\xc0\x20\xc0\x1e",
            b"\x80a",
            b"\x41a",
            b"\x3f" + b"a" * 10,
            (b"\x01a" * 128) + b"\0",
        ],
        ids=[
            "to itself",
            "cut",
            "beyond",
            "loop",
            "at itself",
            "two in a circle",
            "10......",
            "01......",
            "past the end",
            "256 octets",
        ],
    )
    def test_names_that_never_end(self, owner: bytes, client: Client) -> None:
        """Compression loops and labels that are none, in the question and in a record."""
        if owner != b"\xc0\x0c\xc0\x0c":  # in a record's owner, a pointer to the question is what pointers are for
            broken = message(counts=(1, 0, 0, 1), rest=owner + struct.pack("!HHIH", 1, 1, 0, 0))
            assert client.rcode_of(broken) == "FORMERR"
        assert client.rcode_of(message(question=owner + SOA_IN)) == "FORMERR"

    def test_names_in_any_spelling(self, client: Client) -> None:
        """A name asked in mixed case is the same name, and comes back as it was spelled (RFC 4343)."""
        chance = random.Random(20)
        for _ in range(50):
            spelled = bytes(chance.choice((octet, octet ^ 0x20)) if chr(octet).isalpha() else octet for octet in NAME)
            wire = message(question=spelled + SOA_IN)
            (reply,) = client.replies_to(wire)
            assert rcode(wire, reply) == "NOERROR"
            assert reply[12 : 12 + len(spelled)] == spelled

    def test_payloads_of_every_size(self, client: Client) -> None:
        """Below 512 means 512 (RFC 6891 section 6.2.3), above 1232 gets no more than that."""
        for payload in (0, 1, 11, 511, 512, 1231, 1232, 4096, 65535):
            wire = message(question=b"\x04long" + NAME + b"\0\x10\0\x01", counts=(1, 0, 0, 1), rest=opt(payload=payload))
            (reply,) = client.replies_to(wire)
            assert rcode(wire, reply) == "NOERROR"
            assert len(reply) <= max(512, min(payload, 1232))
            assert reply[2] & 0x02, "TC is due: 2,048 octets do not fit"

    def test_responses_are_never_answered(self, client: Client) -> None:
        """Or two servers could talk to each other for ever."""
        wires = [message(flags=0x8000 | flags) for flags in range(0, 0x8000, 0x0111)]
        assert client.replies_to(*wires[:60]) == []
        assert client.replies_to(*wires[60:]) == []


class TestStrangers:
    def test_may_not_transfer(self, server: MailnameFolder, client: Client) -> None:
        """AXFR and IXFR, by UDP and TCP."""
        for rdtype in (dns.rdatatype.AXFR, dns.rdatatype.IXFR):
            wire = message(question=NAME + struct.pack("!HH", rdtype, 1))
            assert client.rcode_of(wire) == "REFUSED"
            with tcp(server) as stream:
                stream.sendall(framed(wire))
                assert rcode(wire, read_framed(stream)) == "REFUSED"

    def test_may_not_transfer_what_is_not_served(self, client: Client) -> None:
        assert client.rcode_of(message(question=b"\x03org\0\0\xfc\0\x01")) == "NOTAUTH"

    def test_may_not_notify(self, client: Client) -> None:
        assert client.rcode_of(message(flags=dns.opcode.NOTIFY << 11)) == "NOTAUTH"

    def test_may_not_update(self, client: Client) -> None:
        update = dns.update.UpdateMessage(ZONE)
        update.replace("www", 300, "A", "192.0.2.66")
        assert client.rcode_of(update.to_wire()) == "REFUSED"
        assert client.rcode_of(dns.update.UpdateMessage("other.example.").to_wire()) == "NOTAUTH"

    def test_may_not_have_others_looked_up(self, client: Client) -> None:
        """RD does not make a recursive resolver of us."""
        assert client.rcode_of(message(flags=0x0100, question=b"\x03www\x07example\x03org\0\0\1\0\1")) == "REFUSED"

    @pytest.mark.parametrize("length", [0, 1, 16, 31, 33, 64, 255])
    def test_signed_with_nonsense_are_told_badkey(self, length: int, client: Client) -> None:
        """A TSIG record of any length; a MAC that lies about its length is FORMERR."""
        mac = bytes(length)
        rdata = b"\x0bhmac-sha256\0" + bytes(6) + struct.pack("!HH", 300, length) + mac + struct.pack("!HHH", 4711, 0, 0)
        signed = record(250, rdata, owner=b"\x03key\0", rdclass=255, ttl=0)
        assert client.rcode_of(message(counts=(1, 0, 0, 1), rest=signed)) == "NOTAUTH"
        lies = record(250, rdata[:19] + struct.pack("!H", 65535) + rdata[21:], owner=b"\x03key\0", rdclass=255, ttl=0)
        assert client.rcode_of(message(counts=(1, 0, 0, 1), rest=lies)) in {"FORMERR", "NOTAUTH"}


def tcp(server: MailnameFolder, source: str = LOOPBACK) -> socket.socket:
    stream = socket.create_connection((server.address, server.port), PATIENCE, source_address=(source, 0))
    stream.settimeout(PATIENCE)
    return stream


def framed(wire: bytes) -> bytes:
    return len(wire).to_bytes(2, "big") + wire


def read_exactly(stream: socket.socket, octets: int) -> bytes:
    found = b""
    while len(found) < octets:
        part = stream.recv(octets - len(found))
        if not part:
            raise EOFError(f"closed after {len(found)} of {octets} octets")
        found += part
    return found


def read_framed(stream: socket.socket) -> bytes:
    return read_exactly(stream, int.from_bytes(read_exactly(stream, 2), "big"))


def is_closed(stream: socket.socket) -> bool:
    """Tell whether the server has ended a connection."""
    stream.setblocking(False)
    try:
        return stream.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


class TestStreams:
    def test_pipelined_questions_are_all_answered(self, server: MailnameFolder) -> None:
        """Two hundred in one go, on one connection (RFC 7766 section 6.2.1.1)."""
        wires = [struct.pack("!H", number) + message()[2:] for number in range(200)]
        with tcp(server) as stream:
            stream.sendall(b"".join(map(framed, wires)))
            replies = [read_framed(stream) for _ in wires]
        assert sorted(reply[:2] for reply in replies) == [wire[:2] for wire in wires]
        assert {reply[3] & 0xF for reply in replies} == {dns.rcode.NOERROR}

    def test_question_octet_by_octet_is_answered(self, server: MailnameFolder) -> None:
        with tcp(server) as stream:
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for octet in framed(message()):
                stream.sendall(bytes([octet]))
            assert rcode(message(), read_framed(stream)) == "NOERROR"

    def test_half_closed_client_gets_its_answer(self, server: MailnameFolder) -> None:
        """Who has said all it wants to say may still listen."""
        with tcp(server) as stream:
            stream.sendall(framed(message()))
            stream.shutdown(socket.SHUT_WR)
            assert rcode(message(), read_framed(stream)) == "NOERROR"
            assert stream.recv(1) == b""

    @pytest.mark.parametrize(
        "octets",
        [
            b"",
            b"\0",
            b"\0\0",
            b"\xff\xff" + message(),
            b"\0\x05" + message(),
            b"GET / HTTP/1.1\r\n\r\n",
            b"\0\x0c" + bytes(11),
            b"\x16\x03\x01",
        ],
        ids=["nothing", "half a length", "length 0", "length too long", "length too short", "HTTP", "one octet short", "TLS"],
    )
    def test_lengths_that_lie_end_the_connection_at_most(self, octets: bytes, server: MailnameFolder) -> None:
        with tcp(server) as stream:
            stream.sendall(octets)
            stream.shutdown(socket.SHUT_WR)
            with contextlib.suppress(ConnectionError):
                while stream.recv(65535):
                    pass

    def test_connections_torn_down_in_every_way(self, server: MailnameFolder) -> None:
        """Reset before, within and after a question, and while a transfer is on its way."""
        axfr = message(question=b"\x05large\x07example\0\0\xfc\0\x01")
        for sent in (b"", framed(message())[:7], framed(message()), framed(axfr), framed(axfr) * 5):
            for _ in range(5):
                with tcp(server, FRIEND) as stream:
                    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    stream.sendall(sent)

    def test_slow_clients_are_ended_and_hold_nobody_up(self, server: MailnameFolder) -> None:
        """Silent, half a length, half a message, one octet now and then: others are served meanwhile, and these are closed."""
        with contextlib.ExitStack() as open_streams:
            slow = [open_streams.enter_context(tcp(server, f"127.0.1.{number}")) for number in range(1, 9)]
            for number, sent in enumerate((b"", b"\0", framed(message())[:20], b"\xff\xff" + message())):
                for stream in slow[number::4]:
                    stream.sendall(sent)

            def all_closed() -> bool:
                assert ask(server).rcode() == dns.rcode.NOERROR
                assert ask(server, tcp=True).rcode() == dns.rcode.NOERROR
                if not is_closed(slow[3]):
                    with contextlib.suppress(OSError):
                        slow[3].send(b"\0")
                return all(map(is_closed, slow))

            assert until(all_closed)

    def test_client_that_sends_an_octet_a_second_is_ended(self, server: MailnameFolder) -> None:
        """It never stops sending and never says anything: a question has some seconds from its first octet to its last."""
        with tcp(server, "127.0.1.9") as slow:
            slow.sendall(framed(message()))
            assert rcode(message(), read_framed(slow)) == "NOERROR"
            sent = 0
            begun = time.monotonic()
            while not is_closed(slow):
                assert time.monotonic() - begun < PATIENCE, "still open"
                with contextlib.suppress(OSError):
                    sent += slow.send(framed(message())[sent : sent + 1])
                time.sleep(1)
            assert sent < len(framed(message()))

    def test_clients_that_do_not_read_hold_nobody_up(self, server: MailnameFolder) -> None:
        """Who orders two hundred transfers and reads none costs a bounded amount of memory."""
        axfr = message(question=b"\x05large\x07example\0\0\xfc\0\x01")
        with contextlib.ExitStack() as open_streams:
            before = resident_octets(server.pid)
            for _ in range(4):
                stream = open_streams.enter_context(tcp(server, FRIEND))
                stream.sendall(framed(axfr) * 200)
            for _ in range(10):
                assert ask(server).rcode() == dns.rcode.NOERROR
                assert ask(server, tcp=True).rcode() == dns.rcode.NOERROR
            assert resident_octets(server.pid) - before < 32 * 2**20

    def test_hundreds_of_idle_connections_harm_nobody(self, server: MailnameFolder) -> None:
        """UDP goes on, a new TCP client is served, and memory stays bounded."""
        count = 600
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > count + 100
        before = resident_octets(server.pid)
        with contextlib.ExitStack() as open_streams:
            for number in range(count):
                open_streams.enter_context(tcp(server, f"127.0.2.{1 + number // 20}"))
            for number in range(20):
                assert ask(server).rcode() == dns.rcode.NOERROR
                assert ask(server, tcp=True, source=f"127.0.3.{number + 1}").rcode() == dns.rcode.NOERROR
            assert resident_octets(server.pid) - before < 32 * 2**20

    def test_one_client_with_many_connections_shuts_out_only_itself(self, server: MailnameFolder) -> None:
        with contextlib.ExitStack() as open_streams:
            for _ in range(300):
                open_streams.enter_context(tcp(server, "127.0.4.1"))
            assert ask(server, tcp=True, source="127.0.4.2").rcode() == dns.rcode.NOERROR


class TestFlood:
    def test_of_random_and_mangled_messages_is_survived(self, server: MailnameFolder, client: Client) -> None:
        """Twenty thousand, or what eight seconds take: no reply to what asked nothing, none too long, memory and log bounded."""
        chance = random.Random(1035)
        seeds = [*RAW_MESSAGES.values(), framed(message())]
        notified: set[bytes] = set()  # in the batch before: what a NOTIFY sets going begins first, and its reply may come later

        def packet() -> bytes:
            kind = chance.random()
            if kind < 0.3:
                return chance.randbytes(chance.randrange(600))
            mangled = bytearray(chance.choice(seeds))
            for _ in range(chance.randrange(1, 6)):
                mangled[chance.randrange(len(mangled))] = chance.randrange(256)
            if kind < 0.5:
                del mangled[chance.randrange(len(mangled)) :]
            elif kind < 0.6:
                mangled += chance.randbytes(chance.randrange(1400))
            return bytes(mangled)

        def batch() -> None:
            sent = [packet() for _ in range(25)]
            replies = client.replies_to(*sent)
            due = {wire[:2] for wire in sent if len(wire) >= 12 and not wire[2] & 0x80}
            assert {reply[:2] for reply in replies} <= due | notified
            notified.clear()
            notified.update(wire[:2] for wire in sent if is_notify(wire))
            assert all(len(reply) <= 1232 for reply in replies)
            assert all(reply[2] & 0x80 and not reply[3] & 0x80 for reply in replies)

        for _ in range(40):
            batch()
        before, logged = resident_octets(server.pid), len(server.log())
        ends = time.monotonic() + 8
        for _ in range(800):
            batch()
            if time.monotonic() > ends:
                break
        assert resident_octets(server.pid) - before < 16 * 2**20
        assert len(server.log()) - logged < 100_000

    def test_of_names_that_do_not_exist_is_answered(self, client: Client) -> None:
        """Random names below a zone: NXDOMAIN or the wildcard, nothing is remembered of them."""
        chance = random.Random(1034)
        for _ in range(40):
            wires = [
                message(question=bytes([8]) + chance.randbytes(4).hex().encode() + b"\4mail" + NAME + SOA_IN) for _ in range(25)
            ]
            replies = client.replies_to(*wires)
            assert {reply[3] & 0xF for reply in replies} == {dns.rcode.NXDOMAIN}
            assert len(replies) == len(wires)
