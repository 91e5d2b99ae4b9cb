"""The difference of two images: merged into the old one, it gives the new one."""

from __future__ import annotations

import hashlib
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.strategies import APEX
from tests.uncompiled import returned_uncompiled
from tests.zone.image_contents import Contents
from tests.zone.test_image_merge import RRSIG, Record, _record, changes_of, image_of, unordered, zone_of

from mailname.zone.image import build_image
from mailname.zone.image_changes import apex_of, difference
from mailname.zone.image_merge import Changes, merged, rebuilt
from mailname.zone.image_zone import ImageZone

_APEX_WIRE = APEX.to_wire() or b""


def rows(changes: Changes | None) -> list[tuple[bool, bytes, int, int, bytes]]:
    """Return each change: whether it is added, its owner, TTL, type and rdata."""
    assert changes is not None
    found = []
    for number in range(1, changes.packed.count):
        ttl, rdtype, at = changes.packed.fields(number)
        found.append((bool(at), changes.packed.owner_of(number), ttl, rdtype, changes.packed.rdata_of(number)))
    return found


def versions(records: list[list[Record]]) -> list[bytes]:
    """Return the images of those versions that are zones."""
    zones = [zone_of(one, serial) for serial, one in enumerate(records, 1)]
    return [build_image(zone) for zone in zones if zone is not None]


class TestDifference:
    @settings(max_examples=100, deadline=None)
    @given(st.lists(st.lists(_record, max_size=10), min_size=2, max_size=4))
    def test_merged_gives_the_new_version(self, records: list[list[Record]]) -> None:
        """Octet by octet what is built from the new version's records, but for the order of an RRset's records."""
        images = versions(records)
        for old, new in pairwise(images):
            changes = difference(old, new)
            assert changes is not None
            assert unordered(Contents(rebuilt(old, changes)).all()) == unordered(Contents(new).all())
            assert ImageZone(merged(old, changes)) == ImageZone(new)

    @settings(max_examples=100, deadline=None)
    @given(st.lists(_record, max_size=12), st.sets(st.integers(0, 11)), st.lists(_record, max_size=3))
    def test_says_no_more_than_what_is_different(self, records: list[Record], less: set[int], more: list[Record]) -> None:
        """Nothing goes that stays; nothing comes that was there."""
        kept = [record for number, record in enumerate(records) if number not in less]
        old, new = zone_of(records, 1), zone_of([*kept, *more], 2)
        if old is None or new is None:
            return
        before, after = build_image(old), build_image(new)
        was, is_now = (
            {(owner.lower(), ttl * (rdtype != 46), rdtype, rdata) for owner, rdtype, ttl, rdata in ImageZone(one).wire_records()}
            for one in (before, after)
        )
        found = {
            (added, owner.lower(), ttl * (rdtype != 46), rdtype, rdata)
            for added, owner, ttl, rdtype, rdata in rows(difference(before, after))
        }
        gone = {(False, *one) for one in was - is_now}
        come = {(True, *one) for one in is_now - was}
        # A signature has the TTL of what it covers, and changes with it.
        assert {one for one in found if one[3] != 46} == {one for one in gone | come if one[3] != 46}
        assert {one for one in found if one[3] == 46} >= {one for one in gone | come if one[3] == 46}

    @settings(max_examples=80, deadline=None)
    @given(st.lists(_record, max_size=12), st.lists(_record, max_size=12))
    def test_among_the_owners_that_changed_is_the_difference(self, before: list[Record], after: list[Record]) -> None:
        """Whatever else they are."""
        images = versions([before, after])
        if len(images) == 2:
            whole = difference(*images)
            assert whole is not None
            assert sorted(rows(difference(*images, among=whole))) == sorted(rows(whole))

    @settings(max_examples=60, deadline=None)
    @given(st.lists(st.lists(_record, max_size=8), min_size=2, max_size=5))
    def test_of_merged_images_is_that_of_built_ones(self, records: list[list[Record]]) -> None:
        """Their octets stand elsewhere, and say the same."""
        images = versions(records)
        held = images[0] if images else b""
        for built in images[1:]:
            changes = difference(held, built)
            assert changes is not None
            result = merged(held, changes)
            assert rows(difference(result, built)) == []
            held = result

    def test_soa_comes_first_on_both_sides(self) -> None:
        """As RFC 1995 section 4 has it."""
        found = rows(difference(image_of("a A 192.0.2.1\n"), image_of("a A 192.0.2.2\n", 2)))
        assert [(added, rdtype) for added, _, _, rdtype, _ in found] == [(False, 6), (False, 1), (True, 6), (True, 1)]
        assert {owner for _, owner, _, rdtype, _ in found if rdtype == 6} == {_APEX_WIRE}

    def test_of_one_version_is_nothing(self) -> None:
        """Whatever the order of records, and how owners are spelled."""
        assert (
            rows(
                difference(
                    image_of("a A 192.0.2.1\na A 192.0.2.2\nB TXT t\n"), image_of("b TXT t\na A 192.0.2.2\na A 192.0.2.1\n")
                )
            )
            == []
        )

    def test_other_ttl_is_another_record(self) -> None:
        """It goes with the one and comes with the other."""
        found = rows(difference(image_of("a 5 TXT t\na 5 TXT u\n"), image_of("a 6 TXT t\na 6 TXT u\n")))
        assert [(added, ttl) for added, _, ttl, _, _ in found] == [(False, 5), (False, 5), (True, 6), (True, 6)]

    def test_names_in_rdata_are_written_out(self) -> None:
        """Also where the image has a pointer to the apex."""
        found = rows(difference(image_of(""), image_of("a MX 1 b\na NS c\n@ NS @\na SRV 1 1 1 b\n")))
        wanted = {b"\0\1\1b" + _APEX_WIRE, b"\1c" + _APEX_WIRE, _APEX_WIRE, b"\0\1\0\1\0\1\1b" + _APEX_WIRE}
        assert {rdata for *_, rdata in found} == wanted

    @pytest.mark.parametrize("size", [100, 130, 600])
    def test_large_rrset_that_changed_in_one_place_changes_there(self, size: int) -> None:
        """And not all of it."""
        lines = [f"a A 192.0.{number // 250}.{number % 250}\n" for number in range(size)]
        before, after = (
            image_of("".join(lines)),
            image_of("".join([*lines[: size // 2], "a A 10.0.0.1\n", *lines[size // 2 + 1 :]])),
        )
        assert len(rows(difference(before, after))) == 2

    @pytest.mark.parametrize("size", [100, 300])
    def test_large_rrset_in_another_order_is_still_the_same_zone(self, size: int) -> None:
        """Some records may go and come again."""
        lines = [f"a A 192.0.{number // 250}.{number % 250}\n" for number in range(size)]
        before, after = image_of("".join(lines)), image_of("".join(lines[::-1]), 2)
        changes = difference(before, after)
        assert changes is not None
        assert ImageZone(merged(before, changes)) == ImageZone(after)

    def test_that_is_too_much_is_none(self) -> None:
        """Then the whole zone is cheaper."""
        old, new = image_of(""), image_of("".join(f"n{number} TXT t\n" for number in range(50)), 2)
        assert difference(old, new, most=100) is None
        whole = difference(old, new)
        assert difference(old, new, among=whole, most=100) is None

    def test_names_the_apex_as_it_is_spelled(self) -> None:
        """The changes are of that zone."""
        assert apex_of(image_of("")) == _APEX_WIRE


def digest_of_differences() -> str:
    """Return a digest of what this form of the core finds."""
    found = hashlib.sha256()
    texts = ["", "a A 192.0.2.1\n*.w MX 1 a\n", f"a RRSIG A {RRSIG}\nd NS a.d\na.d A 192.0.2.1\n", "d NS a.d\nb 5 TXT t\n"]
    images = [image_of(text, serial) for serial, text in enumerate(texts, 1)]
    images.append(merged(images[-1], changes_of("+ c 60 TXT t")))
    for old in images:
        for new in images:
            found.update(repr(rows(difference(old, new))).encode())
    return found.hexdigest()


class TestForms:
    def test_both_forms_of_the_core_find_the_same(self) -> None:
        """Record for record."""
        assert returned_uncompiled(digest_of_differences) == digest_of_differences()
