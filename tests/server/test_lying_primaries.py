"""More primaries that lie, octet by octet: what is served stays, and the status says in words what was wrong.

``test_hostile_transfers`` has those that lie about the zone; these lie about the messages, or stop at every place.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import pytest
from tests.server.hostile_primary import HostilePrimary, Play, framed, honest, honest_zone, message, records, soa_line
from tests.server.running import APEX, PRIMARY, Site, asked, running, until
from tests.server.test_hostile_transfers import (
    KEY,
    LIMITS,
    announce,
    ixfr_of,
    one_message,
    set_rcode,
    still_serves,
    told_of,
    unsigned,
)

from mailname.transfer.actions import Peer
from mailname.wire.octets import octets as octets_of
from mailname.wire.tsig import StreamSigner

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.server.running import Running

GOOD = records(2)
OWNER = octets_of(dns.name.from_text(f"odd.{APEX}"))


def raw(record: bytes, *, counted: int = 1) -> Play:
    """Send a good zone with one record, given in octets, before the last SOA."""

    async def play(_: HostilePrimary, query: bytes) -> AsyncIterator[bytes]:
        first = message(query, GOOD[:-1])
        count = int.from_bytes(first[6:8], "big") + counted
        yield framed(first[:6] + count.to_bytes(2, "big") + first[8:] + record)
        yield framed(message(query, [GOOD[-1]]))

    return play


def record_of(owner: bytes, rdtype: int, rdata: bytes, *, rdclass: int = 1, length: int | None = None) -> bytes:
    said = len(rdata) if length is None else length
    return owner + rdtype.to_bytes(2, "big") + rdclass.to_bytes(2, "big") + b"\0\0\0\x3c" + said.to_bytes(2, "big") + rdata


def then(change: Callable[[dns.message.Message], object], *, lines: tuple[str, ...] = (GOOD[-1],)) -> Play:
    """Send a good first message, and a second one that was changed."""

    async def play(_: HostilePrimary, query: bytes) -> AsyncIterator[bytes]:
        yield framed(message(query, GOOD[:-1]))
        yield framed(message(query, list(lines), change=change))

    return play


def in_another_section(answer: dns.message.Message) -> None:
    answer.sections[1:3] = [[], answer.answer]


def another_id(answer: dns.message.Message) -> None:
    answer.id ^= 1


def another_question(answer: dns.message.Message) -> None:
    answer.question = [dns.rrset.from_text("other.example.", 0, "IN", "AXFR")]


def with_flag(flag: dns.flags.Flag) -> Callable[[dns.message.Message], object]:
    def change(answer: dns.message.Message) -> None:
        answer.flags |= flag

    return change


def with_opcode(answer: dns.message.Message) -> None:
    answer.set_opcode(dns.opcode.NOTIFY)


async def empty_messages(_: HostilePrimary, query: bytes) -> AsyncIterator[bytes]:
    """Begin, and then send messages without a record for ever."""
    yield framed(message(query, GOOD[:-1]))
    while True:
        yield framed(message(query, []))


async def drip_from_the_first_octet(_: HostilePrimary, query: bytes) -> AsyncIterator[bytes]:
    """Send one octet, wait longer than is waited for, send the next."""
    for octet in framed(message(query, GOOD)):
        yield bytes([octet])
        await asyncio.sleep(1)


async def pointing_to_itself(_: HostilePrimary, query: bytes) -> AsyncIterator[bytes]:
    """Send an owner that is a pointer to its own place."""
    first = message(query, GOOD[:-1])
    owner = (0xC000 | len(first)).to_bytes(2, "big")
    yield framed(
        first[:6] + (int.from_bytes(first[6:8], "big") + 1).to_bytes(2, "big") + first[8:] + record_of(owner, 1, bytes(4))
    )
    yield framed(message(query, [GOOD[-1]]))


LIES: dict[str, Play] = {
    "another SOA in the middle": one_message(*GOOD[:-1], soa_line(3), f"a.{APEX} 60 IN A 192.0.2.9", GOOD[-1]),
    "no name servers": one_message(GOOD[0], *GOOD[2:]),
    "the zone in the authority section": one_message(*GOOD, change=in_another_section),
    "NXDOMAIN with all the data": one_message(*GOOD, change=set_rcode(dns.rcode.NXDOMAIN)),
    "SERVFAIL with all the data": one_message(*GOOD, change=set_rcode(dns.rcode.SERVFAIL)),
    "SERVFAIL at the end": then(set_rcode(dns.rcode.SERVFAIL)),
    "another opcode": one_message(*GOOD, change=with_opcode),
    "another id in the second message": then(another_id),
    "another question in the second message": then(another_question),
    "empty messages for ever": empty_messages,
    "an octet a second": drip_from_the_first_octet,
    "a name that points to itself": pointing_to_itself,
    "a name that points forward": raw(record_of(b"\xff\xfe", 1, bytes(4))),
    "a label of an unknown kind": raw(record_of(b"\x41a\0", 1, bytes(4))),
    "a name of 300 octets": raw(record_of((b"\x3b" + b"x" * 59) * 5 + b"\0", 1, bytes(4))),
    "an A record of 5 octets": raw(record_of(OWNER, 1, bytes(5))),
    "an A record of none": raw(record_of(OWNER, 1, b"")),
    "rdata longer than the message": raw(record_of(OWNER, 16, b"\1x", length=60_000)),
    "a name in rdata that points into nothing": raw(record_of(OWNER, 5, b"\xff\xf0")),
    "an MX without a name": raw(record_of(OWNER, 15, b"\0\1")),
    "a TXT string longer than its rdata": raw(record_of(OWNER, 16, b"\xffabc")),
    "octets behind the last record": raw(b"\0" * 7, counted=0),
    "more records announced than there are": raw(b"", counted=5),
    "a record of type ANY": raw(record_of(OWNER, 255, b"")),
    "a record of type AXFR": raw(record_of(OWNER, 252, b"")),
    "a record of class NONE": raw(record_of(OWNER, 1, bytes(4), rdclass=254)),
    "a record of class ANY": raw(record_of(OWNER, 1, bytes(4), rdclass=255)),
    "an OPT in the answer": raw(record_of(b"\0", 41, b"")),
    "a TSIG in the answer": raw(record_of(OWNER, 250, bytes(20), rdclass=255)),
    "an SOA whose names are cut": raw(record_of(octets_of(APEX), 6, b"\3ns1\xc0")),
}


class TestLie:
    @pytest.mark.parametrize("lie", LIES)
    async def test_changes_nothing_and_is_told_in_words(self, site: Site, monkeypatch: pytest.MonkeyPatch, lie: str) -> None:
        """The version held serves on; the status gives the cause a code and a sentence; an honest version is taken after it."""
        monkeypatch.setattr("mailname.server.asking.TCP_TIMEOUT", 0.5)
        async with HostilePrimary(site.port) as primary, running(site.secondary(transfer_limits=LIMITS)) as secondary:
            await until(lambda: secondary.serial() == 1)
            primary.serial, primary.play = 2, LIES[lie]
            await secondary.obey({"do": "retransfer"})
            failure = await told_of(secondary, 2)
            await still_serves(secondary, 1)
            cause = (await secondary.obey({"do": "status"}))["zones"][0]["cause"]
            assert cause["code"] in {"REPL-09", "REPL-12", "REPL-13", "REPL-17", "REPL-19", "REPL-28"}, failure
            assert (cause["code"] == "REPL-28") == (lie == "NXDOMAIN with all the data"), cause
            assert len(cause["says"]) > 20
            primary.serial, primary.play = 3, honest
            await secondary.obey({"do": "retransfer"})
            await until(lambda: secondary.serial() == 3)


class TestReset:
    async def test_at_each_place_changes_nothing(self, site: Site) -> None:
        """The connection is closed after more and more of the answer; nothing is left of it, and the whole answer is taken."""
        sent = 0

        async def play(_: HostilePrimary, query: bytes) -> AsyncIterator[bytes]:
            yield (framed(message(query, GOOD[:2])) + framed(message(query, GOOD[2:])))[:sent]

        async def transferred(secondary: Running, primary: HostilePrimary) -> None:
            seen = primary.transfers["AXFR"]
            await secondary.obey({"do": "retransfer"})
            await until(lambda: primary.transfers["AXFR"] > seen and not secondary.zone_status()["busy"])

        async with HostilePrimary(site.port) as primary, running(site.secondary(transfer_limits=LIMITS)) as secondary:
            await until(lambda: secondary.serial() == 1)
            primary.serial, primary.play = 2, play
            while secondary.serial() == 1:
                assert sent < WHOLE + STEP
                await transferred(secondary, primary)
                if secondary.serial() == 1:
                    assert secondary.zone_status()["last_failure"]["reason"] in {"reset", "timeout-tcp"}
                    assert secondary.zones[APEX].zone == honest_zone(1)
                    sent += STEP
            assert sent >= WHOLE
            await still_serves(secondary, 2)


STEP = 6  # octets
QUERY = dns.message.make_query(APEX, "AXFR", use_edns=False).to_wire()
WHOLE = len(framed(message(QUERY, GOOD[:2]))) + len(framed(message(QUERY, GOOD[2:])))


class TestHonestOddities:
    async def test_names_in_another_case_are_the_same_names(self, site: Site) -> None:
        """RFC 4343: so this is no lie, and is taken."""
        upper = [line.replace(str(APEX), str(APEX).upper(), 1) for line in records(2)]
        async with HostilePrimary(site.port) as primary, running(site.secondary(transfer_limits=LIMITS)) as secondary:
            await until(lambda: secondary.serial() == 1)
            primary.serial, primary.play = 2, one_message(*upper)
            await secondary.obey({"do": "retransfer"})
            await until(lambda: secondary.serial() == 2)
            answer = await asked(site.secondary_at, f"now.{APEX}", "TXT")
            assert answer.answer[0][0].to_text() == '"2"'

    async def test_whole_zone_that_is_marked_as_truncated_is_whole(self, site: Site) -> None:
        """By TCP nothing is cut; the second SOA tells the end."""
        async with HostilePrimary(site.port) as primary, running(site.secondary(transfer_limits=LIMITS)) as secondary:
            await until(lambda: secondary.serial() == 1)
            primary.serial, primary.play = 2, one_message(*GOOD, change=with_flag(dns.flags.TC))
            await secondary.obey({"do": "retransfer"})
            await until(lambda: secondary.serial() == 2)
            await still_serves(secondary, 2)


OLD, NEW = soa_line(1), soa_line(2)
LOST, FOUND = f"now.{APEX} 3600 IN TXT 1", f"now.{APEX} 3600 IN TXT 2"
WRONG_DIFFERENCES: dict[str, tuple[str, ...]] = {
    "empty": (),
    "nothing but the new SOA": (NEW,),
    "removes the same twice": (NEW, OLD, LOST, LOST, NEW, FOUND, NEW),
    "another class": (NEW, OLD, LOST, NEW, f"now.{APEX} 3600 CH TXT 2", NEW),
    "no SOA between removed and added": (NEW, OLD, LOST, FOUND, NEW),
    "an SOA of the old serial that is another": (NEW, soa_line(1, minimum=61), LOST, NEW, FOUND, NEW),
    "removes the SOA's own name servers and adds none": (NEW, OLD, f"{APEX} 3600 IN NS ns1.{APEX}", NEW, NEW),
    "goes on after its end": (NEW, OLD, LOST, NEW, FOUND, NEW, f"late.{APEX} 60 IN A 192.0.2.9"),
    "removes a name that does not exist": (NEW, OLD, LOST, f"no.{APEX} 60 IN A 192.0.2.9", NEW, FOUND, NEW),
}


class TestWrongDifferences:
    @pytest.mark.parametrize("wrong", WRONG_DIFFERENCES)
    async def test_are_never_served(self, site: Site, wrong: str) -> None:
        """The whole zone is asked for instead."""
        async with HostilePrimary(site.port) as primary, running(site.secondary(transfer_limits=LIMITS)) as secondary:
            await until(lambda: secondary.serial() == 1)
            primary.serial, primary.play = 2, ixfr_of(*WRONG_DIFFERENCES[wrong])
            await announce(site)
            await until(lambda: secondary.serial() == 2)
            assert secondary.zones[APEX].zone == honest_zone(2)
            assert primary.transfers == {"AXFR": 2, "IXFR": 1}


def long_stream(spoil: Callable[[list[bytes], list[bytes]], list[bytes]]) -> Play:
    """Send a zone in 130 messages; ``spoil`` has them plain and signed."""

    async def play(primary: HostilePrimary, query: bytes) -> AsyncIterator[bytes]:
        lines = records(primary.serial, *(f"n{number}.{APEX} 60 IN A 192.0.2.{number}" for number in range(126)))
        plain = [message(query, [line]) for line in lines]
        signer = StreamSigner(KEY, dns.message.from_wire(query, keyring=False).mac or b"")
        for wire in spoil(plain, [signer.sign(wire, time.time()) for wire in plain]):
            yield framed(wire)

    return play


SPOILED: dict[str, Callable[[list[bytes], list[bytes]], list[bytes]]] = {
    "only the first message is signed": lambda _, signed: [signed[0], *map(unsigned, signed[1:])],
    "only the first and the last are signed": lambda _, signed: [signed[0], *map(unsigned, signed[1:-1]), signed[-1]],
    "the 100th is changed": lambda _, signed: [*signed[:99], signed[99].replace(b"\xc0\0\2", b"\xc0\0\3"), *signed[100:]],
    "the 100th is of another stream": lambda plain, signed: [
        *signed[:99],
        StreamSigner(KEY, b"another").sign(plain[99], time.time()),
        *signed[100:],
    ],
}


class TestLongSignedStream:
    @pytest.mark.parametrize("how", SPOILED)
    async def test_that_is_spoiled_changes_nothing(self, site: Site, how: str) -> None:
        """RFC 8945 section 5.3.1: the first, the last, and at least each hundredth message are signed, all in one chain."""
        site.keys, site.key = {KEY.name: KEY}, KEY.name
        config = site.secondary(site.copy(Peer(PRIMARY, site.port, KEY.name)), transfer_limits=LIMITS)
        async with HostilePrimary(site.port, key=KEY) as primary, running(config) as secondary:
            await until(lambda: secondary.serial() == 1)
            primary.serial, primary.play = 2, long_stream(SPOILED[how])
            await secondary.obey({"do": "retransfer"})
            failure = await told_of(secondary, 2)
            assert failure["reason"] in {"badsig", "unsigned"}, failure
            await still_serves(secondary, 1)
            primary.serial, primary.play = 3, long_stream(lambda _, signed: signed)
            await secondary.obey({"do": "retransfer"})
            await until(lambda: secondary.serial() == 3)
