"""Catalog zones read and written (RFC 9432)."""

from __future__ import annotations

import dns.name
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.strategies import names

from mailname.errors import ZoneError
from mailname.transfer.catalog import Member, by_zone, catalog_text, label_of, read_catalog
from mailname.zone import Serial
from mailname.zone.image_zone import ImageZone
from mailname.zone.load import Loader

CATALOG = dns.name.from_text("catalog.example.")
HEAD = """\
$TTL 0
@ SOA invalid. invalid. 1 3600 600 2147483646 0
@ NS invalid.
"""
VERSION = 'version TXT "2"\n'


def name(text: str) -> dns.name.Name:
    return dns.name.from_text(text)


def zone(text: str, apex: dns.name.Name = CATALOG) -> ImageZone:
    return ImageZone(Loader().load(text.encode(), "catalog.zone", apex).image)


def read(text: str) -> list[Member]:
    return list(read_catalog(zone(HEAD + VERSION + text)).values())


class TestReading:
    def test_gives_the_members(self) -> None:
        """A member is a PTR record at LABEL.zones (section 4.1)."""
        found = read("a.zones PTR example.tech.\nb.zones PTR example.org.\n")
        assert found == [Member(name("example.tech."), b"a"), Member(name("example.org."), b"b")]

    def test_knows_the_properties(self) -> None:
        """Groups and the change of ownership (sections 4.4.1 and 4.4.2); a group in several strings is one word."""
        found = read(
            """\
a.zones PTR example.tech.
group.a.zones TXT "signed"
group.a.zones TXT "int" "ernal"
coo.a.zones PTR other.example.
"""
        )
        assert found == [Member(name("example.tech."), b"a", ("internal", "signed"), name("other.example."))]

    def test_passes_over_what_it_does_not_know(self) -> None:
        """Unknown properties, known ones with another type, custom ones, properties of no member, and longer names."""
        found = read(
            """\
a.zones PTR example.tech.
a.zones TXT "a note"
version A 192.0.2.1
something.a.zones TXT "new"
group.a.zones A 192.0.2.1
coo.a.zones TXT "other.example."
x.ext.a.zones TXT "custom"
primaries.ext TXT "custom"
x.ext TXT "custom"
group.b.zones TXT "of nobody"
zones TXT "nothing"
deep.coo.a.zones PTR other.example.
deep.group.a.zones TXT "x"
"""
        )
        assert found == [Member(name("example.tech."), b"a")]

    def test_takes_no_heed_of_letters_case(self) -> None:
        found = read('LABEL.Zones PTR Example.TECH.\nGROUP.label.ZONES TXT "Signed"\n')
        assert found == [Member(name("example.tech."), b"label", ("Signed",))]

    def test_of_a_catalog_without_members(self) -> None:
        assert read("") == []

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("", "has no version"),
            ('version TXT "1"\n', "has the version 1, and only 2 is known"),
            ('version TXT "2" "0"\n', "has the version 20"),
            ('version TXT "2"\nversion TXT "3"\n', "has several versions"),
            (VERSION + "a.zones PTR example.tech.\na.zones PTR example.org.\n", "two PTR records at a.zones"),
            (
                VERSION + "a.zones PTR example.tech.\nb.zones PTR EXAMPLE.tech.\n",
                "lists example.tech. twice, at a.zones and at b",
            ),
            (VERSION + "a.zones PTR x.\ncoo.a.zones PTR b.\ncoo.a.zones PTR c.\n", "two PTR records at coo.a.zones"),
        ],
    )
    def test_refuses_a_broken_catalog(self, text: str, says: str) -> None:
        """It must not be followed, and the reason is told (sections 4.2 and 5.1)."""
        with pytest.raises(ZoneError, match=says):
            read_catalog(zone(HEAD + text))


class TestWriting:
    @given(
        st.lists(
            st.builds(
                lambda zone, groups, coo: Member(zone, label_of(zone), tuple(sorted(groups)), coo),
                names.map(lambda one: one.canonicalize()),
                st.sets(st.text(max_size=20), max_size=2),
                st.none() | names.map(lambda one: one.canonicalize()),
            ),
            max_size=5,
            unique_by=lambda one: one.zone,
        )
    )
    def test_is_read_as_it_was_meant(self, members: list[Member]) -> None:
        text = catalog_text(CATALOG, Serial(7), members)
        written = zone(text)
        assert read_catalog(written) == by_zone(members)
        assert written.serial == Serial(7)

    def test_labels_stay_and_differ(self) -> None:
        """A label depends on the zone's name alone, whatever its letters' case, and is a label of a host name."""
        one, other = label_of(name("example.tech.")), label_of(name("example.org."))
        assert one == label_of(name("EXAMPLE.Tech."))
        assert one != other
        assert one.isalnum()
        assert one == one.lower()
        assert len(one) <= 63
