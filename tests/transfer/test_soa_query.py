"""The question for a zone's serial, in octets."""

from __future__ import annotations

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailname.transfer.soa_query import query, serial_of
from mailname.zone import Serial

APEX = dns.name.from_text("Example.tech.")
SOA = dns.rrset.from_text(APEX, 60, "IN", "SOA", "ns2.test. hostmaster.test. 7 3600 1 86400 60")


def answer(*records: dns.rrset.RRset, flags: int = dns.flags.QR | dns.flags.AA, asked: dns.name.Name = APEX) -> bytes:
    reply = dns.message.make_response(dns.message.from_wire(query(asked, 5, edns=True)))
    reply.answer = list(records)
    reply.flags = dns.flags.Flag(flags)
    return reply.to_wire()


class TestQuestion:
    @pytest.mark.parametrize("edns", [True, False])
    def test_is_what_it_says(self, edns: bool) -> None:
        """RFC 1034 section 4.3.5, RFC 6891."""
        read = dns.message.from_wire(query(APEX, 5, edns=edns))
        assert (read.id, read.flags, read.edns, read.question[0].to_text()) == (5, 0, edns - 1, "Example.tech. IN SOA")


class TestAnswer:
    def test_with_the_soa_alone_tells_its_serial(self) -> None:
        assert serial_of(answer(SOA), APEX) == Serial(7)
        assert serial_of(answer(SOA), dns.name.from_text("example.TECH.")) == Serial(7)

    @pytest.mark.parametrize(
        "other",
        [
            b"",
            answer(),
            answer(SOA, flags=dns.flags.QR),
            answer(SOA, flags=dns.flags.QR | dns.flags.AA | dns.flags.TC),
            answer(SOA, flags=dns.flags.QR | dns.flags.AA | dns.rcode.SERVFAIL),
            answer(SOA, flags=dns.flags.AA),
            answer(SOA, dns.rrset.from_text(APEX, 60, "IN", "NS", "ns1.test.")),
            answer(dns.rrset.from_text(APEX, 60, "IN", "NS", "ns1.test.")),
            answer(SOA, asked=dns.name.from_text("example.info.")),
            answer(SOA)[:60],
        ],
    )
    def test_that_is_another_is_for_who_reads_messages_whole(self, other: bytes) -> None:
        assert serial_of(other, APEX) is None

    @given(st.binary(max_size=120), st.integers(0, 70))
    def test_of_any_octets_raises_nothing(self, octets: bytes, at: int) -> None:
        """Nor does one that begins well."""
        assert serial_of(octets, APEX) is None
        serial_of(answer(SOA)[:at] + octets, APEX)
