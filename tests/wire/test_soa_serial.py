"""The serial that NOTIFY and IXFR queries tell."""

from __future__ import annotations

import dns.message
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailname.wire.soa_serial import serial_in

_SOA = "ns1.example.tech. hostmaster.example.tech. 4294967295 7200 3600 1209600 300"


def _message(section: str, *records: str) -> bytes:
    message = dns.message.make_query("example.tech.", "IXFR", use_edns=False)
    for record in records:
        rdtype, rdata = record.split(" ", 1)
        getattr(message, section).append(dns.rrset.from_text("example.tech.", 60, "IN", rdtype, rdata))
    return message.to_wire()


class TestSerialIn:
    def test_is_that_of_the_section(self) -> None:
        """RFC 1996 section 3.7 has it in the answer, RFC 1995 section 3 in the authority section."""
        assert serial_in(_message("authority", f"SOA {_SOA}"), "authority") == 4294967295
        assert serial_in(_message("authority", f"SOA {_SOA}"), "answer") is None
        assert serial_in(_message("answer", f"SOA {_SOA}"), "answer") == 4294967295
        assert serial_in(_message("answer", f"SOA {_SOA}"), "authority") is None

    def test_other_records_are_passed_over(self) -> None:
        assert serial_in(_message("authority", "NS ns1.example.tech.", f"SOA {_SOA}"), "authority") == 4294967295
        assert serial_in(_message("authority", "NS ns1.example.tech."), "authority") is None

    def test_a_soa_too_short_for_its_numbers_tells_nothing(self) -> None:
        wire = bytearray(_message("authority", f"SOA {_SOA}"))
        short = wire[:-40]
        short[short.rfind(b"\0\0\0\x3c") + 4 : short.rfind(b"\0\0\0\x3c") + 6] = (21).to_bytes(2)
        begins = short.rfind(b"\0\0\0\x3c") + 6
        assert serial_in(bytes(short[:begins] + bytes(21)), "authority") is None

    @pytest.mark.parametrize("cut", range(12, 60, 3))
    def test_what_is_cut_short_tells_nothing(self, cut: int) -> None:
        assert serial_in(_message("authority", f"SOA {_SOA}")[:cut], "authority") is None

    @given(st.binary(max_size=80))
    def test_no_octets_raise(self, wire: bytes) -> None:
        told = serial_in(wire, "answer"), serial_in(wire, "authority")
        assert all(one is None or 0 <= one < 1 << 32 for one in told)
