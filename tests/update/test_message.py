"""The message of an update is read record by record, or is malformed (RFC 2136 section 2)."""

from __future__ import annotations

import struct

import dns.name
import dns.update
import pytest
from dns.rcode import Rcode
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType
from hypothesis import given
from hypothesis import strategies as st
from tests.update.updates import APEX, request, update

from mailname.update.message import UpdateError, read_update
from mailname.wire.message import Request, read_request


def octets(name: str = "www.example.tech.") -> bytes:
    return dns.name.from_text(name).to_wire() or b""


def message(*, zclass: int = 1, ztype: int = 6, records: bytes = b"", count: int = 1) -> bytes:
    header = struct.pack("!HHHHHH", 1, 5 << 11, 1, 0, count, 0)
    return header + octets("example.tech.") + struct.pack("!HH", ztype, zclass) + records


def record(rdclass: int, rdtype: int, rdata: bytes = b"", ttl: int = 0) -> bytes:
    return octets() + struct.pack("!HHIH", rdtype, rdclass, ttl, len(rdata)) + rdata


def outcome(read: Request) -> Rcode | None:
    try:
        read_update(read)
    except UpdateError as error:
        return error.rcode
    return None


class TestMessage:
    def test_is_read_with_its_prerequisites_and_changes(self) -> None:
        read = update(
            lambda one: one.present("www"),
            lambda one: one.absent("www", "TXT"),
            lambda one: one.present("www", "CNAME", "mail"),
            lambda one: one.add("_acme-challenge", 60, "TXT", "token"),
            lambda one: one.delete("www", "CNAME", "mail"),
            lambda one: one.delete("www", "CNAME"),
            lambda one: one.delete("www"),
        )
        assert read.zone == APEX
        shown = [(int(one.rdclass), one.rdtype.name, one.ttl, one.rdata is None) for one in read.prerequisites]
        assert shown == [(255, "ANY", 0, True), (254, "TXT", 0, True), (1, "CNAME", 0, False)]
        shown = [(int(one.rdclass), one.rdtype.name, one.ttl, one.rdata is None) for one in read.changes]
        assert shown == [(1, "TXT", 60, False), (254, "CNAME", 0, False), (255, "CNAME", 0, True), (255, "ANY", 0, True)]
        assert str(read.changes[0]) == "_acme-challenge.example.tech. TXT"

    @pytest.mark.parametrize(
        ("wire", "rcode"),
        [
            (message(ztype=RdataType.A, count=0), Rcode.FORMERR),
            (message(zclass=RdataClass.CH, count=0), Rcode.NOTAUTH),
            (message(), Rcode.FORMERR),  # a record is missing: read_request sees it first
            (message(records=record(1, RdataType.A, b"abc")), Rcode.FORMERR),
            (message(records=record(254, RdataType.MX, b"\0\1\xc0\xff")), Rcode.FORMERR),
            (message(records=record(1, RdataType.TXT, b"\5a")), Rcode.FORMERR),
        ],
    )
    def test_malformed_has_its_rcode(self, wire: bytes, rcode: Rcode) -> None:
        read = read_request(wire)
        if not isinstance(read, Request):
            assert read.reply is not None
            assert read.reply[3] & 15 == rcode
            return
        with pytest.raises(UpdateError) as told:
            read_update(read)
        assert told.value.rcode == rcode

    def test_names_in_rdata_may_be_compressed(self) -> None:
        wire = message(records=record(1, RdataType.CNAME, b"\xc0\x0c", ttl=5))
        assert str(read_update(request(wire)).changes[0].rdata) == "example.tech."

    @given(st.binary(max_size=60), st.integers(0, 3), st.integers(0, 3))
    def test_any_octets_are_read_or_refused(self, records: bytes, prerequisites: int, changes: int) -> None:
        wire = bytearray(message(records=records))
        wire[6:10] = struct.pack("!HH", prerequisites, changes)
        read = read_request(bytes(wire))
        if isinstance(read, Request):
            assert outcome(read) in (None, Rcode.FORMERR)
