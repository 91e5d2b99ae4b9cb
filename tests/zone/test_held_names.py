"""Held names: the closest encloser of a name, from an image's index or from a list, is that of ``Zone.lookup``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.name
import pytest
from dns.rdatatype import RdataType
from hypothesis import given
from hypothesis import strategies as st
from tests import strategies

from mailname.zone import held_names as held_names_module
from mailname.zone.held_names import held_names
from mailname.zone.image import build_image, octets
from mailname.zone.image_zone import ImageZone
from mailname.zone.text import read_zone

if TYPE_CHECKING:
    from dns.name import Name

    from mailname.zone import Zone

APEX = strategies.APEX
SOA = "$TTL 60\n@ SOA ns1 h 1 2 3 4 5\n NS ns1\n"


def closest(zone: Zone, name: Name) -> Name:
    """Return the longest suffix of a name that is held."""
    wire = octets(name).lower()
    suffixes = [name.split(depth)[1] for depth in range(len(name), len(zone.apex) - 1, -1)]
    held = held_names(zone)
    assert held is not None
    return suffixes[held.closest(wire, [len(wire) - len(octets(suffix)) for suffix in suffixes])]


@pytest.fixture(params=["listed", "looked up", "without image"])
def form(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "looked up":
        monkeypatch.setattr(held_names_module, "_FEW", 0)
    return str(request.param)


def in_form(zone: Zone, form: str) -> Zone:
    return zone if form == "without image" else ImageZone(build_image(zone))


class TestClosest:
    @given(strategies.zones(), st.data())
    @pytest.mark.parametrize("few", [0, 100])
    def test_is_the_closest_encloser(self, few: int, zone: Zone, data: st.DataObject) -> None:
        """Whatever the zone holds, of whatever name below it."""
        image = ImageZone(build_image(zone))
        names = [node.owner for node in zone.nodes()]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(held_names_module, "_FEW", few)
            for owner in data.draw(st.lists(st.sampled_from(names), min_size=1, max_size=4)):
                for below in ((), (b"new",), (b"a", b"new"), (b"*",)):
                    if len(octets(owner)) + sum(len(label) + 1 for label in below) > 255:
                        continue
                    name = dns.name.Name((*below, *owner.labels))
                    wanted = name
                    while zone.node(wanted) is None:
                        wanted = wanted.parent()
                    assert closest(image, name) == closest(zone, name) == wanted

    def test_is_an_empty_non_terminal_too(self, form: str) -> None:
        """RFC 4592 section 2.2.2."""
        zone = in_form(read_zone(SOA + "a.b A 192.0.2.1\n", "x", APEX).zone, form)
        assert closest(zone, dns.name.from_text("x.B", APEX)) == dns.name.from_text("b", APEX)

    def test_below_the_root_may_be_the_root(self, form: str) -> None:
        zone = in_form(read_zone(SOA + "tech. NS ns1\n", "x", dns.name.root).zone, form)
        assert closest(zone, dns.name.from_text("a.nope.")) == dns.name.root
        assert closest(zone, dns.name.from_text("a.tech.")) == dns.name.from_text("tech.")


class TestHeldNames:
    def test_of_a_large_zone_without_image_are_not_listed(self) -> None:
        """It would be a walk through all of its records."""
        zone = read_zone(SOA + "".join(f"n{n} A 192.0.2.1\n" for n in range(500)), "x", APEX).zone
        assert held_names(zone) is None
        assert held_names(ImageZone(build_image(zone))) is not None

    def test_may_share_a_hash(self) -> None:
        """Then the octets decide: with so many names, slots are shared, and each name is found."""
        zone = ImageZone(build_image(read_zone(SOA + "".join(f"n{n} A 192.0.2.1\n" for n in range(500)), "x", APEX).zone))
        for number in range(500):
            name = dns.name.from_text(f"n{number}", APEX)
            assert zone.rrset(name, RdataType.A) is not None
            assert closest(zone, name) == name
            assert closest(zone, dns.name.from_text(f"m{number}", APEX)) == APEX
