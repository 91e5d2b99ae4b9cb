"""Reverse zones that were found, as tables of a plan."""

from __future__ import annotations

from ipaddress import ip_address

import dns.name
import pytest
from dns.rdatatype import RdataType
from tests.plan.marked_plans import GOOD

from mailname.imports.reverse_zones import home, join, prefix_of
from mailname.plan import expand, expand_all, load
from mailname.zone import Serial, Zone
from mailname.zone.text import read_zone

APEX = dns.name.from_text("2.0.192.in-addr.arpa")


def found(more: str, apex: dns.name.Name = APEX) -> Zone:
    """Return a reverse zone with the name servers of the plan."""
    forward = expand(load(GOOD, "p").plan, Serial(1))
    servers = forward.rrset(forward.apex, RdataType.NS)
    assert servers is not None
    text = "@ 3600 SOA a.example. h.example. 1 14400 3600 1209600 1800\n"
    text += "".join(f"@ 3600 NS {rdata.to_text()}\n" for rdata in servers.rdatas)
    return read_zone(text + more, "db", apex).zone


def names_in(text: str, apex: dns.name.Name) -> dict[str, str]:
    (zone,) = [one for one in expand_all(load(text, "p").plan, Serial(1)) if one.apex == apex]
    rrsets = [rrset for rrset in zone.rrsets() if rrset.rdtype == RdataType.PTR]
    return {rrset.owner.relativize(apex).to_text(): rrset.rdatas[0].to_text() for rrset in rrsets}


class TestPrefix:
    @pytest.mark.parametrize(
        ("apex", "prefix"),
        [
            ("2.0.192.in-addr.arpa", "192.0.2.0/24"),
            ("10.in-addr.arpa", "10.0.0.0/8"),
            ("8.b.d.0.1.0.0.2.ip6.arpa", "2001:db8::/32"),
            ("in-addr.arpa", "None"),
            ("1.2.0.192.in-addr.arpa", "None"),
            ("x.0.192.in-addr.arpa", "None"),
            ("zz.ip6.arpa", "None"),
            ("example.arpa", "None"),
        ],
    )
    def test_is_told_by_the_name(self, apex: str, prefix: str) -> None:
        """Octets of IPv4, nibbles of IPv6; anything else is none."""
        assert str(prefix_of(dns.name.from_text(apex))) == prefix


class TestJoin:
    def test_keeps_the_name_of_each_address(self) -> None:
        """Those that the plan makes by itself, and the others as a list."""
        joined = join(GOOD, "p", found("77 3600 PTR printer.example.net.\n"))
        assert joined.why_not == ""
        assert names_in(joined.text, APEX)["77"] == "printer.example.net."
        assert "printer.example.net" in joined.text
        assert "1 names" in joined.note
        again = found("".join(f"{owner} 3600 PTR {name}\n" for owner, name in names_in(joined.text, APEX).items()))
        assert names_in(join(GOOD, "p", again).text, APEX) == names_in(joined.text, APEX)

    def test_of_ipv6(self) -> None:
        """By its nibbles."""
        apex = dns.name.from_text("0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa")
        zone = found(f"7.{'0.' * 18}0 3600 PTR host.example.net.\n", apex)
        joined = join(GOOD, "p", zone)
        assert joined.why_not == ""
        assert str(ip_address("2001:db8::7")) in joined.text

    @pytest.mark.parametrize(
        "more",
        [
            "77 3600 PTR a.example.\n77 3600 PTR b.example.\n",
            "77 3600 CNAME 77.sub\n",
            "sub 3600 NS ns.example.\n",
            "@ 3600 TXT x\n",
        ],
    )
    def test_of_what_no_plan_expresses_is_told(self, more: str) -> None:
        """It stays a matter for a person."""
        joined = join(GOOD, "p", found(more))
        assert "no word for the rest" in joined.why_not
        assert joined.text == ""


class TestHome:
    def test_is_the_domain_with_the_same_servers_that_most_names_are_in(self) -> None:
        """None where no domain has them."""
        forward = expand(load(GOOD, "p").plan, Serial(1))
        assert home(found(f"77 3600 PTR x.{forward.apex}\n"), [forward]) is forward
        stranger = read_zone("@ 1 SOA a. b. 1 2 3 4 5\n@ 1 NS ns.stranger.example.\n", "db", APEX).zone
        assert home(stranger, [forward]) is None
