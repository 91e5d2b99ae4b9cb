"""What is fuzzed: functions that take octets as a stranger sends them, and raise only when mailname is wrong."""

from __future__ import annotations

import atexit
import os
import struct
import tempfile
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dns.message
import dns.name
import dns.tsig
from dns.rdatatype import RdataType
from scripts import fuzz_imports
from tests.answer.plain_forms import FORMS, Served
from tests.answer.questions import names_of, query
from tests.answer.zones import signed_table, signed_zone_texts, the_table, zone_of, zone_texts
from tests.server.running import zone_text
from tests.transfer.forms import FORMS as FORMS_OF_TRANSFERS
from tests.transfer.forms import agreed
from tests.zone.test_pack import PACK, resealed

from mailname.answer import respond
from mailname.errors import TransferError, ZoneError
from mailname.transfer import axfr, ixfr, ixfr_read, journal
from mailname.transfer.journal_records import written
from mailname.wire.message import Request, read_request
from mailname.wire.octets import octets
from mailname.wire.tsig import FUDGE, StreamVerifier, Verified, sign, verify
from mailname.wire.tsig_key import Key
from mailname.zone import Serial, ZoneBuilder
from mailname.zone.image import build_image
from mailname.zone.image_changes import difference
from mailname.zone.image_merge import merged
from mailname.zone.image_zone import ImageZone
from mailname.zone.load import Loader
from mailname.zone.pack import ENTRY, HEADER, check_pack, entries_of
from mailname.zone.text import read_zone
from mailname.zone.write import write_zone

try:
    from mailname.server.folder_scan import PlainFiles
except ImportError:  # there was no compiler
    PlainFiles = None

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailname.zone import Zone

APEX = dns.name.from_text("example.tech.")
ID, NOW = 4711, 1_700_000_000
KEY = Key(dns.name.from_text("transfer.example.tech."), bytes(32), dns.tsig.HMAC_SHA256)
_HEAD = struct.Struct("!H")


@cache
def _served() -> Served:
    return Served(the_table())


@cache
def _signed() -> Served:
    return Served(signed_table())


@cache
def _loader() -> Loader:
    return Loader()


@cache
def _folder() -> tuple[Path, int]:
    folder = tempfile.TemporaryDirectory(prefix="mailname-fuzz-")
    atexit.register(folder.cleanup)
    return Path(folder.name), os.open(folder.name, os.O_RDONLY | os.O_DIRECTORY)


def take_query(data: bytes) -> None:
    """Any datagram gets the reference's answer or silence, plainly or not, within what the client takes."""
    request = read_request(data)
    for served in (_served(), _signed()):
        served.agrees(data)
        if not isinstance(request, Request):
            continue
        table = served.table
        answer = respond(request, table, transport="udp")
        room = max(request.edns.payload, 512) if request.edns else 512
        assert len(answer) <= min(room, 1232)
        dns.message.from_wire(answer)
        assert len(respond(request, table, transport="tcp")) <= 65535


def take_zone_text(data: bytes) -> None:
    """A zone file is read or refused with a sentence, by both readers; what was read can be written and read again."""
    text = data.decode("utf-8", "replace")
    try:
        zone: Zone | None = read_zone(text, "fuzz", APEX).zone
    except ZoneError as error:
        assert error.problem
        zone = None
    try:
        block: bytes | None = _loader().load(text.encode(), "fuzz", APEX).image
    except ZoneError as error:
        assert error.problem
        block = None
    assert (zone is None) == (block is None), f"one reader takes it, the other does not: {text!r}"
    if zone is not None:
        assert read_zone(write_zone(zone), "again", APEX).zone == zone
        assert block == build_image(zone)
    if PlainFiles is not None:
        _take_file(text.encode(), block)


def _take_file(text: bytes, block: bytes | None) -> None:
    """The file is read as the text is, or left to who reads it with more thought."""
    folder, handle = _folder()
    (folder / "fuzz.zone").write_bytes(text)
    stamp = struct.pack("<QII", 1, len(text), 1)
    found: Any = PlainFiles(handle, [(b"fuzz.zone", stamp, octets(APEX))], _loader().fast, 2, 1 << 20)
    assert (found.taken, found.zones + len(found.others)) == (1, 1)
    if found.zones:
        assert block is not None
        assert found.images == block.ljust(-len(block) // 8 * -8, b"\0")
        assert found.names == octets(APEX)


def take_pack(data: bytes) -> None:
    """Whatever is in a pack, even with a checksum that matches, is refused or read without leaving it, by both forms."""
    spoiled = bytearray(PACK)
    for at in range(0, len(data) - 2, 3):
        spoiled[_PLACES[int.from_bytes(data[at : at + 2], "big") % len(_PLACES)]] = data[at + 2]
    for block in (data, bytes(spoiled), PACK[: len(data)], resealed(data), resealed(bytes(spoiled))):
        try:
            check_pack(block)
        except ValueError:
            continue
        assert block in (PACK, resealed(block)), "its checksum does not match"
        assert len(list(entries_of(block))) == HEADER.unpack_from(block)[2]
        found = [_found_in(form.serving({octets(APEX): None}), block) for form in FORMS]
        assert found.count(found[0]) == len(found), f"the forms differ: {found}"


def _found_in(images: Any, block: bytes) -> tuple[object, ...]:
    """Add a pack, and look at all that is found by apex then."""
    refused = ""
    try:
        images.add_pack(block)
    except ValueError as error:
        refused = str(error)
    zones = []
    for number in images.numbers():
        image = images.image(number)
        zones.append((images.apex(number), images.number(images.apex(number)), image and bytes(image), images.stamp(number)))
    return refused, zones, images.live()


def _messages(data: bytes) -> list[bytes]:
    found: list[bytes] = []
    at = 0
    while at + 2 <= len(data) and len(found) < 20:
        (length,) = _HEAD.unpack_from(data, at)
        found.append(data[at + 2 : at + 2 + length])
        at += 2 + length
    return found


def take_transfer(data: bytes) -> None:
    """A transfer is taken whole or refused with a reason: what dnspython takes, and with its reasons."""
    agreed(_messages(data), ID, FORMS_OF_TRANSFERS[:1])


def take_ixfr(data: bytes) -> None:
    """An incremental transfer is taken whole or refused with a reason; what comes of it is a zone, and a newer one."""
    held = ImageZone(_VERSIONS[0])
    taking = ixfr_read.Incoming(held, ID, "ns2")
    try:
        for message in _messages(data):
            if taking.receive(message):
                taking.finish()
                break
    except TransferError as error:
        assert error.problem
        return
    if taking.zone is not None:
        assert taking.zone.serial.is_newer_than(held.serial)
        _is_a_zone(taking.zone)


def _is_a_zone(zone: ImageZone) -> None:
    """Build it again, from objects."""
    builder = ZoneBuilder(zone.apex)
    for node in zone.nodes():
        for rrset in node.rrsets.values():
            for rdata in rrset.rdatas:
                builder.add(node.owner, rrset.ttl, rdata)
    assert builder.build() == zone


def take_journal(data: bytes) -> None:
    """Whatever a journal holds, even with checksums that match, is found spoiled or gives a zone."""
    spoiled = bytearray(_JOURNAL)
    for at in range(0, len(data) - 2, 3):
        spoiled[int.from_bytes(data[at : at + 2], "big") % len(_JOURNAL)] = data[at + 2]
    resealed = journal.sealed(data, Serial(1), Serial(2), records=1, flags=0)
    for block in (data, bytes(spoiled), _JOURNAL[: len(data)], journal.head(octets(APEX)) + resealed):
        found = journal.look_through(block, octets(APEX))
        assert found.end <= len(block)
        assert all(step.end <= len(block) for step in found.steps)
        for step in found.steps:
            try:
                changes = journal.changes_of(block, (step,), octets(APEX))
                merged(_VERSIONS[0], changes, strict=True)
            except (ValueError, ZoneError):
                continue
            assert written(changes.packed) == block[step.at : step.end]


def take_signed(data: bytes) -> None:
    """Nobody without the key makes a message that is taken for signed."""
    for message in _messages(data):
        for now in (NOW, NOW + FUDGE + 1):
            verdict = verify(message, {KEY.name: KEY}, now)
            # All but the message id is signed, which forwarders may change (RFC 8945 section 5.3.2.1).
            assert not isinstance(verdict, Verified) or verdict.message[2:] in _CONTENTS
    stream = StreamVerifier(KEY, b"mac")
    for message in _messages(data):
        if not isinstance(stream.take(message, NOW), bytes):
            break


_RECORDS = """
h TXT "x" "y"
h AAAA 2001:db8::1
h SRV 1 2 3 h
h CAA 0 issue "ca.example"
h DS 1 13 2 0102030405060708091011121314151617181920212223242526272829303132
h NSEC i A RRSIG
h RRSIG A 13 3 60 20300101000000 20260101000000 1 @ AAAA
h DNSKEY 257 3 13 AAAA
h NSEC3PARAM 1 0 0 AB
h NSEC3 1 0 0 AB 00000000000000000000000000000000 A
h NAPTR 1 2 "u" "x" "" i
h TYPE65280 \\# 2 0102
i CNAME h
j DNAME h
"""


def _framed(*messages: bytes) -> bytes:
    return b"".join(_HEAD.pack(len(message)) + message for message in messages)


_ZONE = zone_of(zone_texts()["example.tech."], "example.tech.")
_SIGNED = [sign(query(name, 6), KEY, NOW)[0] for name in (APEX, KEY.name)]
_CONTENTS = [query(name, 6)[2:] for name in (APEX, KEY.name)]
# Where spoiling a pack leads somewhere: its header, its entries and names, a little of an image.
_ENTRIES_AT = HEADER.unpack_from(PACK)[4]
_PLACES = [*range(32), *range(_ENTRIES_AT, len(PACK)), *range(64, 96)]

_VERSIONS = [
    build_image(read_zone(zone_text(serial, more), "seed", APEX).zone)
    for serial, more in enumerate(("a A 192.0.2.1\n", "a A 192.0.2.2\nb MX 1 a\nr RP a b\n", "b MX 1 a\n*.c TXT t\n"), 1)
]
_JOURNAL = journal.head(octets(APEX)) + b"".join(
    journal.entry(made, Serial(serial), Serial(serial + 1), records=ImageZone(new).record_count)
    for serial, (old, new) in enumerate(pairwise(_VERSIONS), 1)
    if (made := difference(old, new)) is not None
)

TARGETS: dict[str, Callable[[bytes], None]] = {
    "query": take_query,
    "zone-text": take_zone_text,
    "pack": take_pack,
    "transfer": take_transfer,
    "ixfr": take_ixfr,
    "journal": take_journal,
    "tsig": take_signed,
    "named-conf": fuzz_imports.take_named_conf,
    "mail-list": fuzz_imports.take_mail_list,
    "found-zone": fuzz_imports.take_zone,
}


def seeds(target: str) -> list[bytes]:
    """Return good inputs to begin with."""
    match target:
        case "query":
            names = names_of([_ZONE, *(zone_of(text, apex) for apex, text in signed_zone_texts().items())])[::7]
            return [query(name, rdtype, dnssec=bool(rdtype & 1)) for name in names for rdtype in (1, 2, 6, 15, 43, 255)]
        case "zone-text":
            return [zone_text(1).encode(), *(text.encode() for text in zone_texts().values())]
        case "pack":
            entry = [bytes([0, 32 + at, value]) for at in range(ENTRY.size) for value in (0, 1, 64, 255)]
            round_it = b"".join(bytes([0, 32 + at, 255]) for at in range(8)) + bytes([0, 32, 192])
            return [PACK, b"", round_it, *entry, *(bytes([0, at, 255]) for at in range(32))]
        case "transfer":
            return [_framed(*(wire for wire, _ in axfr.outgoing(_ZONE, ID))), _framed(*_parts())]
        case "ixfr":
            parts = tuple((step.at, step.end) for step in journal.look_through(_JOURNAL, octets(APEX)).steps)
            newest, told = ImageZone(_VERSIONS[-1]), ixfr.Differences(_JOURNAL, parts)
            streams = [ixfr.outgoing(newest, told, ID, limit=limit) for limit in (120, 16384)]
            whole = axfr.outgoing(newest, ID, rdtype=RdataType.IXFR)
            return [_framed(*(wire for wire, _ in stream)) for stream in (*streams, whole)]
        case "journal":
            return [_JOURNAL, *(_JOURNAL[step.at : step.end] for step in journal.look_through(_JOURNAL, octets(APEX)).steps)]
        case "named-conf" | "mail-list" | "found-zone":
            return fuzz_imports.seeds(target)
        case _:
            return [_framed(*_SIGNED), _framed(_SIGNED[0][:-1])]


def _parts() -> list[bytes]:
    """One record of each kind that is read without dnspython, in a few small messages."""
    zone = read_zone(zone_text(1, _RECORDS), "seed", APEX).zone
    return [wire for wire, _ in axfr.outgoing(zone, ID, reserve=16384 - 200)]
