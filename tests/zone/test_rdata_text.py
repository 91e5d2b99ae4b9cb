from __future__ import annotations

from typing import TYPE_CHECKING

import dns.rdatatype
import pytest
from tests.strategies import APEX

from mailname.zone.rdata_text import TokenFeed, Unreadable
from mailname.zone.scan import scan
from mailname.zone.text import read_records

if TYPE_CHECKING:
    from mailname.errors import Mistake


def mistake_in(rdata: str) -> Mistake:
    """Return the one mistake in ``TYPE data``; columns count from the type."""
    (mistake,) = read_records("@ " + rdata, "f", APEX, default_ttl=60, column_offset_first_line=-2).mistakes
    return mistake


class TestTokenFeed:
    def test_reads_a_record(self) -> None:
        (entry,) = scan('1 . alpn="h2,h3" port=443', "f")
        rdata = TokenFeed().read(dns.rdatatype.HTTPS, entry.tokens, APEX)
        assert rdata.to_text() == '1 . alpn="h2,h3" port="443"'

    def test_reads_names_without_quotes_only(self) -> None:
        (entry,) = scan('"ns1"', "f")
        with pytest.raises(Unreadable, match="in quotes"):
            TokenFeed().name(entry.tokens[0], APEX)


class TestMistakes:
    @pytest.mark.parametrize(
        ("rdata", "column", "problem", "remedy"),
        [
            ("A 192.0.2.300", 3, "192.0.2.300 is not an IPv4 address.", "A 192.0.2.1"),
            ("A 2001:db8::1", 3, "2001:db8::1 is not an IPv4 address.", "Use AAAA for an IPv6 address."),
            ("A mail.example.tech.", 3, "mail.example.tech. is not an IPv4 address.", "use CNAME"),
            ("A", 2, "the A record ends here, but something is missing.", "A 192.0.2.1"),
            ("A 192.0.2.1 192.0.2.2", 13, "192.0.2.2 is too much: the A record is complete before it.", "A 192.0.2.1"),
            ('A "192.0.2.1"', 3, "192.0.2.1 is in quotes, but a word belongs here.", "without quotes"),
            ("AAAA 192.0.2.1", 6, "192.0.2.1 is not an IPv6 address.", "Use A for an IPv4 address."),
            ("AAAA mail", 6, "mail is not an IPv6 address.", "AAAA 2001:db8::1"),
            ("MX mail", 4, "mail is not a whole number.", "MX 10 mail"),
            ("MX 10", 6, "the MX record ends here, but something is missing.", "MX 10 mail"),
            ("MX 65536 mail", 4, "65536 is too large: at most 65535 can stand here.", "MX 10 mail"),
            ('MX "10" mail', 4, "10 is in quotes, but a number belongs here.", "without quotes"),
            ("MX -1 mail", 4, "-1 is not a whole number.", "MX 10 mail"),
            ("MX 10 mail..example", 7, "mail..example is not a name: it has two dots in a row.", "single dots"),
            ('NS "ns1"', 4, '"ns1" is in quotes, but a name belongs here.', "without quotes"),
            ("CNAME b\u00fccher", 7, "bücher is not a name in ASCII.", "xn--bcher-kva"),
            ("SOA ns1 h 1 2x 3 4 5", 13, "2x is not a time.", "1h30m"),
            ("SOA ns1 h 4294967296 2 3 4 5", 11, "4294967296 is too large: at most 4294967295 can stand here.", "SOA ns1"),
            ("SOA ns1 h 1 2 3 4", 18, "the SOA record ends here, but something is missing.", "SOA ns1"),
            ('SOA ns1 h 1 "2" 3 4 5', 13, "2 is in quotes, but a time in seconds belongs here.", "without quotes"),
            ("DS 1 13 256 00", 9, "256 is too large: at most 255 can stand here.", "DS key-tag"),
            ("DS 1 13 2 xyz", 11, "xyz is wrong: these are not whole octets in hexadecimal or base64.", "DS key-tag"),
            ("DS 1 13 2", 10, "the DS record ends here, but something is missing.", "DS key-tag"),
            ('DS 1 13 2 "00"', 11, "00 is in quotes, but a word of digits belongs here.", "without quotes"),
            ("TXT", 4, "the TXT record ends here, but something is missing.", 'TXT "text"'),
            (f'TXT a "{"l" * 256}" b', 7, "this string is longer than 255 octets.", '"first part" "second part"'),
            ("TXT a\\300", 5, "a backslash in a\\300 is not followed by a character", "for a quote"),
            ("TXT \udce4", 5, "'\\udce4' contains octets that are not UTF-8.", "in decimal"),
            (f'HINFO "{"l" * 256}" b', 7, "this string is 256 octets long; at most 255 can stand here.", "shorten"),
            ('CAA 0 issue"', 12, "this quoted string does not end on its line.", "Close it"),
            ("CAA 0 is-sue x", 14, "x is wrong in this CAA record: tag is not alphanumeric.", "CAA 0 issue"),
            ("NSEC b A CNMAE MX", 10, "CNMAE is wrong in this NSEC record: DNS resource record type is unknown.", "made of"),
            ("APL 1:192.0.2.0/24 x", 20, "x is wrong in this APL record", "made of"),
            (
                "TYPE65280 \\# 3 0102",
                16,
                "0102 is wrong in this TYPE65280 record: generic rdata hex data has wrong length.",
                "made of",
            ),
            ("TYPE65280 0102", 11, "0102 is wrong in this TYPE65280 record: generic rdata does not start with \\#.", "made of"),
            ("A \\# 3 010203", 8, "010203 is not an IPv4 address.", "A 192.0.2.1"),
            ("LOC 91 N 0 E 0m", 14, "0m is wrong in this LOC record", "made of"),
            ("HTTPS 1 . alpn= h2", 11, "alpn= is wrong in this HTTPS record: whitespace after =.", "HTTPS 1"),
            ("SSHFP 4 2", 10, "the SSHFP record ends here", "SSHFP algorithm"),
        ],
    )
    def test_are_told_plainly(self, rdata: str, column: int, problem: str, remedy: str) -> None:
        """The column is that of the token at fault, or just after the last when one is missing."""
        mistake = mistake_in(rdata)
        assert mistake.problem.startswith(problem)
        assert remedy in mistake.remedy
        assert mistake.at.column == column
