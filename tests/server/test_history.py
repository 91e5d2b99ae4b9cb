"""The history: bounded, joined, kept; and never in the way."""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.server.running import Site, running, until

from mailname.server.history import FILE, History
from mailname.server.history_file import HistoryFile
from mailname.server.traffic_file import TrafficFile
from mailname.transfer.event import Event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ZONE = "example.tech."
FETCHED = Event(ZONE, "192.0.2.1:53", "in", "transfer", 1.0, 2.0, kind="AXFR", serial_from=1, serial_to=2)
FAILED = Event(ZONE, "192.0.2.1:53", "in", "failed", 3.0, 4.0, "refused")
NOTIFIED = Event(ZONE, "192.0.2.1:53", "in", "notify", 3.0, 3.0, "acknowledged")


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    kept = History(tmp_path, most_per_peer=5, most_rows=40)
    yield kept
    kept.close()


class TestHistory:
    @pytest.mark.parametrize("on_disk", [True, False])
    async def test_tells_the_newest_first(self, tmp_path: Path, on_disk: bool) -> None:
        """What was noted before a question is in its answer; without a state folder it is the same, in memory."""
        history = History(tmp_path if on_disk else None)
        history.note(FETCHED)
        history.note(FAILED)
        assert await history.last(ZONE, 10) == [FAILED, FETCHED]
        assert await history.last("other.test.", 10) == []
        assert await history.last(None, 1) == [FAILED]
        assert (tmp_path / FILE).exists() is on_disk
        history.close()

    async def test_is_there_after_a_restart(self, tmp_path: Path) -> None:
        """Closing writes what waits."""
        first = History(tmp_path)
        first.note(FETCHED)
        first.close()
        second = History(tmp_path)
        assert await second.last(ZONE, 10) == [FETCHED]
        second.close()

    async def test_ends_while_the_first_event_is_noted(self, tmp_path: Path) -> None:
        """A server that is stopped as soon as it runs closes in a thread, beside an event loop that goes on."""
        for _ in range(20):
            history = History(tmp_path)
            closing = asyncio.create_task(asyncio.to_thread(history.close))
            await asyncio.sleep(0)
            history.note(FETCHED)
            asked = await history.last(ZONE, 1)
            await closing
            history.close()
            assert asked == [FETCHED]

    async def test_the_same_again_is_one_row(self, history: History) -> None:
        """With how often and since when; NOTIFYs between do not interrupt it; a success does."""
        for at in (10.0, 20.0):
            history.note(replace(FAILED, start=at, end=at))
            history.note(replace(NOTIFIED, start=at, end=at))
            await history.last(None, 1)  # so that each is written for itself
        (failed,) = [one for one in await history.last(ZONE, 10) if one.what == "failed"]
        assert (failed.start, failed.end, failed.count) == (10.0, 20.0, 2)
        history.note(FETCHED)
        history.note(replace(FAILED, start=30.0))
        assert [one.count for one in await history.last(ZONE, 10) if one.what == "failed"] == [1, 2]

    async def test_is_bounded_per_peer_and_in_all(self, history: History) -> None:
        """Strangers drive out strangers only."""
        history.note(replace(FETCHED, peer="192.0.2.9:53"))
        for n in range(100):
            history.note(replace(FETCHED, serial_to=n))
            history.note(replace(FAILED, peer=f"198.51.100.{n}", direction="out", what="refused", known=False))
        found = await history.last(ZONE, 1000)
        assert [one.serial_to for one in found if one.peer == FETCHED.peer] == [99, 98, 97, 96, 95]
        assert sum(not one.known for one in found) == 5
        assert found[-1].peer == "192.0.2.9:53"
        for n in range(60):
            history.note(replace(FETCHED, zone=f"z{n}.test."))
        assert len(await history.last(None, 1000)) == 40

    async def test_damaged_file_is_begun_anew_and_told(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        """It is an account for people: nothing else depends on it."""
        (tmp_path / FILE).write_bytes(b"SQLite format 3\0" + os.urandom(5000))
        history = History(tmp_path)
        history.note(FETCHED)
        assert await history.last(ZONE, 10) == [FETCHED]
        assert (history.problem, "a new one is begun" in caplog.text) == (None, True)
        history.close()
        assert HistoryFile(tmp_path / FILE).all() == [FETCHED]

    async def test_of_another_version_is_begun_anew(self, tmp_path: Path) -> None:
        """What a later release wrote is not guessed at."""
        with sqlite3.connect(tmp_path / FILE) as other:
            other.execute("PRAGMA user_version = 99")
        other.close()
        history = History(tmp_path)
        history.note(FETCHED)
        assert await history.last(ZONE, 10) == [FETCHED]
        history.close()

    async def test_goes_on_in_memory_where_the_disk_refuses(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """And is kept on the disk again, with what happened meanwhile, when that takes it."""
        monkeypatch.setattr("mailname.server.history._TRIES_AGAIN", 2)
        caplog.set_level(logging.INFO, "mailname")
        (tmp_path / FILE).mkdir()
        history = History(tmp_path)
        history.note(FETCHED)
        assert await history.last(ZONE, 10) == [FETCHED]
        assert str(tmp_path / FILE) in str(history.problem)
        (tmp_path / FILE).rmdir()
        history.note(FAILED)
        assert await history.last(ZONE, 10) == [FAILED, FETCHED]
        assert not history.problem
        assert "is kept in" in caplog.text
        history.close()
        assert HistoryFile(tmp_path / FILE).all()[0] == FETCHED

    async def test_disk_that_is_full_is_told(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """What comes then is kept in memory."""
        opened = sqlite3.connect

        def small(*args: Any, **options: Any) -> sqlite3.Connection:
            made: sqlite3.Connection = opened(*args, **options)
            if str(args[0]) != ":memory:":
                made.execute("PRAGMA max_page_count = 6")
            return made

        monkeypatch.setattr(sqlite3, "connect", small)
        history = History(tmp_path)
        for n in range(200):
            history.note(replace(FETCHED, serial_to=n, says="x" * 400))
        assert [one.serial_to for one in await history.last(ZONE, 2)] == [199, 198]
        assert "full" in str(history.problem)
        history.close()

    async def test_flood_is_bounded(self, history: History, monkeypatch: pytest.MonkeyPatch) -> None:
        """What is too much is counted and dropped: noting never waits."""
        monkeypatch.setattr("mailname.server.history._MOST_WAITING", 0)
        history.note(FETCHED)
        assert history.dropped == 1


class TestServer:
    async def test_both_sides_tell_a_transfer(self, site: Site) -> None:
        """Kind, serials, messages, records, octets, seconds, on either side; NOTIFYs too."""
        async with running(site.secondary()) as secondary, running(site.primary()) as primary:
            await until(lambda: secondary.serial() == 1)
            site.write(2)
            await primary.reload()
            await until(lambda: secondary.serial() == 2)
            await until(lambda: primary.zone_status()["secondaries"][0]["state"] == "acknowledged")
            ours = await primary.obey({"do": "history", "zone": "example.tech"})
            theirs = await secondary.obey({"do": "history", "zone": "EXAMPLE.tech"})
            assert (ours["schema"], ours["problem"]) == ("mailname.history/1", None)
            sent = next(one for one in ours["events"] if one["what"] == "transfer")
            fetched = next(one for one in theirs["events"] if one["what"] == "transfer")
            for name in ("serial_to", "messages", "records", "octets"):
                assert sent[name] == fetched[name]
            assert (fetched["serial_from"], fetched["serial_to"], fetched["direction"]) == (1, 2, "in")
            assert (sent["peer"], fetched["peer"]) == ("127.0.0.3", str(site.primary_at))
            assert {"notify", "transfer"} <= {one["what"] for one in ours["events"]} & {one["what"] for one in theirs["events"]}
            told = (await primary.obey({"do": "status"}))["zones"][0]["secondaries"][0]
            assert told["fetched"]["serial_to"] == 2
        async with running(site.primary()) as primary:
            told = (await primary.obey({"do": "status"}))["zones"][0]["secondaries"][0]
            assert told["fetched"]["serial_to"] == 2

    async def test_order_that_cannot_be_read_is_told(self, site: Site) -> None:
        """As the other orders do."""
        async with running(site.primary()) as primary:
            for most in (0, "x", True, 10**9):
                assert not (await primary.obey({"do": "history", "most": most}))["ok"]


class TestKilled:
    def test_at_any_moment_leaves_a_file_that_can_be_read(self, tmp_path: Path) -> None:
        """With whole events in it, from the first written to the last."""
        code = (
            "import sys; from pathlib import Path; from mailname.server.history_file import HistoryFile;"
            "from mailname.transfer.event import Event; file = HistoryFile(Path(sys.argv[1]));\n"
            "for n in range(10**9):\n"
            "    file.add([Event('example.tech.', '192.0.2.1:53', 'in', 'transfer', n, n, serial_to=n)]); print(n, flush=True)"
        )
        for moment in (1, 40, 117):
            with subprocess.Popen([sys.executable, "-c", code, tmp_path / FILE], stdout=subprocess.PIPE) as writer:
                assert writer.stdout is not None
                for _ in range(moment):
                    writer.stdout.readline()
                writer.kill()
            file = HistoryFile(tmp_path / FILE)
            serials = [event.serial_to for event in file.last(ZONE, 50)]
            file.close()
            assert serials[0] is not None
            assert serials[0] >= moment - 1
            assert serials[: min(moment, 50)] == list(range(serials[0], serials[0] - min(moment, 50), -1))


class TestFile:
    @pytest.mark.parametrize("opened", [HistoryFile, TrafficFile])
    def test_is_not_mapped(self, tmp_path: Path, opened: Callable[[Path], HistoryFile | TrafficFile]) -> None:
        """A full disk that cannot give a mapped page ends the process (SIGBUS), and with it the answering."""
        file = opened(tmp_path / "rows.sqlite")
        try:
            assert {path.name for path in tmp_path.iterdir()} <= {"rows.sqlite", "rows.sqlite-wal"}
        finally:
            file.close()
