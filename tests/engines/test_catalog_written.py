"""A catalog that is written as a plain zone."""

from __future__ import annotations

import dns.name
from tests.engines.pair import PLAN, plan_of

from mailname.engines.bind import Bind
from mailname.engines.catalog_written import members, written
from mailname.transfer.catalog import label_of
from mailname.zone.text import read_zone

CATALOG = dns.name.from_text("zones.example.tech.")
TEXT = PLAN + '[catalog]\nname = "zones.example.tech"\ngroups = ["a", "b"]\n'
ONE = plan_of(TEXT)
OTHER = plan_of(TEXT.replace('domain = "example.tech"', 'domain = "other.example"').replace('["a", "b"]', '["c"]'))
NOW = 1_800_000_000.5


def file_of_other() -> str:
    """Return what the other plan's primary has on the host."""
    places = Bind().placed((), None)
    return next(iter(Bind().render(OTHER, OTHER.primary, places).values()))


class TestMembers:
    def test_are_the_zones_of_all_plans_with_the_catalog(self) -> None:
        """Each with its own plan's groups, and with the label that every program of ours gives it."""
        found = {one.zone.to_text(): one for one in members(ONE, [file_of_other(), "// something else\n"])}
        assert {name: one.groups for name, one in found.items()} == {"example.tech.": ("a", "b"), "other.example.": ("c",)}
        assert found["other.example."].label == label_of(dns.name.from_text("other.example."))

    def test_of_another_catalog_are_not_listed(self) -> None:
        """A host may make several."""
        text = file_of_other().replace("zones.example.tech.", "others.example.tech.")
        assert [one.zone for one in members(ONE, [text])] == [ONE.domain]

    def test_of_a_plan_that_goes_are_those_of_the_others(self) -> None:
        """The catalog lets go of it first."""
        assert [one.zone for one in members(ONE, [file_of_other()], without=True)] == [OTHER.domain]


class TestWritten:
    def test_begins_with_the_time_as_serial(self) -> None:
        """So it rises even when the file was lost."""
        text = written(CATALOG, members(ONE, []), None, NOW)
        assert text is not None
        assert read_zone(text.decode(), "catalog", CATALOG).zone.serial.value == int(NOW)

    def test_with_the_same_members_stays_as_it_is(self) -> None:
        """No secondary is woken for nothing."""
        text = written(CATALOG, members(ONE, []), None, NOW)
        assert written(CATALOG, members(ONE, []), text, NOW + 9) is None

    def test_with_others_rises_also_where_the_clock_went_back(self) -> None:
        """By one."""
        text = written(CATALOG, members(ONE, []), None, NOW)
        more = written(CATALOG, members(ONE, [file_of_other()]), text, NOW - 1000)
        assert more is not None
        assert read_zone(more.decode(), "catalog", CATALOG).zone.serial.value == int(NOW) + 1

    def test_that_cannot_be_read_is_written_anew(self) -> None:
        """Somebody has edited it."""
        assert written(CATALOG, members(ONE, []), b"@ SOA (", NOW) is not None
