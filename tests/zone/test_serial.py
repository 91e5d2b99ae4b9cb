from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.strategies import serials

from mailname.zone import Serial
from mailname.zone.serial import highest, next_serial

TODAY = date(2026, 11, 22)
HALF = 2**31
increments = st.integers(1, HALF - 1)


class TestSerial:
    @pytest.mark.parametrize("value", [-1, 2**32])
    def test_has_32_bits(self, value: int) -> None:
        """RFC 1035 section 3.3.13."""
        with pytest.raises(ValueError, match="0 to 4294967295"):
            Serial(value)

    @pytest.mark.parametrize("increment", [-1, HALF])
    def test_is_raised_by_less_than_half_the_circle(self, increment: int) -> None:
        """RFC 1982 section 3.1."""
        with pytest.raises(ValueError, match="0 to 2147483647"):
            Serial(0).plus(increment)

    @given(serials, increments)
    def test_raised_is_newer(self, serial: Serial, increment: int) -> None:
        """Whatever is added below 2**31 makes a newer serial, also over the wrap. RFC 1982 section 3.2."""
        raised = serial.plus(increment)
        assert raised > serial
        assert raised >= serial
        assert serial < raised
        assert serial <= raised
        assert not serial.is_newer_than(raised)

    @given(serials)
    def test_half_the_circle_away_has_no_order(self, serial: Serial) -> None:
        """RFC 1982 section 3.2 leaves the comparison undefined; we say no to each question."""
        other = Serial((int(serial) + HALF) % 2**32)
        assert serial != other
        assert [serial < other, serial > other, serial <= other, serial >= other] == [False] * 4

    @given(serials)
    def test_equals_itself_only(self, serial: Serial) -> None:
        """An equal serial is not newer: a secondary that holds it transfers nothing."""
        same = Serial(int(serial))
        assert same == serial
        assert same <= serial <= same
        assert hash(same) == hash(serial)
        assert not same.is_newer_than(serial)
        assert serial != int(serial)

    def test_is_shown_as_a_number(self) -> None:
        assert (str(Serial(2016060100)), repr(Serial(7))) == ("2016060100", "Serial(7)")


class TestHighest:
    def test_of_none_is_none(self) -> None:
        assert highest([]) is None

    @given(serials, st.lists(st.integers(0, HALF - 1), min_size=1))
    def test_is_the_newest(self, lowest: Serial, steps: list[int]) -> None:
        """Within half the circle there is one newest, wherever the wrap lies."""
        assert highest([lowest.plus(step) for step in steps]) == lowest.plus(max(steps))

    @given(st.lists(serials, min_size=1).flatmap(lambda made: st.tuples(st.just(made), st.permutations(made))))
    def test_does_not_depend_on_the_order(self, made: tuple[list[Serial], list[Serial]]) -> None:
        """Even where the serials make a ring."""
        assert highest(made[0]) == highest(made[1])


class TestNextSerial:
    @pytest.mark.parametrize(
        ("known", "expected"),
        [
            ([], 2026112200),
            ([2016060100], 2026112200),
            ([2026112200], 2026112201),
            ([2026112198, 2026112200, 2026112205], 2026112206),
            ([2026112299], 2026112300),  # the hundredth change of a day borrows from tomorrow
            ([2026112317], 2026112318),
            ([2099010100], 2099010101),  # a serial in the future keeps rising by one
            ([1], 2026112200),
            ([4294967295], 2026112200),  # over the wrap
            ([2026112200 + HALF - 1], 2026112200 + HALF),  # too far ahead for today's date to be newer
            ([2026112200 - HALF + 2**32], 2026112200 - HALF + 2**32 + 1),  # exactly half the circle away: no order, so by one
            ([0, 2**32 - 2**30], 1),  # today's date is newer than 0, but older than what another server holds
        ],
    )
    def test_of_what_is_known(self, known: list[int], expected: int) -> None:
        """Today's YYYYMMDD00, or one above the highest where that is not newer than all."""
        assert next_serial(TODAY, map(Serial, known)) == Serial(expected)

    @given(serials, st.lists(st.integers(0, HALF - 2), min_size=1), st.dates())
    def test_is_newer_than_all_known(self, lowest: Serial, steps: list[int], today: date) -> None:
        """No server's serial may be higher than the next version's, or that server would not take it."""
        known = [lowest.plus(step) for step in steps]
        following = next_serial(today, known)
        assert all(following.is_newer_than(one) for one in known)
