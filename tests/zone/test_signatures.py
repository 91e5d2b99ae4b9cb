from __future__ import annotations

from typing import TYPE_CHECKING

import dns.name
from dns.rdatatype import RdataType
from tests.answer.zones import signed_zone_texts, zone_of

from mailname.zone.signatures import by_covered_type, covering
from mailname.zone.text import read_zone
from mailname.zone.write import write_zone

if TYPE_CHECKING:
    from mailname.zone import RRset, Zone

APEX = dns.name.from_text("nsec.example.")
TEXT = signed_zone_texts()["nsec.example."]
ZONE = zone_of(TEXT, "nsec.example.")


def rrset(owner: str, rdtype: RdataType, zone: Zone = ZONE) -> RRset:
    found = zone.rrset(dns.name.from_text(owner, APEX), rdtype)
    assert found is not None
    return found


def covered(signatures: RRset | None) -> set[str]:
    return {rdata.to_text().split()[0] for rdata in signatures.rdatas} if signatures else set()


class TestCovering:
    def test_are_the_signatures_of_one_type(self) -> None:
        """Of all that the owner has, those that cover the type, with its TTL (RFC 4034 section 3)."""
        apex = ZONE.node(APEX)
        assert apex is not None
        found = covering(apex.rrsets, rrset("nsec.example.", RdataType.MX))
        assert (covered(found), found and found.ttl) == ({"MX"}, 600)

    def test_is_nothing_for_what_is_not_signed(self) -> None:
        """Name servers of a zone cut are not signed (RFC 4035 section 2.2); glue has no signature at all."""
        cut, glue = ZONE.node(dns.name.from_text("secure", APEX)), ZONE.node(dns.name.from_text("ns.secure", APEX))
        assert cut is not None
        assert glue is not None
        assert covering(cut.rrsets, cut.rrsets[RdataType.NS]) is None
        assert covering(glue.rrsets, glue.rrsets[RdataType.A]) is None


class TestByCoveredType:
    def test_yields_one_rrset_for_each_type_with_its_ttl(self) -> None:
        """As they go onto the wire and into a zone file."""
        apex = ZONE.node(APEX)
        assert apex is not None
        found = [(*covered(one), one.ttl) for one in by_covered_type(apex.rrsets)]
        assert found == [("A", 3600), ("NS", 3600), ("SOA", 86400), ("MX", 600), ("NSEC", 1800), ("DNSKEY", 3600)]

    def test_takes_the_ttl_that_the_signature_names_when_the_rrset_is_gone(self) -> None:
        """A signature left over is transferred as it came."""
        apex = ZONE.node(APEX)
        assert apex is not None
        only = {RdataType.RRSIG: apex.rrsets[RdataType.RRSIG]}
        assert [one.ttl for one in by_covered_type(only)] == [3600, 3600, 86400, 600, 1800, 3600]

    def test_yields_nothing_without_signatures(self) -> None:
        """An unsigned owner has none."""
        assert list(by_covered_type({})) == []


class TestSignedZones:
    def test_are_read_without_warnings(self) -> None:
        """TTLs of signatures differ because those of the RRsets do; that is no mistake."""
        assert read_zone(TEXT, "nsec.example.zone", APEX).warnings == ()

    def test_come_back_from_text_as_they_were(self) -> None:
        """Each signature with the TTL of what it covers."""
        assert read_zone(write_zone(ZONE), "nsec.example.zone", APEX).zone == ZONE
