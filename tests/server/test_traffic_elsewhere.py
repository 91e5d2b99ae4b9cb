"""The history of servers that keep none: complete between looks, and nothing made up where it cannot be known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from mailname.checks.observe_traffic import Told
from mailname.server.clock import iso
from mailname.server.traffic_elsewhere import TrafficElsewhere, spread
from mailname.server.traffic_file import added
from mailname.view.traffic_words import shares_of

if TYPE_CHECKING:
    from pathlib import Path

BEGIN = 1_800_000_000 // 86400 * 86400


def report(questions: int) -> dict[str, Any]:
    by_name = dict.fromkeys(("questions", "answers", "limited", "edns", "do"), questions)
    return by_name | {name: {"MX": questions} for name in ("types", "rcodes", "transports", "families", "latency")}


def rows(kept: TrafficElsewhere, questions: int, minute: float, span: str = "minute") -> list[tuple[str, int]]:
    told = kept.told(report(questions), BEGIN + 60 * minute, span, 60)["history"]
    assert told["problem"] is None
    return [(row["start"][11:16], row["questions"]) for row in told["rows"]]


class TestHistory:
    def test_is_what_counters_have_grown_by(self, tmp_path: Path) -> None:
        """The first look tells nothing; what came in three minutes is a third in each; each look finds it again."""
        kept = TrafficElsewhere(tmp_path / "traffic" / "ns1.sqlite")
        assert rows(kept, 1000, 10.5) == []
        assert rows(kept, 1000, 10.6) == []
        assert rows(kept, 1001, 10.9) == [("00:10", 1)]
        assert rows(kept, 1010, 13.9) == [("00:10", 1), ("00:11", 3), ("00:12", 3), ("00:13", 3)]
        assert rows(kept, 1010, 14, "hour") == [("00:00", 10)]

    def test_has_nothing_of_a_time_that_cannot_be_known(self, tmp_path: Path) -> None:
        """The server counts anew; nobody looked for days; the clock was set back. It goes on from there."""
        kept = TrafficElsewhere(tmp_path / "ns1.sqlite")
        rows(kept, 1000, 1)
        assert kept.told(report(1000), BEGIN + 119, "minute", 60)["history"]["since"][11:16] == "00:01"
        assert rows(kept, 7, 2) == []
        assert kept.told(report(7), BEGIN + 179, "minute", 60)["history"]["since"][11:16] == "00:02"
        assert rows(kept, 9, 3) == [("00:03", 2)]
        assert rows(kept, 500, 3 + 3000) == []
        assert rows(kept, 600, 3 + 2000) == []
        assert [count for _, count in rows(kept, 601, 3 + 2001)] == [1]

    def test_that_cannot_be_kept_is_told(self, tmp_path: Path) -> None:
        """The counts are there all the same."""
        path = tmp_path / "ns1.sqlite"
        path.mkdir()
        told = TrafficElsewhere(path).told(report(5), BEGIN, "minute", 60)
        assert told["questions"] == 5
        assert str(path) in told["history"]["problem"]


class TestSpread:
    @given(count=st.integers(0, 10**6), parts=st.integers(1, 50))
    def test_parts_add_up_and_are_alike(self, count: int, parts: int) -> None:
        made = list(spread({"questions": count, "types": {"MX": count}}, parts))
        total: dict[str, Any] = {}
        for one in made:
            total = added(total, one)
        assert total == {"questions": count, "types": {"MX": count} if count else {}}
        sizes = [one["questions"] for one in made]
        assert max(map(int, map(str, sizes))) - min(map(int, map(str, sizes))) <= 1


class TestShare:
    def test_is_of_the_time_in_which_both_histories_are_complete(self) -> None:
        """What our own server was asked before the other one was looked at says nothing about whom resolvers prefer."""

        def told(rows: dict[int, int], **history: str) -> Told:
            kept = [{"start": iso(BEGIN + 60 * minute), "questions": count} for minute, count in rows.items()]
            return Told("", {"since": iso(BEGIN), "history": {"rows": kept, **history}})

        ours = told({1: 100, 2: 100, 11: 30, 12: 30})
        other = told({9: 900, 11: 10, 12: 10}, since=iso(BEGIN + 60 * 10))
        shares, why = shares_of({"ns1": ours, "ns2": other})
        assert [(one.server, one.questions) for one in shares] == [("ns1", 60), ("ns2", 20)]
        assert why == ""
