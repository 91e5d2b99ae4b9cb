from __future__ import annotations

import time

import pytest

from mailname.server.rehearsed_clock import RehearsedClock


class TestRehearsedClock:
    def test_runs_faster_from_the_moment_on_which_both_agree(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """An hour in a second."""
        monkeypatch.setattr(time, "time", lambda: 1000.0)
        clock = RehearsedClock.from_now(3600)
        monkeypatch.setattr(time, "time", lambda: 1001.0)
        assert clock.wall() == 4600.0
        assert clock.now().timestamp() == 4600.0

    async def test_sleeps_its_own_seconds(self) -> None:
        """The hour is over when it is over there."""
        clock = RehearsedClock.from_now(36000)
        before = clock.wall()
        await clock.sleep(360)
        assert clock.wall() - before >= 350

    def test_is_the_same_after_it_was_written_and_read(self) -> None:
        """As a second process does."""
        clock = RehearsedClock(1000.5, 60.0)
        assert RehearsedClock.from_json(clock.to_json()) == clock

    @pytest.mark.parametrize("speed", [0, -1, float("inf"), float("nan")])
    def test_that_does_not_run_is_refused(self, speed: float) -> None:
        """Nobody should wait for it."""
        with pytest.raises(ValueError, match="cannot run"):
            RehearsedClock.from_json({"since": 0, "speed": speed})
