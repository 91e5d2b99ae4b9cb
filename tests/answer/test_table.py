from __future__ import annotations

import dns.name
import pytest

from mailname.answer import Unserved, ZoneTable

A, B = Unserved("a"), Unserved("b")
TECH, EXAMPLE = dns.name.from_text("tech."), dns.name.from_text("example.tech.")
TABLE = ZoneTable({TECH: A, EXAMPLE: B})


class TestZoneTable:
    @pytest.mark.parametrize(
        ("name", "apex"),
        [
            ("tech.", "tech."),
            ("other.tech.", "tech."),
            ("example.tech.", "example.tech."),
            ("a.b.EXAMPLE.Tech.", "example.tech."),
            ("org.", None),
            (".", None),
        ],
    )
    def test_closest_is_the_longest_enclosing_apex(self, name: str, apex: str | None) -> None:
        """The zone that is the nearest ancestor answers (RFC 1034 section 4.3.2 step 2)."""
        found = TABLE.closest(dns.name.from_text(name))
        assert (found and found[0].to_text()) == apex

    def test_root_zone_encloses_everything(self) -> None:
        """A server of the root has an answer for every name."""
        assert ZoneTable({dns.name.root: A}).closest(EXAMPLE) == (dns.name.root, A)

    def test_changes_make_new_tables(self) -> None:
        """Who reads the old table goes on reading it."""
        without = TABLE.without(EXAMPLE)
        assert (EXAMPLE in TABLE, EXAMPLE in without, len(without)) == (True, False, 1)
        assert list(without.with_zone(EXAMPLE, A)) == [TECH, EXAMPLE]
        assert without.with_zone(TECH, B)[TECH] == B
        assert without[TECH] == A
        assert list(TABLE.without(EXAMPLE, TECH)) == []
        assert list(TABLE.without()) == list(TABLE)

    def test_replacing_makes_a_new_table_of_the_same_entries(self) -> None:
        """A server of many zones changes one without looking at the others; another table says that something changed."""
        before = ZoneTable({TECH: A})
        after = before.replacing(EXAMPLE, B).replacing(TECH, B)
        assert after is not before
        assert (after[TECH], after[EXAMPLE], list(after)) == (B, B, [TECH, EXAMPLE])

    def test_is_empty_without_zones(self) -> None:
        """A server without zones refuses everything."""
        assert ZoneTable().closest(EXAMPLE) is None
