"""A secondary whose wall clock is set, while it runs and while it does not."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
from tests.server.running import Running, Site, running, serial_at, until

from mailname.server.clock import ShiftedClock

if TYPE_CHECKING:
    from pathlib import Path

DAY, YEAR = 86400, 31536000


async def copied(secondary: Running) -> None:
    """Wait until the copy is there and nothing is under way."""
    await until(lambda: secondary.serial() == 1 and not secondary.zone_status()["busy"])


@pytest.mark.parametrize("jump", [3600, -3600, DAY, -DAY, YEAR, -YEAR])
class TestJump:
    async def test_while_it_runs_changes_no_life_and_is_told(
        self, site: Site, jump: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Both limits are named; the first confirmation ends the doubt."""
        caplog.set_level(logging.INFO, "mailname")
        site.write(1, expire=5000)
        async with running(site.secondary()) as secondary:
            async with running(site.primary()):
                await copied(secondary)
            secondary.clock.set_wall(jump)
            await until(lambda: secondary.zone_status()["clock"])
            told = secondary.zone_status()["clock"]
            assert told["jumped"] == jump
            assert "by the wall clock it would have been" in told["says"]
            assert f"the wall clock was set {'forward' if jump > 0 else 'back'} by {abs(jump)} seconds" in caplog.text
            secondary.clock.move(4900)
            assert await serial_at(site.secondary_at) == 1
            async with running(site.primary()):
                await until(lambda: secondary.zone_status()["clock"] is None)
            secondary.clock.move(5001)
            await until(lambda: secondary.zone_status()["state"] == "expired")
            assert await serial_at(site.secondary_at) == "SERVFAIL"

    async def test_between_stop_and_start_neither(self, site: Site, jump: int) -> None:
        """The machine was not booted: the clock that never jumps knows how old the copy is."""
        site.write(1, expire=5000)
        async with running(site.primary()), running(site.secondary()) as secondary:
            await copied(secondary)
        clock = ShiftedClock(4000)
        clock.set_wall(jump)
        async with running(site.secondary(), clock) as secondary:
            assert await serial_at(site.secondary_at) == 1
            assert abs(secondary.zone_status()["clock"]["jumped"] - jump) <= 1
            clock.move(1001)
            await until(lambda: secondary.zone_status()["state"] == "expired")


class TestBoot:
    @pytest.fixture(autouse=True)
    def booted(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let each server find another boot than the one before."""
        self.boots = 0

        def boot(_clock: ShiftedClock) -> str:
            return f"boot {self.boots}"

        monkeypatch.setattr(ShiftedClock, "boot", boot)

    async def test_with_the_wall_clock_far_ahead_expires_the_copy_and_says_on_whose_word(self, site: Site) -> None:
        """Nothing else can tell; what the copy's age comes from is named."""
        site.write(1, expire=5000)
        async with running(site.primary()), running(site.secondary()) as secondary:
            await copied(secondary)
        self.boots += 1
        clock = ShiftedClock()
        clock.set_wall(DAY)
        async with running(site.secondary(), clock) as secondary:
            assert await serial_at(site.secondary_at) == "SERVFAIL"
            assert "only its wall clock tells" in secondary.zone_status()["clock"]["says"]

    async def test_with_the_wall_clock_set_back_is_told(self, site: Site) -> None:
        """It cannot be: more time has passed than none."""
        site.write(1, expire=50_000_000)
        async with running(site.primary()), running(site.secondary()) as secondary:
            await copied(secondary)
        self.boots += 1
        clock = ShiftedClock()
        clock.set_wall(-YEAR)
        async with running(site.secondary(), clock) as secondary:
            told = secondary.zone_status()
            assert told["state"] == "serving"
            assert told["clock"]["jumped"] < -YEAR + DAY


class TestBootId:
    def test_of_a_system_that_has_none_is_empty(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Then only the wall clock counts across a restart."""
        assert ShiftedClock().boot()
        monkeypatch.setattr("mailname.server.clock._BOOT_ID", tmp_path / "none")
        assert ShiftedClock().boot() == ""
