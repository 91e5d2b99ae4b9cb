from __future__ import annotations

from typing import TYPE_CHECKING

import dns.name
import dns.rdata
import pytest
from dns.rdatatype import RdataType
from hypothesis import given
from tests.strategies import APEX, names_below, zones

from mailname.errors import ZoneError
from mailname.zone import Kind, Serial, Zone, ZoneBuilder
from mailname.zone.text import read_zone

if TYPE_CHECKING:
    from dns.name import Name

TEXT = """
$TTL 3600
@            SOA   ns1 hostmaster 2016060100 7200 900 1209600 1800
             NS    ns1
             MX    10 mail
ns1          A     192.0.2.1
mail         A     192.0.2.2
WWW          CNAME mail
a.ent        A     192.0.2.3
*.wild       MX    10 mail
sub.wild     A     192.0.2.4
deep.ent.wild A    192.0.2.5
*.alias      CNAME mail
x.*.entwild  A     192.0.2.6
child        NS    ns1.child
             DS    1 13 1 0123456789abcdef0123456789abcdef01234567
ns1.child    A     192.0.2.7
a.b.child    NS    ns.example.net.
other        DNAME example.net.
             A     192.0.2.8
below.other  A     192.0.2.9
*            TXT   "anything"
"""


def name(text: str) -> Name:
    return dns.name.from_text(text, APEX)


def zone_of(text: str, apex: Name = APEX) -> Zone:
    return read_zone(text, "test.zone", apex).zone


class TestLookup:
    ZONE = zone_of(TEXT)

    @pytest.mark.parametrize(
        ("question", "kind", "source", "found", "closest_encloser"),
        [
            # RFC 1034 section 4.3.2: what is there, and what is not
            ("@ MX", Kind.EXACT, "@", "MX", "@"),
            ("@ A", Kind.NODATA, "@", "", "@"),
            ("MAIL A", Kind.EXACT, "mail", "A", "mail"),
            ("mail AAAA", Kind.NODATA, "mail", "", "mail"),
            ("www A", Kind.ALIAS, "www", "CNAME", "www"),
            ("www CNAME", Kind.EXACT, "www", "CNAME", "www"),
            ("ent A", Kind.EMPTY_NON_TERMINAL, "", "", "ent"),
            ("example.net. A", Kind.OUT_OF_ZONE, "", "", "@"),
            ("tech. A", Kind.OUT_OF_ZONE, "", "", "@"),
            # RFC 4592: only the closest encloser's wildcard
            ("nothing TXT", Kind.WILDCARD, "*", "TXT", "@"),
            ("nothing A", Kind.WILDCARD, "*", "", "@"),
            ("no.thing TXT", Kind.WILDCARD, "*", "TXT", "@"),
            ("x.ent TXT", Kind.NXDOMAIN, "", "", "ent"),
            ("x.mail TXT", Kind.NXDOMAIN, "", "", "mail"),
            ("x.wild MX", Kind.WILDCARD, "*.wild", "MX", "wild"),
            ("x.y.wild MX", Kind.WILDCARD, "*.wild", "MX", "wild"),
            ("sub.wild MX", Kind.NODATA, "sub.wild", "", "sub.wild"),
            ("x.sub.wild MX", Kind.NXDOMAIN, "", "", "sub.wild"),
            ("ent.wild MX", Kind.EMPTY_NON_TERMINAL, "", "", "ent.wild"),
            ("x.ent.wild MX", Kind.NXDOMAIN, "", "", "ent.wild"),
            ("*.wild MX", Kind.EXACT, "*.wild", "MX", "*.wild"),
            ("x.*.wild MX", Kind.NXDOMAIN, "", "", "*.wild"),
            ("x.alias A", Kind.WILDCARD, "*.alias", "CNAME", "alias"),
            ("x.entwild A", Kind.WILDCARD, "*.entwild", "", "entwild"),
            # delegations: RFC 1034 section 4.2.1, RFC 4035 section 3.1.4.1
            ("child A", Kind.DELEGATION, "child", "NS", "child"),
            ("child NS", Kind.DELEGATION, "child", "NS", "child"),
            ("child DS", Kind.EXACT, "child", "DS", "child"),
            ("x.child DS", Kind.DELEGATION, "child", "NS", "child"),
            ("ns1.child A", Kind.DELEGATION, "child", "NS", "child"),
            ("ns1.child DS", Kind.DELEGATION, "child", "NS", "child"),
            ("a.b.child A", Kind.DELEGATION, "child", "NS", "child"),
            # RFC 6672: the owner itself is not redirected, all below it is, also what stands there
            ("other A", Kind.EXACT, "other", "A", "other"),
            ("other MX", Kind.NODATA, "other", "", "other"),
            ("x.other A", Kind.DNAME, "other", "DNAME", "other"),
            ("x.y.other DNAME", Kind.DNAME, "other", "DNAME", "other"),
            ("below.other A", Kind.DNAME, "other", "DNAME", "other"),
        ],
    )
    def test_of(self, question: str, kind: Kind, source: str, found: str, closest_encloser: str) -> None:
        """One walk from the apex down finds the answer, the source of it and the closest encloser."""
        owner, rdtype = question.split()
        lookup = self.ZONE.lookup(name(owner), RdataType[rdtype])
        assert lookup.kind is kind
        assert (lookup.node.owner if lookup.node else None) == (name(source) if source else None)
        assert (lookup.rrset.rdtype.name if lookup.rrset else "") == found
        assert lookup.closest_encloser == name(closest_encloser)

    def test_below_a_dname_at_the_apex_is_redirected(self) -> None:
        """A whole zone may be redirected; its apex still answers for itself. RFC 6672 section 2.3."""
        zone = zone_of("$TTL 1\n@ SOA ns1 h 1 1 1 1 1\n NS ns.example.net.\n DNAME example.net.\nhidden A 192.0.2.1")
        assert zone.lookup(name("hidden"), RdataType.A).kind is Kind.DNAME
        assert zone.lookup(APEX, RdataType.NS).kind is Kind.EXACT

    def test_in_the_root_zone(self) -> None:
        zone = zone_of("$TTL 1\n. SOA a.root. h. 1 1 1 1 1\n. NS a.root.\na.root. A 192.0.2.1\ntech. NS ns.tech.", dns.name.root)
        assert zone.lookup(dns.name.root, RdataType.NS).kind is Kind.EXACT
        assert zone.lookup(name("mail"), RdataType.MX).kind is Kind.DELEGATION
        assert zone.lookup(dns.name.from_text("example."), RdataType.MX).closest_encloser == dns.name.root

    @given(zones(), names_below())
    def test_finds_each_name_once(self, zone: Zone, asked: Name) -> None:
        """Every question has an answer, and the closest encloser is a name of the zone at or above the question."""
        lookup = zone.lookup(asked, RdataType.A)
        assert zone.node(lookup.closest_encloser) is not None
        assert asked.is_subdomain(lookup.closest_encloser)


class TestZone:
    ZONE = zone_of(TEXT)

    def test_tells_its_serial_and_negative_ttl(self) -> None:
        """RFC 2308 section 5: the lesser of the SOA's TTL and its minimum."""
        assert self.ZONE.serial == Serial(2016060100)
        assert self.ZONE.negative_ttl == 1800
        assert self.ZONE.record_count == 20
        assert repr(self.ZONE) == "<Zone example.tech. serial 2016060100, 20 records>"

    def test_iterates_in_canonical_order(self) -> None:
        """RFC 4034 section 6.1; empty non-terminals are nodes without RRsets."""
        owners = [node.owner for node in self.ZONE.nodes()]
        assert owners == sorted(owners)
        assert owners[0] == APEX
        assert [str(node.owner) for node in self.ZONE.nodes() if not node.rrsets] == [
            "alias.example.tech.",
            "b.child.example.tech.",
            "ent.example.tech.",
            "entwild.example.tech.",
            "*.entwild.example.tech.",
            "wild.example.tech.",
            "ent.wild.example.tech.",
        ]
        assert next(self.ZONE.rrsets()).rdtype == RdataType.SOA

    def test_keeps_case_and_finds_without_it(self) -> None:
        """RFC 4343: case is preserved, and never compared."""
        node = self.ZONE.node(name("www"))
        assert node is not None
        assert node.owner.labels[0] == b"WWW"
        assert self.ZONE.rrset(name("wWw"), RdataType.CNAME) is not None
        assert self.ZONE.rrset(name("www"), RdataType.A) is None
        assert self.ZONE.rrset(name("nothing"), RdataType.A) is None

    @pytest.mark.parametrize(
        ("owner", "cut"),
        [("@", ""), ("mail", ""), ("nothing", ""), ("child", "child"), ("ns1.child", "child"), ("x.a.b.child", "child")],
    )
    def test_knows_what_is_delegated(self, owner: str, cut: str) -> None:
        """The highest cut counts: what lies below it is not this zone's."""
        delegation = self.ZONE.delegation(name(owner))
        assert (delegation.owner if delegation else None) == (name(cut) if cut else None)
        assert self.ZONE.is_below_cut(name(owner)) is bool(cut)

    def test_equals_a_zone_with_the_same_records(self) -> None:
        """The order of records and the case of owners make no difference; a TTL does."""
        shuffled = "\n".join(["$TTL 3600", "@ MX 10 mail", "@ NS ns1", "@ SOA ns1 h 1 2 3 4 5", "NS1 A 192.0.2.1"])
        one = zone_of("$TTL 3600\n@ SOA ns1 h 1 2 3 4 5\n@ NS ns1\n@ MX 10 mail\nns1 A 192.0.2.1")
        assert zone_of(shuffled) == one
        assert hash(zone_of(shuffled)) == hash(one)
        assert zone_of(shuffled.replace("MX", "60 MX")) != one
        assert one != self.ZONE
        assert one != "example.tech."


class TestZoneBuilder:
    @staticmethod
    def _builder() -> ZoneBuilder:
        builder = ZoneBuilder(APEX)
        builder.add(APEX, 60, dns.rdata.from_text("IN", "SOA", "ns1.example.tech. h.example.tech. 1 2 3 4 5"))
        builder.add(APEX, 60, dns.rdata.from_text("IN", "NS", "ns1.example.tech."))
        return builder

    def test_drops_a_duplicate(self) -> None:
        """RFC 2181 section 5."""
        builder = self._builder()
        assert builder.add(APEX, 60, dns.rdata.from_text("IN", "NS", "NS1.example.tech."))
        assert builder.build().record_count == 2

    def test_gives_an_rrset_the_ttl_of_its_first_record(self) -> None:
        """RFC 2181 section 5.2 wants one."""
        builder = self._builder()
        assert not builder.add(APEX, 61, dns.rdata.from_text("IN", "NS", "ns2.example.tech."))
        rrset = builder.build().rrset(APEX, RdataType.NS)
        assert rrset is not None
        assert (rrset.ttl, len(rrset)) == (60, 2)

    def test_takes_a_ttl_with_the_highest_bit_as_zero(self) -> None:
        """RFC 2181 section 8."""
        builder = self._builder()
        builder.add(name("a"), 2**31, dns.rdata.from_text("IN", "A", "192.0.2.1"))
        rrset = builder.build().rrset(name("a"), RdataType.A)
        assert rrset is not None
        assert rrset.ttl == 0

    @pytest.mark.parametrize(
        ("owner", "rdtype", "rdata", "problem"),
        [
            ("example.net.", "A", "192.0.2.1", "example.net. is not in the zone example.tech."),
            ("a", "SOA", ". . 1 2 3 4 5", "a.example.tech. has a SOA record, but is not the apex"),
            ("@", "SOA", ". . 1 2 3 4 5", "example.tech. has a second SOA record"),
        ],
    )
    def test_refuses(self, owner: str, rdtype: str, rdata: str, problem: str) -> None:
        with pytest.raises(ZoneError, match=problem):
            self._builder().add(name(owner), 60, dns.rdata.from_text("IN", rdtype, rdata))

    def test_refuses_an_alias_with_other_data(self) -> None:
        """RFC 2181 section 10.1."""
        builder = self._builder()
        builder.add(name("a"), 60, dns.rdata.from_text("IN", "CNAME", "b.example.tech."))
        builder.add(name("a"), 60, dns.rdata.from_text("IN", "A", "192.0.2.1"))
        with pytest.raises(ZoneError, match=r"CNAME and other data \(A\) at a.example.tech."):
            builder.build()

    def test_refuses_a_zone_without_apex(self) -> None:
        """RFC 1035 section 5.2: exactly one SOA; and name servers."""
        builder = ZoneBuilder(APEX)
        assert [problem.error.rdtype for problem in builder.problems()] == ["SOA", "NS"]
        with pytest.raises(ZoneError, match="no SOA record at its apex"):
            builder.build()

    def test_knows_what_belongs_to_the_zone(self) -> None:
        builder = ZoneBuilder(APEX)
        assert builder.holds(name("A.EXAMPLE.TECH."))
        assert not builder.holds(name("notexample.tech."))
