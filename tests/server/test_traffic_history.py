"""The traffic of each minute, hour and day: complete, bounded, there after a restart, and never in the way."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.server.running import Site, asked, running

from mailname.server.clock import ShiftedClock
from mailname.server.traffic_file import FILE, SPANS, TrafficFile, added
from mailname.server.traffic_history import TrafficHistory, traffic_of

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
MINUTE = 1_800_000_000 // 86400 * 86400  # the first of a day
numbers = st.integers(0, 10**6)
counts = st.fixed_dictionaries(
    {"questions": numbers, "types": st.dictionaries(st.sampled_from(["A", "MX", "TXT"]), st.integers(1, 10**6))}
)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[TrafficFile]:
    opened = TrafficFile(tmp_path / FILE)
    yield opened
    opened.close()


class Counting:
    """Counters that a test turns."""

    def __init__(self) -> None:
        self.questions = 0

    def __call__(self) -> dict[str, Any]:
        """Return a report as the server makes it."""
        by_name = dict.fromkeys(("questions", "answers", "limited", "edns", "do"), self.questions)
        return by_name | {name: {"MX": self.questions} for name in ("types", "rcodes", "transports", "families", "latency")}


class TestAdded:
    @given(counts, counts)
    def test_and_taken_away_again_is_what_it_was(self, one: dict[str, Any], other: dict[str, Any]) -> None:
        """What a counter has grown by is right whatever else has."""
        assert added(added(one, other), other, -1) == one
        assert added(one, other) == added(other, one)


class TestFile:
    def test_minutes_make_hours_and_hours_days(self, file: TrafficFile) -> None:
        """Each span has what its parts have."""
        for minute in range(0, 180, 7):
            file.add(MINUTE + 60 * minute + 59, {"questions": 1, "types": {"MX": 1}})
        for span in SPANS:
            assert sum(cast("int", one["questions"]) for _, one in file.last(span, 1000)) == 26
        assert [start - MINUTE for start, _ in file.last("hour", 10)] == [0, 3600, 7200]
        assert file.last("day", 10) == [(MINUTE, {"questions": 26, "types": {"MX": 26}})]
        assert file.last("minute", 1) == [(MINUTE + 60 * 175, {"questions": 1, "types": {"MX": 1}})]

    def test_is_bounded(self, file: TrafficFile, monkeypatch: pytest.MonkeyPatch) -> None:
        """The oldest of each kind goes; also after a long silence."""
        monkeypatch.setitem(SPANS, "minute", (60, 5))
        for minute in range(20):
            file.add(MINUTE + 60 * minute, {"questions": 1})
        assert [start - MINUTE for start, _ in file.last("minute", 100)] == [60 * minute for minute in range(15, 20)]
        file.add(MINUTE + 60 * 1000, {"questions": 1})
        assert len(file.last("minute", 100)) == 1
        assert len(file.last("hour", 100)) == 2

    def test_of_another_version_is_not_written(self, tmp_path: Path) -> None:
        """It may be a later mailname's."""
        with sqlite3.connect(tmp_path / FILE) as rows:
            rows.execute("PRAGMA user_version = 99")
        rows.close()
        with pytest.raises(sqlite3.DatabaseError, match="99"):
            TrafficFile(tmp_path / FILE)


class TestHistory:
    async def test_is_what_the_counters_grew_by(self, tmp_path: Path) -> None:
        """Minute by minute; nothing for a minute in which nobody asked."""
        clock, counting = ShiftedClock(), Counting()
        history = TrafficHistory(tmp_path, counting, clock)
        for questions in (3, 3, 10):
            counting.questions = questions
            clock.move(60)
            await history.note()
        await history.stop()
        assert [(row["questions"], row["types"]) for row in await history.told("minute", 10)] == [(3, {"MX": 3}), (7, {"MX": 7})]
        await history.stop()

    async def test_goes_on_after_a_start(self, tmp_path: Path) -> None:
        """Counters begin anew then; the history does not."""
        clock = ShiftedClock()
        for _ in range(2):
            history = TrafficHistory(tmp_path, counting := Counting(), clock)
            counting.questions = 5
            await history.note()
            await history.stop()
        assert [row["questions"] for row in await history.told("day", 10)] == [10]
        await history.stop()

    def test_of_a_process_that_is_killed_lacks_the_last_minute_at_most(self, tmp_path: Path) -> None:
        """Kill -9, twice on one file, wherever it is in its work: each minute that was noted is there, and none twice."""
        program = (
            "import asyncio, pathlib, sys\n"
            "from mailname.server.clock import ShiftedClock\n"
            "from mailname.server.traffic_history import PARTS, TrafficHistory\n"
            "counts = dict.fromkeys(PARTS, {}) | dict.fromkeys(('questions', 'answers', 'limited', 'edns', 'do'), 0)\n"
            "async def count():\n"
            "    clock = ShiftedClock()\n"
            "    history = TrafficHistory(pathlib.Path(sys.argv[1]), lambda: dict(counts), clock)\n"
            "    while True:\n"
            "        counts['questions'] += 7\n"
            "        clock.move(60)\n"
            "        await history.note()\n"
            "        print(counts['questions'], flush=True)\n"
            "asyncio.run(count())\n"
        )
        path = os.pathsep.join(map(str, (ROOT, ROOT / "src")))
        least = 0
        for minutes in (40, 43):
            words = [sys.executable, "-c", program, str(tmp_path)]
            with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": path}) as server:
                assert server.stdout is not None
                said = [server.stdout.readline() for _ in range(minutes)]
                server.kill()
                said += server.stdout.readlines()
            least += int([line for line in said if line.endswith("\n")][-1])
        kept = TrafficFile(tmp_path / FILE)
        for span in SPANS:
            assert least <= sum(cast("int", one["questions"]) for _, one in kept.last(span, 10_000)) <= least + 2 * 7
        kept.close()

    async def test_that_is_damaged_is_put_aside(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        """And told; a new one is begun."""
        (tmp_path / FILE).write_bytes(b"this is no database" * 100)
        history = TrafficHistory(tmp_path, counting := Counting(), ShiftedClock())
        counting.questions = 1
        await history.note()
        assert [row["questions"] for row in await history.told("day", 10)] == [1]
        assert "put aside" in caplog.text
        assert (tmp_path / f"{FILE}.damaged").read_bytes().startswith(b"this is no")
        await history.stop()

    async def test_that_cannot_be_written_waits(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        """Nothing is lost of the counts; it is told once, and in the report."""
        folder = tmp_path / "state"
        history = TrafficHistory(folder, counting := Counting(), ShiftedClock())
        for questions in (2, 5):
            counting.questions = questions
            await history.note()
        assert caplog.text.count("cannot be kept") == 1
        told = await traffic_of({"history": "day"}, lambda most, apex: {"most": most}, history, None)
        assert told["history"]["problem"]
        folder.mkdir()
        await history.note()
        assert [row["questions"] for row in await history.told("day", 10)] == [5]
        assert history.problem is None
        await history.stop()


class TestOrder:
    @pytest.mark.parametrize(
        "order",
        [{"most": -1}, {"most": "5"}, {"history": "year"}, {"history": "day", "spans": 0}, {"history": "day", "spans": True}],
    )
    async def test_that_asks_for_what_there_is_not_is_refused(self, tmp_path: Path, order: dict[str, Any]) -> None:
        """With what there is."""
        history = TrafficHistory(tmp_path, Counting(), ShiftedClock())
        told = await traffic_of(order, lambda most, apex: {}, history, None)
        assert not told["ok"]
        assert "from" in told["says"]

    async def test_of_a_server_tells_what_was_asked_before_it_was_started_again(self, site: Site) -> None:
        """What was counted last is written when it ends; what was asked since then is told, too."""
        config = site.primary(state=site.folder / "state")
        for _ in range(2):
            async with running(config) as server:
                for _ in range(3):
                    await asked(site.primary_at, "example.tech.", "MX")
                told = await server.obey({"do": "traffic", "history": "day"})
        assert told["questions"] == 3
        assert [(row["questions"], row["types"]) for row in told["history"]["rows"]] == [(6, {"MX": 6})]
