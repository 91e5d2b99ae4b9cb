"""Time that passed, by two clocks."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailname.transfer.moment import ClockWatch, Elapsed, Memory, Moment, elapsed

DAY = 86400.0
YEAR = 365 * DAY


class TestElapsed:
    @pytest.mark.parametrize("jump", [0.0, 3600.0, -3600.0, DAY, -DAY, YEAR, -YEAR])
    def test_within_a_boot_the_wall_clock_changes_nothing(self, jump: float) -> None:
        """The clock that never jumps tells; by how much the other one parts from it is told as well."""
        before, now = Moment(1000.0, 1e9, "one"), Moment(1600.0, 1e9 + 600.0 + jump, "one")
        assert elapsed(before, now) == Elapsed(600.0, jump, sure=True)

    def test_small_differences_are_no_jump(self) -> None:
        """Clocks are set right by a second now and then."""
        assert elapsed(Moment(1.0, 1e9, "one"), Moment(5.0, 1e9 + 5.5, "one")) == Elapsed(4.0, 0.0, sure=True)

    @pytest.mark.parametrize(
        ("by_wall", "passed"),
        [
            (600.0, Elapsed(600.0, 0.0, sure=False)),
            (YEAR, Elapsed(YEAR, 0.0, sure=False)),
            (-DAY, Elapsed(100.0, -DAY - 100.0, sure=False)),
            (50.0, Elapsed(100.0, -50.0, sure=False)),
        ],
    )
    def test_across_a_boot_it_is_the_wall_clock_s_but_no_less_than_the_time_since(self, by_wall: float, passed: Elapsed) -> None:
        """The machine is up for 100 seconds: that much has passed, whatever the wall clock says."""
        assert elapsed(Moment(7e6, 1e9, "one"), Moment(100.0, 1e9 + by_wall, "two")) == passed

    @pytest.mark.parametrize(("before", "now"), [("", "two"), ("", ""), ("one", "")])
    def test_without_boots_to_tell_apart_the_wall_clock_is_all_there_is(self, before: str, now: str) -> None:
        """As on systems that do not name their boots, and with what older versions noted."""
        assert elapsed(Moment(0.0, 1e9, before), Moment(9e9, 1e9 + 60.0, now)) == Elapsed(60.0, 0.0, sure=False)
        assert elapsed(Moment(0.0, 1e9, before), Moment(9e9, 1e9 - 60.0, now)) == Elapsed(0.0, -60.0, sure=False)

    def test_clock_that_went_back_within_a_boot_is_not_trusted(self) -> None:
        """It never does, unless the folder came from another machine that was named alike."""
        assert elapsed(Moment(900.0, 1e9, "one"), Moment(100.0, 1e9 + 500.0, "one")) == Elapsed(500.0, 0.0, sure=False)


class TestWatch:
    def test_tells_each_jump_once(self) -> None:
        """And nothing of time that only passes."""
        watch = ClockWatch(Moment(0.0, 1e9))
        assert watch.on_look(Moment(5.0, 1e9 + 5.0)) == 0.0
        assert watch.on_look(Moment(10.0, 1e9 + 10.0 + DAY)) == DAY
        assert watch.on_look(Moment(15.0, 1e9 + 15.0 + DAY)) == 0.0
        assert watch.on_look(Moment(20.0, 1e9 + 20.0)) == -DAY

    def test_slow_drift_adds_up(self) -> None:
        """Until it is worth telling."""
        watch = ClockWatch(Moment(0.0, 1e9))
        told = [watch.on_look(Moment(5.0 * n, 1e9 + 5.5 * n)) for n in range(1, 11)]
        assert [seconds for seconds in told if seconds] == [2.5, 2.5]


memories = st.builds(
    Memory,
    st.builds(Moment, st.floats(0, 1e9), st.floats(0, 1e10), st.text(max_size=36)),
    st.none() | st.floats(0, 1e9),
    st.floats(0, 1e7),
    st.integers(0, 1000),
    st.booleans(),
    st.floats(-1e9, 1e9),
)


class TestMemory:
    @given(memories)
    def test_comes_back_from_json(self, memory: Memory) -> None:
        """As it was."""
        assert Memory.of_json(json.loads(json.dumps(asdict(memory)))) == memory

    @pytest.mark.parametrize(
        "spoiled",
        [
            None,
            [],
            {},
            {"at": 5},
            {"at": {"waiting": True, "wall": 1, "boot": ""}},
            {"at": {"waiting": 1, "wall": float("nan"), "boot": ""}},
            {"at": {"waiting": 1, "wall": -5, "boot": ""}},
            {"at": {"waiting": 1, "wall": 1, "boot": 7}},
        ],
    )
    def test_spoiled_one_is_none(self, spoiled: object) -> None:
        """Then nothing is known of the copy's age, and it is not served unconfirmed."""
        assert Memory.of_json(spoiled) is None

    @pytest.mark.parametrize(
        "change", [{"age": -1.0}, {"failures": "3"}, {"failures": -1}, {"refresh_in": None}, {"jumped": float("inf")}]
    )
    def test_each_field_is_looked_at(self, change: dict[str, object]) -> None:
        """A disk may have spoiled any of them."""
        whole = asdict(Memory(Moment(1.0, 1.0, "one"), 5.0))
        assert Memory.of_json(whole) is not None
        assert Memory.of_json(whole | change) is None
