"""HOST-04 and HOST-05: one time service in step, and the plan's time zone."""

from __future__ import annotations

import pytest
from tests.host.told import PLAN, SAFE, facts, wanted

from mailname.host.clock import judge_clock, judge_time_zone
from mailname.host.facts import Told
from mailname.host.step import Outcome

TIMESYNCD = "Id=systemd-timesyncd.service\nActiveState=active"


class TestClock:
    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            ({"time-services": "Id=chrony.service\nActiveState=failed"}, "no service keeps the clock right."),
            ({"time-services": f"{SAFE['time-services']}\n\n{TIMESYNCD}"}, "2 services set the clock"),
            ({"chrony": SAFE["chrony"].replace("0.000012", "0.250000")}, "the clock is 0.250 seconds behind."),
            ({"chrony": SAFE["chrony"].replace("0.000012", "-0.250000")}, "the clock is 0.250 seconds ahead."),
            ({"chrony": SAFE["chrony"].replace("C0000201", "7F7F0101")}, "chrony has no server"),
            ({"chrony": SAFE["chrony"].replace("Normal", "Not synchronised")}, "chrony has no server"),
            ({"chrony": Told("506 Cannot talk to daemon", 1)}, "chrony has no server"),
            ({"time-services": TIMESYNCD, "timesync": "      Offset: -1.2s\n       Delay: 3ms"}, "1.200 seconds ahead."),
            ({"time-services": TIMESYNCD, "timesync": "  Offset: +1min 2s"}, "62.000 seconds behind."),
            ({"time-services": TIMESYNCD, "time": "NTPSynchronized=no"}, "not in step with any server yet."),
        ],
    )
    def test_what_is_wrong_is_named(self, changed: dict[str, Told | str | None], said: str) -> None:
        result = judge_clock(facts(changed))
        assert result.outcome is Outcome.DOES_NOT_HOLD
        assert said in result.seen[0]

    def test_two_names_of_one_unit_are_one_service(self) -> None:
        """Debian's chronyd.service is another name of chrony.service."""
        assert judge_clock(facts()).outcome is Outcome.HOLDS

    @pytest.mark.parametrize("offset", ["Offset: -1.391ms", "Offset: +820us", "Offset: n/a", ""])
    def test_timesyncd_in_step(self, offset: str) -> None:
        assert judge_clock(facts({"time-services": TIMESYNCD, "timesync": offset})).outcome is Outcome.HOLDS


class TestTimeZone:
    def test_another_zone_than_the_plan_s(self) -> None:
        plan = wanted(PLAN.replace("[hosts]", '[hosts]\ntime_zone = "Europe/Berlin"'))
        assert judge_time_zone(facts(), plan).seen[0] == "the time zone is Etc/UTC, the plan says Europe/Berlin."

    def test_what_was_started_before_the_change(self) -> None:
        """It goes on with the zone that it read when it started."""
        result = judge_time_zone(facts(zone=SAFE["zone"].replace("1700000000", "1700000051")), wanted())
        assert result.seen[0].startswith("rsyslog.service still writes the old time")

    def test_all_names_of_utc_are_one(self) -> None:
        assert judge_time_zone(facts(zone="/usr/share/zoneinfo/UTC\n1"), wanted()).outcome is Outcome.HOLDS
