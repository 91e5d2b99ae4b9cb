"""A zone over its image is the zone that the image was made of."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import dns.message
import dns.name
import dns.rdata
import pytest
from dns.rdatatype import RdataType
from hypothesis import given
from hypothesis import strategies as st
from tests.answer.zones import signed_zone_texts, zone_of, zone_texts
from tests.strategies import APEX, names_below, zones

from mailname.answer import ZoneTable, respond
from mailname.wire.message import Request, read_request
from mailname.zone.denial_index import Nsec3Index
from mailname.zone.diff import diff
from mailname.zone.image import build_image, octets
from mailname.zone.image_zone import ImageZone
from mailname.zone.text import write_zone
from mailname.zone.zone import ZoneBuilder

if TYPE_CHECKING:
    from mailname.zone import Zone

TEXTS = zone_texts() | signed_zone_texts()
TYPES = [RdataType.A, RdataType.NS, RdataType.MX, RdataType.DS, RdataType.CNAME, RdataType.SOA, RdataType.NSEC, RdataType.ANY]


def both(zone: Zone) -> tuple[Zone, ImageZone]:
    return zone, ImageZone(build_image(zone))


class TestImageZone:
    @given(zones())
    def test_says_what_its_zone_says(self, made: Zone) -> None:
        """Everything that can be asked of the whole."""
        zone, image = both(made)
        assert image == zone
        assert zone == image
        assert hash(image) == hash(zone)
        assert image.apex == zone.apex
        assert image.soa == zone.soa
        assert image.serial == zone.serial
        assert image.negative_ttl == zone.negative_ttl
        assert image.record_count == zone.record_count
        assert [(node.owner.labels, dict(node.rrsets)) for node in image.nodes()] == [
            (node.owner.labels, dict(node.rrsets)) for node in zone.nodes()
        ]
        assert [one.rdatas for one in image.rrsets()] == [one.rdatas for one in zone.rrsets()]
        assert diff(zone, image) == ()

    @given(zones(), names_below(), st.sampled_from(TYPES))
    def test_finds_what_its_zone_finds(self, made: Zone, name: dns.name.Name, rdtype: RdataType) -> None:
        """Whether it is there or not."""
        zone, image = both(made)
        for asked in (
            name,
            *[dns.name.Name((b"x", *node.owner.labels)) for node in zone.nodes() if len(octets(node.owner)) < 250],
        ):
            assert image.lookup(asked, rdtype) == zone.lookup(asked, rdtype)
            assert image.delegation(asked) == zone.delegation(asked)
            assert image.node(asked) == zone.node(asked)
            assert image.rrset(asked, rdtype) == zone.rrset(asked, rdtype)

    @given(zones(), zones())
    def test_of_another_zone_differs(self, one: Zone, other: Zone) -> None:
        """As the zones do."""
        assert (ImageZone(build_image(one)) == ImageZone(build_image(other))) == (one == other)
        assert ImageZone(build_image(one)) != "zone"

    @given(zones())
    def test_makes_the_same_image_again(self, zone: Zone) -> None:
        """No octet is lost on the way, but for the spelling of the apex within rdata."""
        image = build_image(zone)
        assert build_image(ImageZone(image)) == image

    @given(zones())
    def test_records_in_wire_form_are_its_records(self, zone: Zone) -> None:
        """For a transfer without objects."""
        image = ImageZone(build_image(zone))
        wires = [(owner, rdtype, ttl) for owner, rdtype, ttl, _ in image.wire_records()]
        assert wires == [
            (node.owner.to_wire(), rrset.rdtype, rrset.ttl)
            for node in zone.nodes()
            for _, rrset in sorted(node.rrsets.items())
            for _ in rrset.rdatas
        ]

    @pytest.mark.parametrize("apex", sorted(TEXTS))
    def test_is_answered_from_as_its_zone_is(self, apex: str) -> None:
        """Octet for octet, with DNSSEC and without."""
        zone, image = both(zone_of(TEXTS[apex], apex))
        tables = [ZoneTable({zone.apex: one}) for one in (zone, image)]
        names = [node.owner for node in zone.nodes()]
        names += [
            dns.name.Name((label, *name.labels)) for name in names for label in (b"x", b"0", b"zz") if len(octets(name)) < 240
        ]
        questions = [(name, rdtype, dnssec) for name in names for rdtype in TYPES for dnssec in (False, True)]
        for name, rdtype, dnssec in random.Random(apex).sample(questions, min(300, len(questions))):
            query = dns.message.make_query(name, rdtype, use_edns=0, want_dnssec=dnssec, payload=1232)
            request = read_request(query.to_wire())
            assert isinstance(request, Request)
            one, other = [respond(request, table, transport="tcp") for table in tables]
            assert one == other, query

    @pytest.mark.parametrize("apex", sorted(TEXTS))
    def test_is_written_as_its_zone_is(self, apex: str) -> None:
        """So that its text can be kept."""
        zone, image = both(zone_of(TEXTS[apex], apex))
        assert write_zone(image) == write_zone(zone)

    def test_hashed_owners_are_not_found_but_kept(self) -> None:
        """RFC 5155 section 7.2.8."""
        apex = "nsec3.example."
        zone, image = both(zone_of(signed_zone_texts()[apex], apex))
        assert isinstance(image.denial, Nsec3Index)
        assert isinstance(zone.denial, Nsec3Index)
        assert len(image.denial) == len(zone.denial)
        hashed = [node.owner for node in zone.nodes() if RdataType.NSEC3 in node.rrsets]
        for owner in hashed:
            assert image.node(owner) == zone.node(owner)
            assert image.lookup(owner, RdataType.A) == zone.lookup(owner, RdataType.A)

    def test_chain_that_is_not_there_is_not_used(self) -> None:
        """A NSEC3PARAM without NSEC3 records: the zone is served as an unsigned one."""
        builder = ZoneBuilder(APEX)
        for text in ("SOA a b 1 2 3 4 5", "NS a", "NSEC3PARAM 1 0 0 -", "NSEC3PARAM 2 0 0 aa"):
            rdtype, _, rest = text.partition(" ")
            builder.add(APEX, 60, dns.rdata.from_text("IN", rdtype, rest, origin=APEX, relativize=False))
        assert ImageZone(build_image(builder.build())).denial is None
