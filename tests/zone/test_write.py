from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING, Any

import dns.name
import dns.rdata
import pytest
from dns.rdatatype import RdataType
from hypothesis import given
from tests.strategies import APEX, rdata, zones

from mailname.zone import Zone, ZoneBuilder
from mailname.zone.text import read_zone
from mailname.zone.write import rdata_to_text, write_zone

if TYPE_CHECKING:
    from dns.name import Name
    from dns.rdata import Rdata

HEAD = "$TTL 86400\n@ SOA ns1 hostmaster 2026112200 7200 900 1209600 3600\n@ NS ns2\n@ NS ns1\n"


def written(text: str, apex: Name = APEX, header: str = "") -> str:
    return write_zone(read_zone(text, "f", apex).zone, header=header)


class TestWriteZone:
    def test_is_what_a_person_would_write(self) -> None:
        """The apex first, name servers as published, owners once, columns in line, times explained."""
        text = HEAD + "www A 192.0.2.1\nmail 300 A 192.0.2.2\nmail AAAA 2001:db8::2\n@ MX 10 mail\nwww.sub CNAME WWW\n"
        expected = """\
            ; Made for a test.
            ;
            ; By hand.
            $ORIGIN example.tech.
            $TTL 86400              ; 1 day
            @           IN SOA   ns1 hostmaster (
                                 2026112200 ; serial
                                 7200       ; refresh (2 hours)
                                 900        ; retry (15 minutes)
                                 1209600    ; expire (2 weeks)
                                 3600       ; minimum (1 hour)
                                 )
                        IN NS    ns2
                        IN NS    ns1
                        IN MX    10 mail
            mail    300 IN A     192.0.2.2
                        IN AAAA  2001:db8::2
            www.sub     IN CNAME WWW
            www         IN A     192.0.2.1
            """
        assert written(text, header="Made for a test.\n\nBy hand.") == dedent(expected)

    def test_spreads_long_records(self) -> None:
        """Each string of a long TXT, and what fits of long digits, on a line of its own; the record stays what it is."""
        key = "A" * 200
        lines = written(
            HEAD + f'k TXT "v=DKIM1; k=rsa; " "p={key}"\nd TYPE65280 \\# 120 {"ab" * 120}\none TXT {key}'
        ).splitlines()
        txt = next(number for number, line in enumerate(lines) if line.startswith("k "))
        assert lines[txt].endswith('( "v=DKIM1; k=rsa; "')
        assert lines[txt + 1].strip() == f'"p={key}" )'
        assert any(line.endswith(f'"{key}"') and "(" not in line for line in lines)

    def test_lets_a_long_owner_push_its_own_line_only(self) -> None:
        text = written(HEAD + "a" * 40 + " A 192.0.2.1\nb A 192.0.2.2")
        assert "\n" + "a" * 40 + " IN A   192.0.2.1\n" in text
        assert "\nb IN A   192.0.2.2\n" in text

    def test_keeps_case(self) -> None:
        """RFC 4343 section 4.1; a name whose apex is spelled in its own way is written whole."""
        text = written(HEAD + "MiXed CNAME TarGet\nwww.EXAMPLE.tech. CNAME Mail.Example.Tech.\n")
        assert "MiXed" in text
        assert "TarGet" in text
        assert "www.EXAMPLE.tech. IN CNAME Mail.Example.Tech." in text

    def test_of_the_root_zone_reads_back(self) -> None:
        zone = read_zone("$TTL 5\n. SOA a. b. 1 2 3 4 5\n. NS a.\na. A 192.0.2.1\ntech. NS ns.tech.", "f", dns.name.root).zone
        assert read_zone(write_zone(zone), "f", dns.name.root).zone == zone

    @pytest.mark.parametrize("rdtype", [66, 67, 68, 261, 262])
    def test_writes_young_types_by_number(self, rdtype: int) -> None:
        """Name servers that people run do not know their names yet; RFC 3597 section 5 they all know."""
        builder = ZoneBuilder(APEX)
        for record in read_zone(HEAD, "f", APEX).zone.rrsets():
            builder.add(record.owner, record.ttl, record.rdatas[0])
        builder.add(APEX, 5, dns.rdata.GenericRdata(1, rdtype, b"\x01a"))  # type: ignore[arg-type]  # numbers as a peer sends them
        assert f"TYPE{rdtype}" in write_zone(builder.build())
        assert "\\# 2 0161" in write_zone(builder.build())

    @given(zones())
    def test_reads_back(self, zone: Zone) -> None:
        """The same zone, always: owners to the letter, records in their order, every type, no warning."""
        read = read_zone(write_zone(zone, header="; \n$TTL x"), "f", APEX)
        assert read.zone == zone
        assert read.warnings == ()
        for after, before in zip(read.zone.rrsets(), zone.rrsets(), strict=True):
            assert after.owner.labels == before.owner.labels
            assert [one.to_wire() for one in after.rdatas] == [one.to_wire() for one in before.rdatas]


class TwoLines(dns.rdata.GenericRdata):
    """Rdata whose own text would break the file."""

    def to_text(self, *args: Any, **keywords: Any) -> str:
        return "\\# 1\n00"


class TestRdataToText:
    @given(rdata)
    def test_is_text_for_every_rdata(self, one: Rdata) -> None:
        assert rdata_to_text(one, APEX)

    def test_is_generic_where_the_types_own_text_loses_something(self) -> None:
        """RFC 3597 section 5: an OPENPGPKEY without a key has no text of its own."""
        empty = dns.rdata.from_wire("IN", "TLSA", b"\x03\x01\x00", 0, 3)
        assert rdata_to_text(empty, APEX) == "\\# 3 030100"
        assert rdata_to_text(TwoLines("IN", 65280, b"\x00"), APEX) == "\\# 1 00"  # type: ignore[arg-type]  # a type without a name
        assert rdata_to_text(dns.rdata.from_text("IN", RdataType.SPF, '"x"'), APEX) == '"x"'
