"""A zone that is hard to transfer: unknown types, long and odd strings, odd names, a wildcard, records for several messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.name
import dns.query
import dns.rdatatype
import dns.tsig

if TYPE_CHECKING:
    from tests.interop.real_servers import Key, RealServer

#: owner, TTL, class, type, canonical rdata
Record = tuple[dns.name.Name, int, int, int, bytes]

_LONG = " ".join(f'"{letter * 255}"' for letter in "abcdefgh")
_DEEP = ".".join("x" * 63 for _ in range(3)) + "." + "y" * 30

# Refresh is a day: what arrives sooner was announced by NOTIFY.
_HEAD = """\
$TTL 3600
@ IN SOA ns1 hostmaster ( {serial} 86400 7200 1209600 1800 )
@ NS ns1
@ NS ns2.elsewhere.example.
@ A 192.0.2.80
@ AAAA 2001:db8::80
@ MX 10 mail
@ MX 20 MAIL2.Example.ORG.
@ TXT "v=spf1 mx -all"
@ CAA 0 issue "ca.example.net"
ns1 A 192.0.2.1
ns1 AAAA 2001:db8::1
mail A 192.0.2.25
"""
_ODD = f"""\
long TXT {_LONG}
empty TXT ""
binary TXT "\\000\\001\\034\\092\\255 \\195\\164; not a comment"
unknown TYPE65400 \\# 6 c0000000ffee
unknown TYPE65401 \\# 0
unknown-rdata TYPE65280 \\# 3 000102
* A 192.0.2.42
* MX 5 mail
*.deep.wild TXT "wild below an empty non-terminal"
a.b.c.d.e A 192.0.2.5
_submission._tcp SRV 0 1 587 mail
_25._tcp.mail TLSA 3 1 1 {"ab" * 32}
odd\\.dot A 192.0.2.6
odd\\032space TXT "a space in the owner"
odd\\000nul TXT "a zero octet in the owner"
\\@at TXT "an at sign"
UPPER.Case A 192.0.2.7
{_DEEP} A 192.0.2.8
host_name A 192.0.2.9
alias CNAME UPPER.Case
tree DNAME other.example.
sub NS ns.sub
sub DS 12345 13 2 {"cd" * 32}
ns.sub A 192.0.2.53
naptr NAPTR 100 10 "u" "E2U+sip" "!^.*$!sip:info@example.com!" .
loc LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m
svc HTTPS 1 . alpn=h2,h3 port=8443
ttl 0 A 192.0.2.10
ttl-big 2147483647 A 192.0.2.11
"""


def zone_text(serial: int, *, records: int = 0, more: str = "") -> str:
    """Return the zone's text.

    Args:
        serial: of the SOA.
        records: how many ordinary hosts to add.
        more: further lines.

    """
    hosts = "".join(f"host{number} A 198.51.{number // 250 % 250}.{number % 250}\n" for number in range(records))
    return _HEAD.format(serial=serial) + _ODD + hosts + more


def transfer(server: RealServer, zone: str, key: Key | None) -> frozenset[Record]:
    """Return all records of a zone as a server transfers them, names in lower case: who keeps the case is no matter here."""
    apex = dns.name.from_text(zone)
    query = dns.query.xfr(  # the old interface gives every record as it came
        server.address,
        apex,
        port=server.port,
        timeout=20,
        relativize=False,
        keyring={dns.name.from_text(key.name): dns.tsig.Key(key.name, key.secret, key.algorithm)} if key else None,
        keyname=dns.name.from_text(key.name) if key else None,
    )
    return frozenset(
        (rrset.name.canonicalize(), rrset.ttl, int(rrset.rdclass), int(rrset.rdtype), rdata.to_digestable())
        for message in query
        for rrset in message.answer
        for rdata in rrset
    )


def difference(one: frozenset[Record], other: frozenset[Record]) -> list[str]:
    """Say which records only one of two transfers holds; at most ten of each."""
    return [
        f"{side} {owner} {ttl} {dns.rdatatype.to_text(dns.rdatatype.RdataType.make(rdtype))} {rdata.hex()[:80]}"
        for side, records in (("only the first:", one - other), ("only the second:", other - one))
        for owner, ttl, _, rdtype, rdata in sorted(records)[:10]
    ]
