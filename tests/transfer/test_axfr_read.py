"""Transfers taken in: what is right and what is wrong with a stream is what dnspython finds, in both forms of the core."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.strategies import names, zones
from tests.transfer.forms import FORMS, agreed
from tests.transfer.zones import APEX, zone

from mailname.errors import TransferError
from mailname.transfer.axfr import Incoming, outgoing
from mailname.wire.octets import octets
from mailname.zone.image_zone import ImageZone
from mailname.zone.packed import PackedRecords

if TYPE_CHECKING:
    from mailname.zone import Zone

WIRE_APEX = octets(APEX)
SOA = (6, b"\3ns1\xc0\x0c\4host\xc0\x0c" + struct.pack("!5I", 7, 1, 2, 3, 4))
NS = (2, b"\3ns1\xc0\x0c")
READ_TYPES = [1, 2, 5, 6, 12, 15, 16, 28, 33, 39, 43, 46, 47, 48, 50, 51, 99, 257, 65280, 65534]
RARE_TYPES = [0, 13, 17, 18, 24, 29, 35, 41, 44, 52, 61, 64, 65, 249, 250, 252, 255, 256, 32769]


def message(*records: tuple[int, bytes] | tuple[int, bytes, bytes], question: bool = True, head: bytes = b"\0\1\x84\0") -> bytes:
    """Write a message of records given as type, rdata, and owner if it is not the apex."""
    wire = head + struct.pack("!4H", int(question), len(records), 0, 0)
    if question:
        wire += WIRE_APEX + struct.pack("!HH", 252, 1)
    for rdtype, rdata, *owner in records:
        wire += (owner[0] if owner else WIRE_APEX) + struct.pack("!HHIH", rdtype, 1, 60, len(rdata)) + rdata
    return wire


class TestStream:
    @given(sent=zones(), limit=st.integers(40, 16384))
    def test_of_any_zone_makes_the_zone(self, sent: Zone, limit: int) -> None:
        """Whatever it holds, and however it is cut into messages."""
        found = agreed([wire for wire, _ in outgoing(sent, 1, reserve=16384 - limit)])
        assert found[0] == dict(sent._all)

    @given(sent=zones(), limit=st.integers(60, 400), data=st.data())
    def test_that_is_spoiled_is_refused_with_the_same_reason(self, sent: Zone, limit: int, data: st.DataObject) -> None:
        """Or taken, where what was changed is still right."""
        messages = [bytearray(wire) for wire, _ in outgoing(sent, 1, reserve=16384 - limit)]
        for _ in range(data.draw(st.integers(1, 3))):
            wire = data.draw(st.sampled_from(messages))
            at = data.draw(st.integers(0, len(wire) - 1))
            wire[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
        agreed([bytes(wire) for wire in messages])

    @given(
        rdtype=st.one_of(st.sampled_from(READ_TYPES), st.sampled_from(RARE_TYPES)),
        before=st.binary(max_size=20),
        name=names.map(octets),
        behind=st.binary(max_size=40),
    )
    @example(rdtype=5, before=b"", name=b"\xc0\x0c", behind=b"")
    @example(rdtype=39, before=b"", name=b"\xc0\x0c", behind=b"")
    @example(rdtype=43, before=b"\0\1\1\1", name=b"", behind=bytes(20))
    @example(rdtype=43, before=b"\0\1\1\3", name=b"", behind=bytes(32))
    @example(rdtype=43, before=b"\0\1\1\4", name=b"", behind=bytes(48))
    @example(rdtype=43, before=b"\0\1\1\0", name=b"", behind=bytes(48))
    @example(rdtype=43, before=b"\0\1\1\7", name=b"", behind=b"")
    @example(rdtype=46, before=bytes(18), name=b"\0", behind=b"")
    @example(rdtype=46, before=bytes(18), name=b"\xc0\x0c", behind=b"x")
    @example(rdtype=47, before=b"", name=b"\0", behind=b"\0\1\x40\1\1\x40")
    @example(rdtype=47, before=b"", name=b"\0", behind=b"\1\1\x40\0\1\x40")
    @example(rdtype=47, before=b"", name=b"\0", behind=b"\0\2\x40\0")
    @example(rdtype=47, before=b"", name=b"\0", behind=b"\0\0")
    @example(rdtype=47, before=b"", name=b"\0", behind=b"\0\x21" + b"x" * 33)
    @example(rdtype=47, before=b"", name=b"\0", behind=b"\0\2\x40")
    @example(rdtype=47, before=b"", name=b"\0", behind=b"\0")
    @example(rdtype=50, before=b"\1\0\0\1\0\1x", name=b"", behind=b"\0\1\x40")
    @example(rdtype=50, before=b"\1\0\0\1\1x\1x", name=b"", behind=b"")
    @example(rdtype=50, before=b"\1\0\0\1\1x\0", name=b"", behind=b"")
    @example(rdtype=50, before=b"\1\0\0\1\1x\2x", name=b"", behind=b"")
    @example(rdtype=50, before=b"\1\0\0\1\1x", name=b"", behind=b"")
    @example(rdtype=50, before=b"\1\0\0\1", name=b"", behind=b"")
    @example(rdtype=51, before=b"\1\0\0\1\1x", name=b"", behind=b"")
    @example(rdtype=51, before=b"\1\0\0\1\2x", name=b"", behind=b"")
    @example(rdtype=257, before=b"\0\5issue", name=b"", behind=b"ca.example")
    @example(rdtype=257, before=b"\0\5iss:e", name=b"", behind=b"ca.example")
    @example(rdtype=257, before=b"\0\0", name=b"", behind=b"ca.example")
    @example(rdtype=257, before=b"\0\5iss", name=b"", behind=b"")
    @example(rdtype=257, before=b"\0", name=b"", behind=b"")
    @example(rdtype=16, before=b"\1x\0", name=b"", behind=b"")
    @example(rdtype=16, before=b"\2x", name=b"", behind=b"")
    @example(rdtype=16, before=b"", name=b"", behind=b"")
    @example(rdtype=35, before=b"\0\1\0\2\1u\1x\0", name=b"\xc0\x0c", behind=b"")
    @example(rdtype=24, before=bytes(18), name=b"\0", behind=b"x" * 40)
    def test_with_a_record_of_any_octets_is_judged_alike(self, rdtype: int, before: bytes, name: bytes, behind: bytes) -> None:
        """Lengths, names within bounds, bitmaps, digests: dnspython's rules."""
        agreed([message(SOA, NS, (rdtype, before + name + behind, b"\1a\xc0\x0c"), SOA)])

    @pytest.mark.parametrize(
        "name",
        [
            b"\xc0",  # cut off
            b"\xc0\xff",  # forward
            b"\1a\xc0\x4c",  # to itself
            b"\x40\x0c",  # of a kind that there is not
            b"\x80\x0c",
            b"\1",
            b"\3ab",
            b"\x3f" + b"x" * 63 + b"\xc0\x0c",
            (b"\x3f" + b"x" * 63) * 3 + b"\x2f" + b"x" * 47 + b"\xc0\x0c",  # 254 octets
            (b"\x3f" + b"x" * 63) * 3 + b"\x30" + b"x" * 48 + b"\xc0\x0c",  # 255 octets
            (b"\x3f" + b"x" * 63) * 3 + b"\x31" + b"x" * 49 + b"\xc0\x0c",  # one too many
            (b"\x3f" + b"x" * 63) * 4 + b"\0",
            b"\xc0\x00",  # into the header: it is made of labels, too
            b"\xc0\x02",
            b"\xc0\x0d",  # into a label
            b"\7EXAMPLE\4Tech\0",
            b"\4tech\0",
            b"\0",
        ],
    )
    def test_with_an_odd_name_is_judged_alike(self, name: bytes) -> None:
        """As an owner and in rdata."""
        agreed([message(SOA, NS, (1, bytes(4), name), SOA)])
        for rdtype, before in ((2, b""), (15, b"\0\1"), (33, bytes(6)), (39, b""), (47, b"")):
            agreed([message(SOA, NS, (rdtype, before + name, b"\1a\xc0\x0c"), SOA)])

    @pytest.mark.parametrize("hops", [15, 16, 17, 18])
    def test_with_pointers_to_pointers_is_followed_so_far(self, hops: int) -> None:
        """Each must point to what was there before; dnspython follows sixteen."""
        chain, wire = [], message(SOA, NS)
        to = 12
        for number in range(hops):
            chain.append((1, bytes(4), b"\1" + bytes((97 + number,)) + struct.pack("!H", 0xC000 | to)))
            to = len(wire) + sum(len(owner) + 14 for _, _, owner in chain[:-1])
        agreed([message(SOA, NS, *chain, SOA)])

    @pytest.mark.parametrize(
        "messages",
        [
            [b""],
            [bytes(11)],
            [message(SOA, NS, SOA), message(NS)],
            [message(SOA, NS, SOA, question=False)],
            [message(SOA, NS, SOA, head=b"\0\2\x84\0")],
            [message(SOA, NS, SOA, head=b"\0\1\4\0")],
            [message(SOA, NS, SOA, head=b"\0\1\x84\5")],
            [message(SOA, NS, SOA, head=b"\0\1\x86\xb0")],  # the other flags say nothing
            [message(SOA, NS, SOA) + b"x"],
            [message(SOA, NS, SOA)[:-1]],
            [message(NS)],
            [message(SOA), message(NS), message(SOA, NS)],
            [message(SOA, NS, (6, SOA[1].replace(b"ns1", b"NS1")))],
            [message(SOA, NS, (6, SOA[1][:-1] + b"x"))],
            [message(SOA, NS, (6, SOA[1].replace(b"ns1", b"ns2")))],
            [message(SOA, NS, (6, SOA[1].replace(b"\3ns1", b"\2ns")))],
            [message(SOA, NS, (6, SOA[1], b"\1a\xc0\x0c"))],
            [message((6, b"\xc0\x0c\xc0\x0c"))],
            [message((6, b""))],
            [message(SOA, NS, (0, b"x"), SOA)],
            [message(SOA, NS, (1, bytes(4), b"\1a\0"), SOA)],
            [message(SOA, SOA)],
            [message(SOA, NS, (5, b"\1b\0", b"\1a\xc0\x0c"), (5, b"\1c\0", b"\1a\xc0\x0c"), SOA)],
            [message(SOA, NS, (5, b"\1b\0", b"\1a\xc0\x0c"), (1, bytes(4), b"\1A\xc0\x0c"), SOA)],
            [message(SOA, NS, (1, bytes(4)), (1, bytes(4), b"\1b\xc0\x0c"), (1, b"abcd"), (1, bytes(4)), SOA)],
            [message(SOA, NS, (17, b"\1A\0\0"), (17, b"\1a\0\0"), SOA)],  # whether it is one record, the packed form cannot tell
            [message(SOA, NS, SOA)[:4] + b"\0\2" + message(SOA, NS, SOA)[6:]],
            [message(SOA, NS, SOA).replace(b"\0\xfc\0\1", b"\0\6\0\1")],
            [message(SOA, NS, SOA).replace(b"example", b"EXAMPLE", 1)],
            [
                message(SOA, NS)[:10] + b"\0\1" + message(SOA, NS)[12:] + b"\0" + struct.pack("!HHIH", 41, 1232, 0, 0),
                message(SOA),
            ],
        ],
    )
    def test_that_is_odd_is_judged_alike(self, messages: list[bytes]) -> None:
        """Headers, questions, sections, SOAs, and what may not stand together."""
        agreed(messages)

    @given(ttls=st.lists(st.sampled_from([0, 60, 2**31 - 1, 2**31, 2**32 - 1]), min_size=2, max_size=2))
    def test_with_other_ttls_has_the_first(self, ttls: list[int]) -> None:
        """One RRset has one TTL (RFC 2181 section 5.2), and one that is too large is 0 (section 8)."""
        wire = message(SOA, NS, (1, bytes(4)), (1, b"abcd"), SOA)
        for ttl, rdata in zip(ttls, (bytes(4), b"abcd"), strict=True):
            wire = wire.replace(struct.pack("!IH", 60, 4) + rdata, struct.pack("!IH", ttl, 4) + rdata)
        agreed([wire])

    def test_second_alias_is_found_at_the_end(self) -> None:
        """In another message than the first: it is told with its number, when all are there."""
        alias = (5, b"\1b\0", b"\1a\xc0\x0c")
        other = (5, b"\1c\0", b"\1a\xc0\x0c")
        for form in FORMS:
            incoming = form.Incoming(APEX, 1, "ns2")
            assert not incoming.take(message(SOA, NS, alias))
            assert not incoming.take(message(other))
            with pytest.raises(TransferError, match=r"record 4: a\.example\.tech\. has a second CNAME record"):
                incoming.take(message(SOA))


class TestIncoming:
    def test_makes_an_image(self) -> None:
        """Nothing but an image is held of it."""
        incoming = Incoming(APEX, 1, "ns2")
        for wire, _ in outgoing(zone(7), 1):
            incoming.take(wire)
        assert isinstance(incoming.zone, ImageZone)

    def test_reads_what_is_plain_without_objects(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Every type that is read here, and one that is not: dnspython reads its rdata alone."""
        rare = (13, b"\1a\1b", b"\1a\xc0\x0c")
        plain: dict[int, bytes] = {1: bytes(4), 2: b"\0", 12: b"\xc0\x0c", 15: b"\0\1\0", 16: b"\1x", 28: bytes(16)}
        plain |= {33: bytes(7), 39: b"\0", 43: bytes(3) + b"\1" + bytes(20), 46: bytes(19), 47: b"\0\0\1\1", 48: bytes(4)}
        plain |= {50: b"\1\0\0\0\0\1x", 51: b"\1\0\0\0\0", 99: b"\1x", 257: b"\0\1a", 65280: b""}
        for form in FORMS:
            with monkeypatch.context() as patch:
                patch.setattr(form.Incoming, "_read_objects", None)
                asked: list[int] = []
                read = form.rdata_octets
                patch.setattr(
                    form, "rdata_octets", lambda *arguments, asked=asked, read=read: asked.append(1) or read(*arguments)
                )
                records = [(rdtype, rdata, b"\1a\xc0\x0c") for rdtype, rdata in plain.items()]
                incoming = form.Incoming(APEX, 1, "ns2")
                assert incoming.take(message(SOA, NS, *records, rare, SOA))
                assert (incoming.records, len(asked)) == (len(plain) + 4, 1)

    def test_builds_no_zone_before_it_is_told(self) -> None:
        """Laying out takes long: whoever receives does it when and where it suits."""
        incoming = Incoming(APEX, 1, "ns2")
        assert incoming.receive(message(SOA, NS, SOA))
        assert incoming.zone is None
        incoming.finish()
        assert incoming.zone is not None

    @pytest.mark.parametrize("rdata", [bytes(4), b"\0" * 30000])
    def test_refuses_more_than_can_be_held(self, rdata: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
        """Two gigabytes; here, what the packed form says of it."""
        for form in FORMS:
            incoming = form.Incoming(APEX, 1, "ns2")
            with monkeypatch.context() as patch:
                patch.setattr(form, "RecordReader", lambda _: None)
                patch.setattr(incoming, "_reader", _Full())
                with pytest.raises(TransferError, match="more than can be held"):
                    incoming.receive(message(SOA, NS, (65280, rdata), SOA))
                patch.setattr(incoming, "_reader", _Full(rare=True))
                with pytest.raises(TransferError, match="more than can be held"):
                    incoming.receive(message(SOA, NS, (65280, rdata), SOA))


class _Full:
    """A reader without room."""

    packed = PackedRecords()
    rdtype, rdata_at, rdata_length = 1, 12, 4

    def __init__(self, *, rare: bool = False) -> None:
        self._found = 1 if rare else 3

    def begin(self, wire: bytes, at: int, records: int) -> None: ...

    def run(self, most: int) -> int:
        return self._found

    def take(self, rdata: bytes) -> bool:
        return False
