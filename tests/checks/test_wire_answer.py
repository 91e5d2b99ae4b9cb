"""The short way of reading and writing messages says what dnspython says."""

from __future__ import annotations

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rrset
import pytest
from dns.rdatatype import RdataType
from hypothesis import given
from hypothesis import strategies as st

from mailname.checks.wire_answer import question_of, read_answer, write_question

RECORDS = [
    ("example.tech.", 300, "IN", "NS", "ns1.example.tech.", "ns2.example.tech."),
    ("ns1.example.tech.", 60, "IN", "A", "192.0.2.1", "192.0.2.2"),
    ("ns1.example.tech.", 60, "IN", "AAAA", "2001:db8::1"),
    ("example.tech.", 60, "IN", "SOA", "ns1.example.tech. h.example.tech. 1 2 3 4 5"),
    ("example.tech.", 60, "IN", "MX", "10 mail.example.tech."),
    ("Example.tech.", 60, "IN", "TXT", '"v=spf1 -all" "x"'),
    ("www.example.tech.", 60, "IN", "CNAME", "other.example.tech."),
    ("example.tech.", 60, "IN", "DS", "1 13 2 " + "ab" * 32),
    ("example.tech.", 60, "CH", "TXT", '"chaos"'),
]


def message(picked: list[tuple[int, int]], *, rcode: int = 0, edns: bool = True) -> bytes:
    query = dns.message.make_query("example.tech.", "NS", use_edns=0 if edns else -1)
    reply = dns.message.make_response(query)
    reply.flags |= dns.flags.AA
    reply.set_rcode(dns.rcode.Rcode.make(rcode))
    for section, number in picked:
        owner, ttl, rdclass, rdtype, *rdatas = RECORDS[number]
        rrset = dns.rrset.from_text(str(owner), int(ttl), str(rdclass), str(rdtype), *map(str, rdatas))
        if rrset not in reply.sections[section]:
            reply.sections[section].append(rrset)
    return reply.to_wire()


class TestReading:
    @given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, len(RECORDS) - 1)), max_size=8), st.sampled_from([0, 1, 2, 3, 5]))
    def test_says_what_dnspython_says(self, picked: list[tuple[int, int]], rcode: int) -> None:
        wire = message(picked, rcode=rcode)
        theirs = dns.message.from_wire(wire)
        ours = read_answer(wire)
        assert ours is not None
        assert (ours.rcode, ours.aa, ours.tc, ours.edns) == (theirs.rcode(), True, False, True)
        for number, section in enumerate(ours.sections, 1):
            expected = {
                (rrset.name, rrset.ttl, rdata) for rrset in theirs.sections[number] if rrset.rdclass == 1 for rdata in rrset
            }
            assert {(record.owner, record.ttl, record.rdata) for record in section} == expected
            assert len(section) == len(expected)

    @given(st.binary(max_size=80))
    def test_of_any_octets_does_not_raise(self, wire: bytes) -> None:
        read_answer(wire)
        question_of(wire)

    @given(st.integers(0, 200), st.integers(0, 255))
    def test_of_a_spoiled_message_raises_nothing_and_accepts_no_more(self, at: int, octet: int) -> None:
        """What dnspython refuses is refused; trailing octets are let pass by both."""
        wire = bytearray(message([(1, 0), (3, 1), (2, 3)]))
        wire[at % len(wire)] = octet
        ours = read_answer(bytes(wire))
        try:
            theirs = dns.message.from_wire(bytes(wire), ignore_trailing=True)
        except (dns.exception.DNSException, ValueError):
            return
        assert ours is None or ours.rcode == theirs.rcode()

    def test_of_a_question_is_none(self) -> None:
        assert read_answer(dns.message.make_query("x.", "A").to_wire()) is None

    def test_takes_the_higher_bits_of_the_rcode_from_edns(self) -> None:
        """BADVERS is 16 (RFC 6891 section 6.1.3)."""
        answer = read_answer(message([], rcode=16))
        assert answer is not None
        assert answer.rcode == dns.rcode.BADVERS


class TestWriting:
    @pytest.mark.parametrize("recurse", [True, False])
    @pytest.mark.parametrize("payload", [1232, None])
    def test_writes_what_dnspython_writes(self, recurse: bool, payload: int | None) -> None:
        flags = dns.flags.RD if recurse else 0
        name = dns.name.from_text("example.tech.")
        theirs = dns.message.make_query(
            name, "MX", use_edns=-1 if payload is None else 0, payload=payload or 0, flags=flags, id=4711
        )
        assert write_question(4711, name, RdataType.MX, recurse=recurse, payload=payload) == theirs.to_wire()

    @pytest.mark.parametrize("version", [0, 1])
    def test_writes_options_and_another_version(self, version: int) -> None:
        option = dns.edns.GenericOption(dns.edns.OptionType.make(65001), b"")
        name = dns.name.from_text("example.tech.")
        theirs = dns.message.make_query(name, "SOA", use_edns=version, payload=4096, flags=0, id=4711, options=[option])
        octets = bytes.fromhex("fde90000")
        ours = write_question(4711, name, RdataType.SOA, recurse=False, payload=4096, options=octets, version=version)
        assert ours == theirs.to_wire()


class TestExpire:
    @pytest.mark.parametrize(
        ("octets", "seconds"),
        [("000900040000000a", 10), ("00090000", None), ("000a0001000009000400000001", 1), ("0009", None)],
    )
    def test_is_read_where_it_says_something(self, octets: str, seconds: int | None) -> None:
        """RFC 7314 section 3; it may follow other options."""
        reply = dns.message.make_query("x.", "SOA", use_edns=False)
        reply.flags |= dns.flags.QR
        wire = bytearray(reply.to_wire())
        wire[11] = 1
        options = bytes.fromhex(octets)
        answer = read_answer(bytes(wire) + b"\0" + bytes.fromhex("002904d000000000") + len(options).to_bytes(2, "big") + options)
        assert answer is not None
        assert (answer.edns, answer.expire) == (True, seconds)


class TestQuestion:
    def test_is_the_same_in_any_letters(self) -> None:
        """A server may change the case (0x20)."""
        one = dns.message.make_query("Example.TECH.", "MX").to_wire()
        other = dns.message.make_query("example.tech.", "MX").to_wire()
        assert question_of(one) == question_of(other) != b""
        assert question_of(dns.message.make_query("example.tech.", "NS").to_wire()) != question_of(other)
