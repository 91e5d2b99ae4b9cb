"""Zones are looked at when they want it, and no others."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from mailname.server.timetable import Timetable


@dataclass
class _Zone:
    at: float | None
    asked: int = 0
    retired: bool = False

    def on_timer(self, now: float) -> None:
        """Nothing."""

    def next_wakeup(self) -> float | None:
        self.asked += 1
        return self.at


def _with(*zones: _Zone) -> Timetable:
    table = Timetable()
    for zone in zones:
        table.has_news(zone)
    return table


class TestTimetable:
    def test_gives_what_is_due_and_nothing_else(self) -> None:
        soon, late, never = _Zone(1.0), _Zone(5.0), _Zone(None)
        table = _with(soon, late, never)
        assert table.next() == 1.0
        assert list(map(id, table.take_due(1.0))) == [id(soon)]

    def test_a_zone_that_was_due_is_asked_when_it_has_news(self) -> None:
        zone = _Zone(1.0)
        table = _with(zone)
        assert [id(one) for one in table.take_due(2.0)] == [id(zone)]
        assert table.next() is None
        zone.at = 7.0
        table.has_news(zone)
        assert table.next() == 7.0

    def test_a_former_time_is_void(self) -> None:
        zone = _Zone(1.0)
        table = _with(zone)
        assert table.next() == 1.0
        zone.at = 9.0
        table.has_news(zone)
        assert list(table.take_due(5.0)) == []
        assert table.next() == 9.0

    def test_what_is_forgotten_is_not_given(self) -> None:
        zone = _Zone(1.0)
        table = _with(zone)
        assert table.next() == 1.0
        table.forget(zone)
        assert table.next() is None
        assert list(table.take_due(5.0)) == []

    def test_news_of_one_asks_no_other(self) -> None:
        """Ten thousand zones are not looked at because one was notified."""
        zones = [_Zone(float(number)) for number in range(100, 200)]
        table = _with(*zones)
        assert table.next() == 100.0
        table.has_news(zones[50])
        assert table.next() == 100.0
        assert [zone.asked for zone in zones] == [2 if number == 50 else 1 for number in range(100)]

    @given(st.lists(st.tuples(st.integers(0, 5), st.one_of(st.none(), st.floats(0, 100)))), st.floats(0, 100))
    def test_agrees_with_looking_at_all(self, changes: list[tuple[int, float | None]], now: float) -> None:
        zones = [_Zone(None) for _ in range(6)]
        table = Timetable()
        for number, at in changes:
            zones[number].at = at
            table.has_news(zones[number])
            table.next()
        assert table.next() == min((zone.at for zone in zones if zone.at is not None), default=None)
        assert {id(zone) for zone in table.take_due(now)} == {
            id(zone) for zone in zones if zone.at is not None and zone.at <= now
        }
