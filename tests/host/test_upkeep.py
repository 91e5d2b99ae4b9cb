"""HOST-10 and HOST-11: room, and upgrades that install themselves."""

from __future__ import annotations

import pytest
from tests.host.told import SAFE, facts

from mailname.host.facts import Told
from mailname.host.step import Outcome
from mailname.host.upkeep import judge_disk, judge_upgrades


class TestDisk:
    @pytest.mark.parametrize("free", ["900000000", "2400000000"])
    def test_too_little(self, free: str) -> None:
        """Less than 1 GiB, or less than a twentieth."""
        result = judge_disk(facts(disk=SAFE["disk"].replace("49000000000", free)))
        assert result.outcome is Outcome.DOES_NOT_HOLD
        assert "left of 46.6" in result.seen[0]


class TestUpgrades:
    @pytest.mark.parametrize(
        ("old", "new", "said"),
        [
            ("package installed", "package config-files", "is not installed."),
            ("package installed", "dpkg-query: no packages found", "is not installed."),
            ('Unattended-Upgrade "1"', 'Unattended-Upgrade "0"', "does not look for upgrades by itself"),
            (
                "APT::Periodic::Update",
                'APT::Periodic::Enable "0";\nAPT::Periodic::Update',
                "does not look for upgrades by itself",
            ),
            ("timer enabled\ntimer", "timer masked\ntimer", "a timer is off"),
        ],
    )
    def test_what_is_wrong_is_named(self, old: str, new: str, said: str) -> None:
        assert said in judge_upgrades(facts(upgrades=SAFE["upgrades"].replace(old, new))).seen[0]

    def test_less_often_than_each_day_is_a_choice(self) -> None:
        assert judge_upgrades(facts(upgrades=SAFE["upgrades"].replace('Lists "1"', 'Lists "7"'))).outcome is Outcome.HOLDS

    def test_without_apt_nothing_is_known(self) -> None:
        assert judge_upgrades(facts(upgrades=Told("", 127))).outcome is Outcome.UNKNOWN
