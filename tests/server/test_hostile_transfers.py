"""Transfers that break, stall or lie: what is served stays, the reason is told, and neither time nor memory are taken."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rrset
import pytest
from tests.server.hostile_primary import HostilePrimary, Play, framed, honest, honest_zone, message, records, soa_line
from tests.server.running import APEX, PRIMARY, SECONDARY, Running, Site, asked, running, until

from mailname.transfer.actions import Peer
from mailname.transfer.transfer_limits import TransferLimits
from mailname.wire.octets import octets as octets_of
from mailname.wire.tsig import StreamSigner, find_signature
from mailname.wire.tsig_key import make_key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

LIMITS = TransferLimits(idle=0.5, total=60, records=600, octets=100_000)
SHORT = TransferLimits(idle=0.5, total=1)
LONG = ".".join(["x" * 60] * 3)  # 3 labels that leave room for the apex


def one_message(*lines: str, change: Callable[[dns.message.Message], object] | None = None) -> Play:
    """Send these records in one message."""

    async def play(_: HostilePrimary, query: bytes) -> AsyncIterator[bytes]:
        yield framed(message(query, list(lines), change=change))

    return play


def octets(change: Callable[[bytes], bytes]) -> Play:
    """Send a good transfer's message after it was changed."""

    async def play(primary: HostilePrimary, query: bytes) -> AsyncIterator[bytes]:
        yield change(framed(message(query, records(primary.serial))))

    return play


async def endless(_: HostilePrimary, query: bytes) -> AsyncIterator[bytes]:
    """Send records for ever."""
    yield framed(message(query, records(2)[:-1]))
    more = framed(message(query, [f"n{one}.{APEX} 60 IN A 192.0.2.1" for one in range(500)]))
    while True:
        yield more


async def endless_large(_: HostilePrimary, query: bytes) -> AsyncIterator[bytes]:
    """Send RRsets of 60,000 octets for ever."""
    yield framed(message(query, records(2)[:-1]))
    text = " ".join(['"' + "x" * 250 + '"'] * 200)
    more = framed(message(query, [f"large.{APEX} 60 IN TXT {text}"]))
    while True:
        yield more


async def bomb(_: HostilePrimary, query: bytes) -> AsyncIterator[bytes]:
    """Send messages whose names are pointers to one long name: each record is a hundred times what was sent."""
    yield framed(message(query, records(2)[:-1]))
    while True:
        head = message(query, [])[:6] + (580).to_bytes(2, "big") + b"\0\0\0\0"
        question = message(query, [])[12:]
        long = octets_of(dns.name.from_text(f"{LONG}.{APEX}"))
        at = (12 + len(question)) | 0xC000
        first = long + b"\0\2\0\1\0\0\0\x3c\0\2" + at.to_bytes(2, "big")
        rest = (at.to_bytes(2, "big") + b"\0\2\0\1\0\0\0\x3c\0\2" + at.to_bytes(2, "big")) * 579
        yield framed(head + question + first + rest)


async def drip(primary: HostilePrimary, query: bytes) -> AsyncIterator[bytes]:
    """Send the first message, then the next one octet by octet."""
    yield framed(message(query, records(primary.serial)[:-1]))
    for octet in framed(message(query, [records(primary.serial)[-1]])):
        yield bytes([octet])
        await asyncio.sleep(0.05)


async def one_record_at_a_time(primary: HostilePrimary, query: bytes) -> AsyncIterator[bytes]:
    """Send small messages, each in time, for ever."""
    yield framed(message(query, records(primary.serial)[:-1]))
    number = 0
    while True:
        number += 1
        yield framed(message(query, [f"n{number}.{APEX} 60 IN A 192.0.2.1"]))
        await asyncio.sleep(0.1)


async def silent(_: HostilePrimary, query: bytes) -> AsyncIterator[bytes]:
    """Send nothing."""
    del query
    await asyncio.sleep(60)
    yield b""


async def silent_in_the_first_message(_: HostilePrimary, query: bytes) -> AsyncIterator[bytes]:
    """Send a part of the first message, then nothing."""
    yield framed(message(query, records(2)))[:40]
    await asyncio.sleep(60)


async def silent_in_the_middle(primary: HostilePrimary, query: bytes) -> AsyncIterator[bytes]:
    """Send the first message, then nothing."""
    yield framed(message(query, records(primary.serial)[:-1]))
    await asyncio.sleep(60)


def wrong_id(wire: bytes) -> bytes:
    return wire[:2] + bytes([wire[2] ^ 1]) + wire[3:]


def set_rcode(rcode: dns.rcode.Rcode) -> Callable[[dns.message.Message], object]:
    return lambda answer: answer.set_rcode(rcode)


def ask_otherwise(answer: dns.message.Message) -> None:
    answer.question = [dns.rrset.from_text("other.example.", 0, "IN", "AXFR")]


GOOD = records(2)
LIES: dict[str, tuple[Play, str]] = {
    "record out of the zone": (one_message(*GOOD[:-1], "www.elsewhere.example. 60 IN A 192.0.2.9", GOOD[-1]), "malformed"),
    "second SOA is missing": (one_message(*GOOD[:-1]), "reset"),
    "second SOA is missing, and the connection stays": (silent_in_the_middle, "stalled"),
    "second SOA is another one": (one_message(*GOOD[:-1], soa_line(2, minimum=61)), "malformed"),
    "second SOA has another serial": (one_message(*GOOD[:-1], soa_line(3)), "malformed"),
    "SOA of another name": (one_message(*GOOD[:-1], f"sub.{soa_line(2)}", GOOD[-1]), "malformed"),
    "no SOA at the beginning": (one_message(*GOOD[1:]), "malformed"),
    "nothing but the SOA": (one_message(GOOD[0], GOOD[-1]), "malformed"),
    "records behind the end": (one_message(*GOOD, f"late.{APEX} 60 IN A 192.0.2.9"), "malformed"),
    "CNAME beside data": (one_message(*GOOD[:-1], f"ns1.{APEX} 60 IN CNAME x.{APEX}", GOOD[-1]), "malformed"),
    "two CNAMEs": (
        one_message(*GOOD[:-1], f"a.{APEX} 60 IN CNAME x.{APEX}", f"a.{APEX} 60 IN CNAME y.{APEX}", GOOD[-1]),
        "malformed",
    ),
    "another class": (one_message(*GOOD[:-1], f"a.{APEX} 60 CH TXT x", GOOD[-1]), "malformed"),
    "endless": (endless, "malformed"),
    "endless, with large RRsets": (endless_large, "too-large"),
    "compression bomb": (bomb, "too-large"),
    "octet by octet": (drip, "stalled"),
    "a record now and then": (one_record_at_a_time, "too-slow"),
    "silent": (silent, "timeout-tcp"),
    "silent in the first message": (silent_in_the_first_message, "stalled"),
    "another id": (octets(wrong_id), "malformed"),
    "garbage": (octets(lambda wire: framed(bytes(reversed(wire)))), "malformed"),
    "cut in the middle of a record": (octets(lambda wire: framed(wire[2:-7])), "malformed"),
    "length that is never reached": (octets(lambda wire: b"\xff\xff" + wire[2:]), "reset"),
    "length 0": (octets(lambda wire: b"\0\0"), "malformed"),
    "answer to another question": (one_message(*GOOD, change=ask_otherwise), "malformed"),
    "a question": (octets(lambda wire: wire[:4] + b"\0" + wire[5:]), "malformed"),
    "REFUSED": (one_message(change=set_rcode(dns.rcode.REFUSED)), "refused"),
    "no record": (one_message(), "malformed"),
}


async def told_of(server: Running, offered: int) -> dict[str, str]:
    """Wait until the status names a failure of the transfer of this serial, and return it."""
    await until(lambda: (server.zone_status()["last_failure"] or {}).get("offered_serial") == offered)
    failure: dict[str, str] = server.zone_status()["last_failure"]
    return failure


async def still_serves(server: Running, serial: int) -> None:
    """Check that the version is the one before, whole, for whoever asks."""
    assert server.zones[APEX].zone == honest_zone(serial)
    answer = await asked(server.config.listen[0], f"now.{APEX}", "TXT")
    assert answer.answer[0][0].to_text() == f'"{serial}"'


class TestLie:
    @pytest.mark.parametrize("lie", LIES)
    async def test_changes_nothing_and_is_told(self, site: Site, monkeypatch: pytest.MonkeyPatch, lie: str) -> None:
        """The version held serves on; once the primary is honest again, its next version is taken."""
        monkeypatch.setattr("mailname.server.asking.TCP_TIMEOUT", 0.5)
        play, reason = LIES[lie]
        config = site.secondary(transfer_limits=SHORT if reason == "too-slow" else LIMITS)
        async with HostilePrimary(site.port) as primary, running(config) as secondary:
            await until(lambda: secondary.serial() == 1)
            primary.serial, primary.play = 2, play
            await secondary.obey({"do": "retransfer"})
            failure = await told_of(secondary, 2)
            assert failure["reason"] == reason, failure["says"]
            assert str(PRIMARY) in failure["peer"]
            await still_serves(secondary, 1)
            primary.serial, primary.play = 3, honest
            await secondary.obey({"do": "retransfer"})
            await until(lambda: secondary.serial() == 3)
            await still_serves(secondary, 3)
            assert secondary.zone_status()["last_failure"] is None

    async def test_serial_other_than_announced_is_refused(self, site: Site) -> None:
        """Announced is 5, what comes is 4: perhaps another server answers there by TCP."""
        async with HostilePrimary(site.port) as primary, running(site.secondary(transfer_limits=LIMITS)) as secondary:
            await until(lambda: secondary.serial() == 1)
            primary.serial, primary.play = 5, one_message(*records(4))
            await secondary.obey({"do": "retransfer"})
            failure = await told_of(secondary, 5)
            assert failure["reason"] == "malformed"
            await still_serves(secondary, 1)

    async def test_message_of_65535_octets_is_none(self, site: Site) -> None:
        """It is as large as a message may be."""

        async def play(primary: HostilePrimary, query: bytes) -> AsyncIterator[bytes]:
            lines = records(primary.serial, f'z.{APEX} 60 IN TXT ""')
            full, rest = divmod(65535 - len(message(query, lines)), 256)
            lines[-2] = f"z.{APEX} 60 IN TXT " + " ".join(['"' + "x" * rest + '"', *['"' + "y" * 255 + '"'] * full])
            wire = message(query, lines)
            assert len(wire) == 65535
            yield framed(wire)

        async with HostilePrimary(site.port) as primary, running(site.secondary(transfer_limits=LIMITS)) as secondary:
            await until(lambda: secondary.serial() == 1)
            primary.serial, primary.play = 2, play
            await secondary.obey({"do": "retransfer"})
            await until(lambda: secondary.serial() == 2)


def ixfr_of(*lines: str) -> Play:
    """Answer IXFR with these records, AXFR honestly."""

    async def play(primary: HostilePrimary, query: bytes) -> AsyncIterator[bytes]:
        if dns.message.from_wire(query).question[0].rdtype == dns.rdatatype.IXFR:
            yield framed(message(query, list(lines)))
        else:
            async for octets in honest(primary, query):
                yield octets

    return play


OLD, NEW = soa_line(1), soa_line(2)
LOST, FOUND = f"now.{APEX} 3600 IN TXT 1", f"now.{APEX} 3600 IN TXT 2"
WRONG_DIFFERENCES = {
    "from a version that is not held": (NEW, soa_line(7), LOST, NEW, FOUND, NEW),
    "removes what is not there": (NEW, OLD, f"now.{APEX} 3600 IN TXT 9", NEW, FOUND, NEW),
    "adds what is there": (NEW, OLD, NEW, LOST, FOUND, NEW),
    "leads elsewhere": (NEW, OLD, LOST, soa_line(9), FOUND, NEW),
    "adds beside a CNAME": (NEW, OLD, LOST, NEW, FOUND, f"now.{APEX} 60 IN CNAME x.{APEX}", NEW),
    "adds out of the zone": (NEW, OLD, LOST, NEW, FOUND, "www.elsewhere.example. 60 IN A 192.0.2.9", NEW),
    "ends in the middle": (NEW, OLD, LOST, NEW, FOUND),
    "removes all name servers": (NEW, OLD, f"{APEX} 3600 IN NS ns1.{APEX}", LOST, NEW, FOUND, NEW),
    "chain that goes back": (NEW, OLD, LOST, soa_line(3), FOUND, soa_line(3), NEW, NEW),
}


class TestWrongDifferences:
    @pytest.mark.parametrize("wrong", WRONG_DIFFERENCES)
    async def test_are_never_served(self, site: Site, wrong: str) -> None:
        """The whole zone is asked for instead, and what it says is served: nothing of the differences."""
        async with HostilePrimary(site.port) as primary, running(site.secondary(transfer_limits=LIMITS)) as secondary:
            await until(lambda: secondary.serial() == 1)
            primary.serial, primary.play = 2, ixfr_of(*WRONG_DIFFERENCES[wrong])
            await announce(site)
            await until(lambda: secondary.serial() == 2)
            await still_serves(secondary, 2)
            assert primary.transfers == {"AXFR": 2, "IXFR": 1}

    async def test_that_are_a_soa_and_silence_are_given_up_for_the_whole(self, site: Site) -> None:
        """As by UDP for differences that do not fit (RFC 1995 section 2): asked by IXFR again and again, it would never come."""
        async with (
            HostilePrimary(site.port, ends=False) as primary,
            running(site.secondary(transfer_limits=LIMITS)) as secondary,
        ):
            await until(lambda: secondary.serial() == 1)
            primary.serial, primary.play = 2, ixfr_of(NEW)
            await announce(site)
            await until(lambda: secondary.serial() == 2)
            assert primary.transfers == {"AXFR": 2, "IXFR": 1}
            assert "nothing more came" in secondary.zone_status()["last_transfer"]["fallback"]

    async def test_right_ones_are_served(self, site: Site) -> None:
        """So that the others fail for what is wrong with them."""
        async with HostilePrimary(site.port) as primary, running(site.secondary(transfer_limits=LIMITS)) as secondary:
            await until(lambda: secondary.serial() == 1)
            primary.serial, primary.play = 2, ixfr_of(NEW, OLD, LOST, NEW, FOUND, NEW)
            await announce(site)
            await until(lambda: secondary.serial() == 2)
            await still_serves(secondary, 2)
            assert primary.transfers == {"AXFR": 1, "IXFR": 1}


async def announce(site: Site) -> None:
    """Send a NOTIFY from the primary's address."""
    notify = dns.message.make_query(APEX, "SOA")
    notify.set_opcode(dns.opcode.NOTIFY)
    notify.flags |= dns.flags.AA
    answer = await asked(site.secondary_at, source=str(PRIMARY), query=notify)
    assert answer.rcode() == dns.rcode.NOERROR


KEY = make_key(dns.name.from_text("transfer.example.tech."), "hmac-sha256")


def signed_stream(spoil: Callable[[list[bytes]], list[bytes]]) -> Play:
    """Send a zone in five messages, all of them signed, after ``spoil`` has had them."""

    async def play(primary: HostilePrimary, query: bytes) -> AsyncIterator[bytes]:
        lines = records(primary.serial, *(f"n{number}.{APEX} 60 IN A 192.0.2.{number}" for number in range(3)))
        plain = [message(query, [line]) for line in lines]
        signer = StreamSigner(KEY, dns.message.from_wire(query, keyring=False).mac or b"")
        for wire in spoil([signer.sign(wire, time.time()) for wire in plain]):
            yield framed(wire)

    return play


def unsigned(wire: bytes) -> bytes:
    found = find_signature(wire)
    assert found is not None
    return wire[:10] + b"\0\0" + wire[12 : found.start]


SPOILED_SIGNATURES: dict[str, tuple[Callable[[list[bytes]], list[bytes]], set[str]]] = {
    "the last message is not signed": (lambda all_: [*all_[:-1], unsigned(all_[-1])], {"unsigned"}),
    "none is signed": (lambda all_: list(map(unsigned, all_)), {"unsigned"}),
    "one is changed in the middle": (
        lambda all_: [*all_[:2], all_[2].replace(b"\xc0\0\2\1", b"\xc0\0\2\2"), *all_[3:]],
        {"badsig"},
    ),
    "a MAC is changed": (lambda all_: [*all_[:2], all_[2][:-20] + b"\0" * 8 + all_[2][-12:], *all_[3:]], {"badsig", "malformed"}),
    "a TSIG is cut": (lambda all_: [*all_[:2], all_[2][:-9], *all_[3:]], {"malformed", "badsig", "unsigned"}),
    "one is left out": (lambda all_: [*all_[:2], *all_[3:]], {"badsig"}),
    "two change places": (lambda all_: [*all_[:2], all_[3], all_[2], *all_[4:]], {"badsig"}),
    "one comes twice": (lambda all_: [*all_[:3], all_[2], *all_[3:]], {"badsig"}),
}


class TestSpoiledSignatures:
    @pytest.fixture
    def keyed(self, site: Site) -> Site:
        site.keys, site.key = {KEY.name: KEY}, KEY.name
        return site

    @pytest.mark.parametrize("how", SPOILED_SIGNATURES)
    async def test_change_nothing(self, keyed: Site, how: str) -> None:
        """Whatever is altered, left out or put in, of a signed transfer nothing is taken."""
        spoil, reasons = SPOILED_SIGNATURES[how]
        peer = Peer(PRIMARY, keyed.port, KEY.name)
        config = keyed.secondary(keyed.copy(peer), transfer_limits=LIMITS)
        async with HostilePrimary(keyed.port, key=KEY) as primary, running(config) as secondary:
            await until(lambda: secondary.serial() == 1)
            primary.serial, primary.play = 2, signed_stream(spoil)
            await secondary.obey({"do": "retransfer"})
            failure = await told_of(secondary, 2)
            assert failure["reason"] in reasons, failure
            await still_serves(secondary, 1)

    async def test_unspoiled_is_taken(self, keyed: Site) -> None:
        """So that the others fail for what was done to them."""
        config = keyed.secondary(keyed.copy(Peer(PRIMARY, keyed.port, KEY.name)), transfer_limits=LIMITS)
        async with HostilePrimary(keyed.port, key=KEY) as primary, running(config) as secondary:
            await until(lambda: secondary.serial() == 1)
            primary.serial, primary.play = 2, signed_stream(lambda messages: messages)
            await secondary.obey({"do": "retransfer"})
            await until(lambda: secondary.serial() == 2)


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of resident memory is read from /proc")
class TestMemory:
    @pytest.mark.parametrize("lie", ["endless", "endless, with large RRsets", "compression bomb"])
    async def test_is_bounded(self, site: Site, lie: str) -> None:
        """A process whose limit is 8 MiB for each transfer holds little more than before, however often it is lied to."""
        config = site.folder / "secondary.toml"
        config.write_text(
            f'listen = ["{SECONDARY}:{site.port}"]\nstate = "state"\n[transfer_limits]\noctets = {8 << 20}\n'
            f'[[zone]]\nname = "example.tech"\nrole = "secondary"\n[[zone.primary]]\naddress = "{PRIMARY}"\nport = {site.port}\n',
            encoding="utf-8",
        )
        program = Path(sys.executable).with_name("mailname")
        async with HostilePrimary(site.port) as primary:
            server = await asyncio.create_subprocess_exec(program, "serve", "--config", config, stderr=asyncio.subprocess.DEVNULL)
            try:
                await until_answered(site, 1)
                before = peak(server.pid)
                primary.serial, primary.play = 2, LIES[lie][0]
                await announce(site)
                await until(lambda: sum(primary.transfers.values()) >= 4, 120)
                assert (await asked(site.secondary_at, f"now.{APEX}", "TXT")).answer[0][0].to_text() == '"1"'
                assert peak(server.pid) - before < 96 << 10
            finally:
                server.send_signal(signal.SIGTERM)
                assert await server.wait() == 0


def peak(pid: int) -> int:
    """Return the most KiB that a process has held."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


async def until_answered(site: Site, serial: int) -> None:
    """Wait until the secondary answers this version."""
    async with asyncio.timeout(60):
        while True:
            try:
                answer = await asyncio.to_thread(
                    dns.query.udp, dns.message.make_query(f"now.{APEX}", "TXT"), str(SECONDARY), port=site.port, timeout=1
                )
            except (OSError, dns.exception.DNSException):
                await asyncio.sleep(0.05)
                continue
            if answer.answer and answer.answer[0][0].to_text() == f'"{serial}"':
                return
            await asyncio.sleep(0.02)
