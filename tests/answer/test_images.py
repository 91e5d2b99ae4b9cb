"""Images: zones found by apex, in packs or alone, with numbers that stay; the same in both forms."""

from __future__ import annotations

from functools import cache
from typing import Any

import dns.name
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.answer.plain_forms import FORMS, Form
from tests.zone.test_pack import pack_of, resealed

from mailname.wire.octets import octets
from mailname.zone.image import build_image
from mailname.zone.pack import ENTRY, HEADER
from mailname.zone.text import read_zone

NAMES = [octets(dns.name.from_text(name)) for name in (".", "tech.", "example.tech.", "a.example.tech.", "b.test.", "c.test.")]


@cache
def image_of(apex: bytes, serial: int) -> bytes:
    """Return the image of a zone's version."""
    text = f"$TTL 60\n@ SOA ns1 h {serial} 2 3 4 5\n NS ns1\n"
    return build_image(read_zone(text, "zone", dns.name.from_wire(apex, 0)[0]).zone)


def stamp_of(serial: int) -> bytes:
    """Return a stamp that goes with a serial."""
    return bytes((serial,)) * 16


def seen(images: Any) -> dict[bytes, tuple[int, bytes | None]]:
    """Return each zone's number and image, looked up by apex and by number."""
    found = {}
    for number in images.numbers():
        apex = images.apex(number)
        assert images.number(apex) == number
        assert apex in images
        block = images.image(number)
        found[apex] = (number, None if block is None else bytes(block))
    assert len(images) == len(found)
    return found


CHANGES = st.lists(
    st.one_of(
        st.tuples(st.just("pack"), st.sets(st.sampled_from(NAMES), min_size=1), st.integers(1, 250)),
        st.tuples(st.just("replace"), st.sampled_from(NAMES), st.integers(0, 250)),
        st.tuples(st.just("changed"), st.sets(st.sampled_from(NAMES)), st.sets(st.sampled_from(NAMES))),
        st.tuples(st.just("marked"), st.sets(st.sampled_from(NAMES)), st.none()),
    ),
    max_size=12,
)


@pytest.mark.parametrize("form", FORMS)
class TestImages:
    @given(CHANGES)
    @settings(deadline=None)
    def test_hold_what_was_put_in_last(self, form: Form, changes: list[tuple[str, Any, Any]]) -> None:
        """Whatever is done to them, each zone has one image or none, and keeps its number for as long as it is there."""
        images = form.serving({})
        wanted: dict[bytes, bytes | None] = {}
        for kind, what, other in changes:
            before = {apex: number for apex, (number, _) in seen(images).items()}
            match kind:
                case "pack":
                    images.add_pack(pack_of({image_of(apex, other): stamp_of(other) for apex in what}))
                    wanted |= {apex: image_of(apex, other) for apex in what}
                    assert {images.stamp(images.number(apex)) for apex in what} == {stamp_of(other)}
                case "replace":
                    if what in wanted:
                        wanted[what] = image_of(what, other) if other else None
                        images.replace(what, wanted[what])
                        assert images.stamp(images.number(what)) is None
                    else:
                        with pytest.raises(KeyError):
                            images.replace(what, None)
                case "changed":
                    images = images.changed(what, other)
                    wanted = {apex: block for apex, block in wanted.items() if apex not in other}
                    wanted |= {apex: None for apex in what if apex not in wanted}
                case "marked":
                    for apex in what & wanted.keys():
                        images.mark(images.number(apex))
                    images = images.marked()
                    wanted = {apex: block for apex, block in wanted.items() if apex in what}
            now = seen(images)
            assert {apex: block for apex, (_, block) in now.items()} == wanted
            if kind != "changed":  # there a zone may go and come again
                assert all(before[apex] == number for apex, (number, _) in now.items() if apex in before)

    def test_give_numbers_out_again(self, form: Form) -> None:
        """Zones that come and go for years need no more room than those that are there."""
        images = form.serving({})
        for serial in range(1, 40):
            images.add_pack(pack_of({image_of(NAMES[serial % 6], serial): stamp_of(serial)}))
            images.mark(images.number(NAMES[serial % 6]))
            images = images.marked()
            images = images.changed((NAMES[(serial + 1) % 6],), ())
        assert len(images) == 2
        assert images.zones <= 4

    def test_are_not_changed_by_making_others_of_them(self, form: Form) -> None:
        """Who still answers from the former set finds all that was there."""
        images = form.serving({NAMES[2]: image_of(NAMES[2], 1)})
        images.add_pack(pack_of({image_of(NAMES[4], 1): stamp_of(1)}))
        before = seen(images)
        other = images.changed(NAMES, (NAMES[2], NAMES[4]))
        other.replace(NAMES[3], image_of(NAMES[3], 7))
        assert seen(images) == before

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda entry: (1 << 40, *entry[1:]),
            lambda entry: (0, *entry[1:]),
            lambda entry: ((1 << 64) - 64, *entry[1:]),  # with the length added, a place in the block again
            lambda entry: (entry[0], 1 << 31, *entry[2:]),
            lambda entry: (entry[0], 127, *entry[2:]),  # shorter than an image's header
            lambda entry: (*entry[:2], entry[2] ^ 1, *entry[3:]),
            lambda entry: (*entry[:4], 1 << 31, *entry[5:]),
            lambda entry: (*entry[:4], 1, *entry[5:]),
            lambda entry: (*entry[:5], 300, 0),
            lambda entry: (*entry[:5], 0, 0),
            lambda entry: (*entry[:5], entry[5] - 1, 0),
        ],
    )
    def test_refuse_a_pack_whose_entries_lead_nowhere(self, form: Form, spoil: Any) -> None:
        """Even one with a checksum that matches."""
        block = pack_of({image_of(NAMES[2], 1): stamp_of(1)})
        at = HEADER.unpack_from(block)[4]
        spoiled = block[:at] + ENTRY.pack(*spoil(ENTRY.unpack_from(block, at))) + block[at + ENTRY.size :]
        with pytest.raises(ValueError, match="leads nowhere"):
            form.serving({}).add_pack(resealed(spoiled))

    def test_find_no_zone_by_what_is_no_name(self, form: Form) -> None:
        """An empty string, a part of a name, more than a name."""
        images = form.serving(dict.fromkeys(NAMES))
        for apex in (b"", NAMES[2][:-1], NAMES[2] + b"\0", b"x" * 300):
            assert images.number(apex) == -1
        assert images.apex(1000) == b""

    def test_know_how_many_zones_each_pack_still_answers_for(self, form: Form) -> None:
        """A pack is let go when the last of its zones has another image."""
        images = form.serving({NAMES[0]: image_of(NAMES[0], 1)})
        images.add_pack(pack_of({image_of(apex, 1): stamp_of(1) for apex in NAMES[1:3]}))
        assert images.live() == [2]
        assert {images.apex(number) for number in images.in_pack(0)} == set(NAMES[1:3])
        newer = image_of(NAMES[1], 2)
        images.replace(NAMES[1], newer)
        assert images.holds(images.number(NAMES[1]), newer)
        assert [images.apex(number) for number in images.in_pack(0)] == [NAMES[2]]
        assert images.live() == [1]
