"""Shares of the questions: they add up, and their intervals hold what is true."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailname.checks.traffic_share import shares, wilson

series = st.dictionaries(st.integers(0, 30), st.integers(0, 10_000), max_size=30)


def drawn(chance: random.Random, part: float, minutes: int, burst: int) -> dict[str, dict[int, int]]:
    """Return questions of minutes in which resolvers choose by chance, each asking ``burst`` questions of the one it chose."""
    found: dict[str, dict[int, int]] = {"ns1": {}, "ns2": {}}
    for minute in range(minutes):
        resolvers = chance.randint(5, 40)
        first = sum(chance.random() < part for _ in range(resolvers))
        found["ns1"][minute], found["ns2"][minute] = first * burst, (resolvers - first) * burst
    return found


class TestShares:
    @given(st.dictionaries(st.sampled_from(["ns1", "ns2", "ns3"]), series, min_size=1))
    def test_add_up_and_lie_within_their_bounds(self, questions: dict[str, dict[int, int]]) -> None:
        """Whatever was asked of whom and when."""
        found = shares(questions)
        asked = sum(sum(one.values()) for one in questions.values())
        assert bool(found) == bool(asked)
        if found:
            assert [one.server for one in found] == list(questions)
            assert sum(one.share for one in found) == pytest.approx(1)
            assert sum(one.questions for one in found) == asked
            for one in found:
                assert 0 <= one.least <= one.share + 1e-9
                assert one.share - 1e-9 <= one.most <= 1

    @pytest.mark.parametrize("burst", [1, 20])
    def test_hold_the_truth_nineteen_times_of_twenty(self, burst: int) -> None:
        """Also where resolvers ask in bursts, which the number of questions alone would hide."""
        chance = random.Random(burst)
        held = 0
        for _ in range(300):
            first, _ = shares(drawn(chance, 0.61, 60, burst))
            held += first.least <= 0.61 <= first.most
        assert 0.90 <= held / 300 <= 0.99

    def test_of_few_minutes_are_by_their_number(self) -> None:
        """Wilson's interval, and that is told."""
        first, second = shares({"ns1": {0: 61}, "ns2": {0: 39}})
        assert (first.spans, second.spans) == (0, 0)
        assert (first.least, first.most) == wilson(61, 100)

    def test_of_one_who_was_never_asked(self) -> None:
        """Is nothing, with an upper bound."""
        first, second = shares({"ns1": {0: 30}, "ns2": {}})
        assert (first.share, second.share) == (1, 0)
        assert 0 < second.most < 0.2


class TestWilson:
    @given(st.integers(1, 10_000).flatmap(lambda tries: st.tuples(st.integers(0, tries), st.just(tries))))
    def test_holds_what_was_seen(self, seen: tuple[int, int]) -> None:
        """Within 0 and 1."""
        least, most = wilson(*seen)
        assert 0 <= least <= seen[0] / seen[1] + 1e-9
        assert seen[0] / seen[1] - 1e-9 <= most <= 1
