"""A word is said on transitions only: never twice, never left out for a fault that lasts, never more than damping allows."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from mailname.watch.history import Acknowledgement
from mailname.watch.topics import Seen, Topic
from mailname.watch.transitions import DAY, Change, Damping, Watching

MINUTE = 60.0
KEYS = ("NS-01 ns2", "XFER-04 ns2", "MX-01")


def topic(key: str = KEYS[0], stage: int = 0, *, after: float = 0.0, wakes: bool = False) -> Topic:
    return Topic(key, key.partition(" ")[0], stage, f"{key} is not well", "", "", "", "", after, wakes)


def seen(*topics: Topic, blind: tuple[str, ...] = ()) -> Seen:
    return Seen(topics, frozenset(blind))


class Times:
    """A watching, and a clock that only a test turns."""

    def __init__(self, damping: Damping | None = None) -> None:
        self.watching = Watching(damping or Damping())
        self.now = 1_800_000_000.0
        self.known: list[Acknowledgement] = []
        self.quiet = False

    def look(self, *topics: Topic, after: float = MINUTE, blind: tuple[str, ...] = (), to_all: bool = False) -> list[str]:
        self.now += after
        found = Seen(topics, frozenset(blind), to_all)
        changes = self.watching.note(found, self.now, acknowledged=self.known, is_quiet=lambda one: self.quiet and not one.wakes)
        return [f"{change.kind} {change.topic.key}" for change in changes]


class TestWatching:
    def test_fault_is_said_once_by_the_second_look_and_once_when_it_is_mended(self) -> None:
        times = Times()
        assert times.look(topic()) == []
        assert times.look(topic()) == ["not_well NS-01 ns2"]
        assert [times.look(topic()) for _ in range(500)] == [[]] * 500
        assert times.look() == []
        assert times.look() == ["well NS-01 ns2"]
        assert [times.look() for _ in range(500)] == [[]] * 500

    def test_fault_that_one_look_saw_is_not_said(self) -> None:
        times = Times()
        assert [times.look(*([topic()] if turn % 2 else [])) for turn in range(50)] == [[]] * 50

    def test_looks_in_quick_succession_do_not_make_it_last(self) -> None:
        times = Times()
        assert [times.look(topic(), after=1) for _ in range(60)] == [[]] * 60
        assert times.look(topic(), after=1) == ["not_well NS-01 ns2"]

    def test_what_comes_and_goes_is_one_fault_until_it_stays_away(self) -> None:
        """Three minutes there, three minutes away, for a day: said a few times, not 240."""
        times = Times()
        said = [word for turn in range(480) for word in times.look(*([topic()] if turn // 3 % 2 else []))]
        assert said == ["not_well NS-01 ns2", "well NS-01 ns2", "not_well NS-01 ns2", "well NS-01 ns2", "not_well NS-01 ns2"]
        assert [word for _ in range(30) for word in times.look()] == ["well NS-01 ns2"]

    def test_the_worst_that_flaps_is_said_twelve_times_in_a_day(self) -> None:
        """It goes when it was said, and comes again when it was said to be mended, looked at every 30 seconds for two days."""
        times = Times()
        there, said = True, []
        for _ in range(2 * 2880):
            words = times.look(*([topic()] if there else []), after=30)
            if words:
                there = words[0].startswith("well")
                said += [times.now] if not there else []
        assert max(sum(at <= other < at + DAY for other in said) for at in said) == 12

    def test_each_stage_is_said_once_and_none_that_one_look_saw(self) -> None:
        times = Times()
        stages = [0, 0, 2, 1, 1, 0, 1, 2, 2, 2, 0, 2]
        said = [times.look(topic(stage=stage)) for stage in stages]
        assert [(stage, word) for stage, words in zip(stages, said, strict=True) for word in words] == [
            (0, "not_well NS-01 ns2"),
            (1, "worse NS-01 ns2"),
            (2, "worse NS-01 ns2"),
        ]

    def test_of_what_a_look_cannot_tell_nothing_is_said_to_be_mended(self) -> None:
        times = Times()
        times.look(topic())
        times.look(topic())
        assert [times.look(blind=(KEYS[0],)) for _ in range(99)] == [[]] * 99
        assert [times.look(to_all=True) for _ in range(99)] == [[]] * 99
        assert times.look() == []
        assert times.look() == ["well NS-01 ns2"]

    def test_what_needs_longer_is_said_then(self) -> None:
        times = Times()
        said = [times.look(topic(after=3600.0)) for _ in range(62)]
        assert said.index(["not_well NS-01 ns2"]) == 60

    def test_quiet_hours_hold_back_what_is_still_so_after_them(self) -> None:
        times = Times()
        times.quiet = True
        assert [times.look(topic(), topic(KEYS[1])) for _ in range(9)] == [[]] * 9
        assert [times.look(topic()) for _ in range(9)] == [[]] * 9
        times.quiet = False
        assert times.look(topic()) == ["not_well NS-01 ns2"]
        times.quiet = True
        assert [times.look() for _ in range(9)] == [[]] * 9
        assert times.look(topic(wakes=True), topic("MX-01", wakes=True)) == []
        assert times.look(topic(wakes=True), topic("MX-01", wakes=True)) == ["not_well MX-01"]

    @pytest.mark.parametrize("known", ["NS-01 ns2", "NS-01", "*"])
    def test_what_is_acknowledged_is_said_when_that_ends(self, known: str) -> None:
        times = Times()
        times.known = [Acknowledgement("example.tech", known, "new disk comes", times.now, times.now + 600)]
        assert [times.look(topic()) for _ in range(9)] == [[]] * 9
        assert times.look(topic()) == ["again NS-01 ns2"]
        assert times.look(topic()) == []

    def test_what_was_said_and_then_acknowledged_is_said_again_when_that_ends(self) -> None:
        times = Times()
        times.look(topic())
        times.look(topic())
        times.known = [Acknowledgement("example.tech", "NS-01", "new disk comes", times.now, times.now + 600)]
        assert [times.look(topic(stage=1)) for _ in range(9)] == [[]] * 9
        assert times.look(topic(stage=1)) == ["again NS-01 ns2"]
        assert [times.look() for _ in range(2)] == [[], ["well NS-01 ns2"]]

    def test_acknowledged_and_mended_before_it_was_said_is_silence(self) -> None:
        times = Times()
        times.known = [Acknowledgement("example.tech", "NS-01", "new disk comes", times.now, times.now + 600)]
        assert [times.look(*([topic()] if turn < 5 else [])) for turn in range(30)] == [[]] * 30

    def test_that_is_written_down_and_read_goes_on_as_if_nothing_was(self) -> None:
        times = Times()
        times.look(topic())
        times.watching = Watching.from_text(times.watching.to_text(), Damping())
        assert times.look(topic()) == ["not_well NS-01 ns2"]
        times.watching = Watching.from_text(times.watching.to_text(), Damping())
        assert times.look(topic()) == []

    @pytest.mark.parametrize("text", [None, "", "{", "[]", '{"alarms": [7]}', '{"alarms": [{"topic": {}}]}'])
    def test_of_a_text_that_is_none_remembers_nothing(self, text: str | None) -> None:
        assert Watching.from_text(text, Damping()).told == ()

    def test_waits_no_longer_than_for_the_word_that_is_due(self) -> None:
        times = Times()
        assert times.watching.waits(times.now) is None
        times.look(topic())
        assert times.watching.waits(times.now) == MINUTE
        times.look(topic())
        assert times.watching.waits(times.now) is None
        times.look()
        assert times.watching.waits(times.now) == MINUTE


class Life(RuleBasedStateMachine):
    """Faults come and go as they like, looks are seconds or hours apart, and the process is started again now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.damping = Damping(confirm=60.0, longest=3600.0)
        self.watching = Watching(self.damping)
        self.now = 1_800_000_000.0
        self.there: set[str] = set()
        # How many looks in a row have seen it, or have not, and when the first of them was.
        self.run: dict[str, tuple[bool, int, float]] = dict.fromkeys(KEYS, (False, 0, self.now))
        self.said: dict[str, list[tuple[float, str]]] = {key: [] for key in KEYS}

    @rule(key=st.sampled_from(KEYS))
    def comes_or_goes(self, key: str) -> None:
        self.there ^= {key}

    @rule(seconds=st.sampled_from([1.0, 20.0, 60.0, 300.0, 3600.0, 40_000.0]))
    def is_looked_at(self, seconds: float) -> None:
        self.now += seconds
        for key, (was, looks, since) in self.run.items():
            found = key in self.there
            self.run[key] = (found, looks + 1, since) if found == was else (found, 1, self.now)
        for change in self.watching.note(seen(*map(topic, self.there)), self.now):
            self.take(change)

    def take(self, change: Change) -> None:
        words, kind = self.said[change.topic.key], change.kind
        found, looks, _ = self.run[change.topic.key]
        assert looks >= 2, "said what one look saw"
        if kind == "not_well":
            assert found
            assert not words or words[-1][1] == "well", "said twice"
            recent = [at for at, one in words if one == "not_well" and self.now - at < DAY]
            assert not recent or self.now - recent[-1] >= self.damping.calm(len(recent)), "said more than damping allows"
        else:
            assert kind == "well"
            assert not found, "said to be mended while it was there"
            assert words, "said to be mended what was not said to be wrong"
            assert words[-1][1] == "not_well", "said to be mended twice"
        words.append((self.now, kind))

    @rule()
    def is_started_again(self) -> None:
        self.watching = Watching.from_text(self.watching.to_text(), self.damping)

    @invariant()
    def is_not_silent(self) -> None:
        """See that a fault that lasts was said, and that it stays away, too."""
        for key, (found, looks, since) in self.run.items():
            last = self.said[key][-1][1] if self.said[key] else "well"
            if found and looks >= 2 and self.now - since >= self.damping.confirm:
                assert last == "not_well", "silent about a lasting fault"
            if not found and looks >= 2 and self.now - since >= self.damping.longest:
                assert last == "well", "silent about what is mended"


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
