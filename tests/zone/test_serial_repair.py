"""From a serial that went wrong to the one that is wanted: each step is taken by every secondary."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailname.zone import Serial
from mailname.zone.serial_repair import FARTHEST, Done, Publish, Stuck, WaitFor, next_action, relation, steps

SERIALS = st.integers(0, 2**32 - 1).map(Serial)


class TestRelation:
    @pytest.mark.parametrize(
        ("held", "primary", "word"),
        [(5, 5, "in step"), (4, 5, "behind"), (6, 5, "ahead"), (2**32 - 1, 5, "behind"), (5, 5 + 2**31, "no order")],
    )
    def test_is_by_rfc_1982(self, held: int, primary: int, word: str) -> None:
        """4294967295 is behind 5; half a circle apart there is no order."""
        assert relation(Serial(held), Serial(primary)) == word


class TestSteps:
    @pytest.mark.parametrize(
        ("held", "wanted", "found"),
        [
            (7, 7, []),
            (7, 8, [8]),
            (2062112200, 2026112200, [2062112200 + FARTHEST, 2026112200]),
            (7, 5, [7 + FARTHEST, 5]),
            (7, 6, [7 + FARTHEST, 5, 6]),
        ],
    )
    def test_known(self, held: int, wanted: int, found: list[int]) -> None:
        """Two leaps go as far as the whole circle but two, so one less takes three."""
        assert [one.value for one in steps(Serial(held), Serial(wanted))] == found

    @given(held=SERIALS, wanted=SERIALS)
    def test_each_is_newer_than_the_one_before(self, held: Serial, wanted: Serial) -> None:
        """And there are three at most."""
        path = steps(held, wanted)
        assert len(path) <= 3
        assert (held, *path)[-1] == wanted
        assert all(after.is_newer_than(before) for before, after in zip((held, *path), path, strict=False))


class TestNextAction:
    def test_waits_for_who_has_not_taken_the_step(self) -> None:
        """One secondary still holds the serial from before: it would refuse the last one."""
        wrong, step, wanted = Serial(2062112200), Serial(2062112200 + FARTHEST), Serial(2026112200)
        assert next_action(wrong, [wrong, wrong], wanted) == Publish(step)
        assert next_action(step, [step, wrong], wanted) == WaitFor(step)
        assert next_action(step, [step, step], wanted) == Publish(wanted)
        assert next_action(wanted, [step, wanted], wanted) == WaitFor(wanted)
        assert next_action(wanted, [wanted, wanted], wanted) == Done()

    def test_goes_above_a_secondary_that_is_ahead(self) -> None:
        """It refuses whatever the primary serves until that is newer."""
        assert next_action(Serial(10), [Serial(20)], Serial(21)) == Publish(Serial(21))
        action = next_action(Serial(10), [Serial(20)], Serial(11))
        assert isinstance(action, Publish)
        assert action.serial.is_newer_than(Serial(20))

    def test_ring_is_told(self) -> None:
        """Three servers, each ahead of the next: nothing is newer than all."""
        ring = [Serial(0), Serial(2**31 - 1), Serial(2**32 - 2**30)]
        assert next_action(ring[0], ring[1:], Serial(5)) == Stuck()

    @given(primary=SERIALS, others=st.lists(SERIALS, max_size=3), wanted=SERIALS)
    def test_followed_leads_to_what_is_wanted(self, primary: Serial, others: list[Serial], wanted: Serial) -> None:
        """Secondaries follow when they like, as RFC 1982 lets them; whatever is published is newer than all they hold."""
        for _ in range(40):
            action = next_action(primary, others, wanted)
            match action:
                case Done():
                    assert {primary, *others} == {wanted}
                    return
                case Stuck():
                    held = {primary, *others}
                    assert not all(primary == one or primary.is_newer_than(one) for one in held)
                    return
                case Publish(serial):
                    assert serial.is_newer_than(primary)
                    assert all(serial >= one for one in others)
                    primary = serial
                case WaitFor(serial):
                    assert serial == primary
                    late = next(number for number, one in enumerate(others) if one != primary)
                    assert primary.is_newer_than(others[late])
                    others[late] = primary
        raise AssertionError(f"no end: {primary} {others} {wanted}")
