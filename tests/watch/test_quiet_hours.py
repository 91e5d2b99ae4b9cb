"""Quiet hours: by the clock on the wall, over midnight, and when it is set forward."""

from __future__ import annotations

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest
from tests.watch.test_transitions import topic

from mailname.watch.quiet_hours import QuietHours

NIGHT = QuietHours(time(22), time(7), ZoneInfo("Europe/Berlin"))


class TestQuietHours:
    @pytest.mark.parametrize(
        ("moment", "hours"),
        [
            ("2026-11-23T20:59", 0.0),
            ("2026-11-23T21:00", 9.0),
            ("2026-11-24T02:00", 4.0),
            ("2026-11-24T06:00", 0.0),
            ("2026-03-28T21:00", 8.0),  # the night in which the clock is set forward
            ("2026-10-24T20:00", 10.0),  # and in which it is set back
        ],
    )
    def test_end_at_their_time_of_day(self, moment: str, hours: float) -> None:
        assert NIGHT.left(datetime.fromisoformat(moment).replace(tzinfo=UTC)) == hours * 3600

    def test_hold_back_all_but_that_mail_does_not_arrive(self) -> None:
        now = datetime(2026, 11, 23, 23, tzinfo=UTC)
        assert NIGHT.holds_back(topic(), now)
        assert not NIGHT.holds_back(topic(wakes=True), now)
        assert not NIGHT.holds_back(topic(), now.replace(hour=12))
        assert QuietHours(time(9), time(17), ZoneInfo("UTC"), wake_when_broken=False).holds_back(
            topic(wakes=True), now.replace(hour=12)
        )
