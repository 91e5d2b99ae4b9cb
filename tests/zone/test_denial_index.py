from __future__ import annotations

import dns.dnssec
import dns.name
import dns.rdata
import pytest
from dns.rdatatype import RdataType
from tests.answer.zones import signed_zone_texts, zone_of

from mailname.zone import Kind, Zone, ZoneBuilder
from mailname.zone.denial_index import Nsec3Index, NsecIndex, is_hashed_owner


def zone(apex: str) -> Zone:
    return zone_of(signed_zone_texts()[apex], apex)


def name(text: str, apex: str) -> dns.name.Name:
    return dns.name.from_text(text, dns.name.from_text(apex))


class TestNsecIndex:
    @pytest.mark.parametrize(
        ("asked", "owner"),
        [
            ("@", "@"),
            ("ns1", "ns1"),
            ("NS1", "ns1"),
            ("ns1\\000", "ns1"),
            ("below.ns1", "ns1"),
            ("_tcp", "\\000\\255"),
            ("zzz", "www"),
            ("any.wild", "*.wild"),
            ("branch.wild", "*.wild"),
            ("czz.wild", "a.branch.wild"),
        ],
    )
    def test_finds_the_owner_at_or_before_a_name(self, asked: str, owner: str) -> None:
        """In canonical order (RFC 4034 section 6.1); glue and empty non-terminals have no NSEC."""
        index = zone("nsec.example.").denial
        assert isinstance(index, NsecIndex)
        assert index.at_or_before(name(asked, "nsec.example.")).owner == name(owner, "nsec.example.")


class TestNsec3Index:
    @pytest.mark.parametrize("apex", ["nsec3.example.", "salted.example.", "optout.example."])
    def test_matches_the_names_that_have_a_hash(self, apex: str) -> None:
        """Owners and empty non-terminals, not what is only covered."""
        index = zone(apex).denial
        assert isinstance(index, Nsec3Index)
        assert index.matching(name("@", apex)) is not None
        assert index.matching(name("_TCP", apex)) is not None
        assert index.matching(name("nowhere", apex)) is None
        assert (index.matching(name("insecure", apex)) is None) == (apex == "optout.example.")

    def test_covers_every_other_name(self) -> None:
        """The ring has no gap: the hash lies between the owner and the next one."""
        index = zone("nsec3.example.").denial
        assert isinstance(index, Nsec3Index)
        for number in range(100):
            asked = name(f"nowhere{number}", "nsec3.example.")
            node = index.covering(asked)
            label = dns.dnssec.nsec3_hash(asked, index.salt, index.iterations, 1).lower()
            owner = node.owner.labels[0].decode().lower()
            following = node.rrsets[RdataType.NSEC3].rdatas[0].to_text().split()[4]
            assert owner < label < following or (following < owner and not following <= label <= owner)


class TestIndexOf:
    def test_is_nothing_for_unsigned_zones(self) -> None:
        """Nothing to prove with."""
        assert zone_of("@ 60 IN SOA a. b. 1 2 3 4 5\n@ 60 IN NS a.\n", "example.").denial is None

    @pytest.mark.parametrize(
        "parameters",
        [
            "2 0 0 -",  # another hash
            "1 1 0 -",  # flags
            "1 0 2501 -",  # more rounds than RFC 5155 allows
            "1 0 0 aabb",  # a chain that is not there
        ],
    )
    def test_is_nothing_for_chains_that_we_cannot_use(self, parameters: str) -> None:
        """The zone is then served as an unsigned one, hashed owners among its names."""
        signed = zone("nsec3.example.")
        builder = ZoneBuilder(signed.apex)
        for rrset in signed.rrsets():
            if rrset.rdtype != RdataType.NSEC3PARAM:
                for rdata in rrset.rdatas:
                    builder.add(rrset.owner, rrset.ttl, rdata)
        builder.add(signed.apex, 0, dns.rdata.from_text("IN", "NSEC3PARAM", parameters))
        assert builder.build().denial is None

    def test_skips_parameters_for_those_that_have_a_chain(self) -> None:
        """While a signer changes the salt, two may be there (RFC 5155 section 10.4)."""
        signed = zone("nsec3.example.")
        builder = ZoneBuilder(signed.apex)
        builder.add(signed.apex, 0, dns.rdata.from_text("IN", "NSEC3PARAM", "1 0 0 aabb"))
        for rrset in signed.rrsets():
            for rdata in rrset.rdatas:
                builder.add(rrset.owner, rrset.ttl, rdata)
        index = builder.build().denial
        assert isinstance(index, Nsec3Index)
        assert index.salt == b""


class TestHashedOwners:
    def test_are_no_names_of_the_zone_but_part_of_it(self) -> None:
        """A question finds nothing there (RFC 5155 section 7.2.8); a transfer has them."""
        signed = zone("nsec3.example.")
        hashed = next(node for node in signed.nodes() if is_hashed_owner(node.rrsets))
        assert signed.lookup(hashed.owner, RdataType.NSEC3).kind == Kind.NXDOMAIN
        assert signed.lookup(dns.name.from_text("a", hashed.owner), RdataType.A).closest_encloser == signed.apex
        assert signed.node(hashed.owner) is hashed
        assert signed.rrset(hashed.owner, RdataType.NSEC3) in list(signed.rrsets())
