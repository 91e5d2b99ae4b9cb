"""What is known of a zone from the configuration around it."""

from __future__ import annotations

from ipaddress import ip_address

import dns.name

from mailname.imports.clauses import read_clauses
from mailname.imports.found_zone import FoundZone, found_in_text
from mailname.imports.named_conf import Configuration, read_configuration
from mailname.imports.takeover import Surroundings, Takeover, hidden, name_of

APEX = dns.name.from_text("example.tech")
TEXT = """\
@   3600 SOA ns2 hostmaster 1 14400 3600 1209600 1800
@   3600 NS  ns1.hoster.example.
@   3600 NS  ns2
ns2 3600 A   192.0.2.2
"""
HOSTER = "@ 3600 SOA ns1 h 1 14400 3600 1209600 1800\n@ 3600 NS ns1\nns1 3600 A 192.0.2.1\nns1 3600 AAAA 2001:db8::1\n"
SECRET = "dGhpcyBzZWNyZXQgaXMgcHVibGljLCBvbmx5IGZvciB0ZXN0cw=="


def zone(text: str = TEXT, apex: dns.name.Name = APEX) -> FoundZone:
    return found_in_text(text, "db", apex, lambda _: ("", ""))


def configuration(text: str) -> Configuration:
    return read_configuration(read_clauses(text, "named.conf", lambda *_: []))


def around(text: str, *others: FoundZone, engine: str = "") -> Surroundings:
    """Return what a configuration with one zone says around it."""
    read = configuration(text)
    return Takeover((zone(), *others), {}, None, read.keys, engine).around(zone(), read.zones[0])


def primary(more: str = "", keys: str = "") -> str:
    return f'{keys}zone "example.tech" {{ type primary; file "db"; {more} }};'


class TestAddresses:
    def test_come_from_other_zones(self) -> None:
        """A name server's address stands in its own zone; what was given goes before."""
        hoster = zone(HOSTER, dns.name.from_text("hoster.example"))
        name = dns.name.from_text("ns1.hoster.example")
        assert around(primary(), hoster).known.addresses[name] == (ip_address("192.0.2.1"), ip_address("2001:db8::1"))
        given = Takeover((zone(), hoster), {name: (ip_address("192.0.2.9"),)}, name).around(zone(), None)
        assert given.known.addresses[name] == (ip_address("192.0.2.9"),)
        assert given.known.primary == name

    def test_that_nobody_knows_may_be_among_those_that_are_served(self) -> None:
        """They are named, for the one who asks."""
        read = configuration(primary("allow-transfer { 192.0.2.2; 203.0.113.7; localhost; };"))
        assert hidden(zone(), read.zones[0]) == "203.0.113.7"


class TestPrimary:
    def test_of_a_secondary_is_whom_it_asks(self) -> None:
        """By the address of one of the name servers."""
        text = 'zone "example.tech" { type slave; masters { 192.0.2.2; }; file "db"; };'
        assert around(text).known.primary == dns.name.from_text("ns2.example.tech")
        assert around(text.replace("192.0.2.2", "192.0.2.77")).known.primary is None


class TestKey:
    KEY = f'key "transfer." {{ algorithm hmac-sha512; secret "{SECRET}"; }};\n'

    def test_is_the_one_of_transfers(self) -> None:
        """With its algorithm; a key for updates is another."""
        known = around(primary("allow-transfer { key transfer; }; allow-update { key acme; };", self.KEY)).known
        assert (known.key, known.algorithm, known.updates) == ("transfer", "hmac-sha512", ("acme",))

    def test_is_named_where_there_was_none(self) -> None:
        """The plan's transfers are signed: deploy makes it. A server alone has nobody to transfer to."""
        found = around(primary("allow-transfer { 192.0.2.1; };"))
        assert found.known.key == "transfer.example.tech"
        assert "Transfers are not signed there" in found.notes[0]
        alone = found_in_text(HOSTER, "db", dns.name.from_text("hoster.example"), lambda _: ("", ""))
        read = configuration('zone "hoster.example" { type primary; file "db"; };')
        assert Takeover((alone,)).around(alone, read.zones[0]).known.key == ""

    def test_of_an_old_algorithm_is_not_taken(self) -> None:
        """It is told with what to do, and without its secret."""
        found = around(primary("allow-transfer { key transfer; };", self.KEY.replace("hmac-sha512", "hmac-md5")))
        assert found.known.key == ""
        assert "mailname key make transfer" in " ".join(found.notes)
        assert SECRET not in str(found)

    def test_that_is_not_there_or_one_of_several_is_told(self) -> None:
        found = around(primary("allow-transfer { key missing; key another; };"))
        assert found.known.key == "missing"
        assert ["Several keys" in found.notes[0], "bring its file along" in found.notes[1]] == [True, True]


class TestNotes:
    def test_tell_who_else_may_transfer(self) -> None:
        """Anybody, or an address that is no name server's; each once, and not those that the plan has."""
        found = around(primary("allow-transfer { any; 192.0.2.2; 203.0.113.7; 203.0.113.7; !192.0.2.8; };"))
        told = [note for note in found.notes if "may transfer" in note]
        assert [note.split(": ", 1)[1].split(" may")[0] for note in told] == ["anybody", "203.0.113.7"]

    def test_tell_of_updates(self) -> None:
        """By a key, which the plan can say, and by address, which it cannot."""
        assert "Narrow [[update]]" in " ".join(around(primary("allow-update { key acme; };")).notes)
        assert "without a TSIG key" in " ".join(around(primary("allow-update { 192.0.2.0/24; };")).notes)


class TestEngine:
    def test_goes_into_the_plan(self) -> None:
        """For each name server; and a zone from no configuration has it, too."""
        assert around(primary(), engine="bind").known.engine == "bind"
        assert Takeover((zone(),), engine="knot").around(zone(), None).known.engine == "knot"


class TestName:
    def test_that_is_none_is_none(self) -> None:
        assert name_of("Example.TECH") == APEX
        assert name_of("a..b") is None
