"""The history of checks: bounded, there after the process was killed, and read beside the one who writes."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from mailname.errors import HostError
from mailname.watch import history as subject
from mailname.watch.history import FILE, Acknowledgement, History, Look, Transition

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DOMAIN = "example.tech"


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    opened = History(tmp_path / FILE)
    yield opened
    opened.close()


def look(at: float, verdict: str = "well", topic: str = "", domain: str = DOMAIN) -> Look:
    return Look(domain, verdict, topic.partition(" ")[0], topic, f"seen at {at:.0f}", "", "", "", "", at)


def transition(at: float, domain: str = DOMAIN) -> Transition:
    return Transition(domain, at, "not_well", "NS-01", "NS-01 ns2", f"said at {at:.0f}", "", "", "")


def recorded(history: History, *looks: Look) -> None:
    with history.together():
        for one in looks:
            history.record(one)


class TestSpells:
    def test_lasts_while_looks_find_the_same(self, history: History) -> None:
        recorded(history, look(100), look(160), look(220, "broken", "NS-01 ns2"), look(280, "broken", "NS-01 ns2"), look(340))
        told = [(one.verdict, one.since, one.until, one.looks, one.says) for one in history.spells(DOMAIN)]
        assert told == [
            ("well", 340, 340, 1, "seen at 340"),
            ("broken", 220, 280, 2, "seen at 280"),
            ("well", 100, 160, 2, "seen at 160"),
        ]

    def test_overview_has_the_last_of_each_domain(self, history: History) -> None:
        recorded(history, look(1), look(2, "fragile", "XFER-01 ns2"), look(3, domain="another.example"))
        assert [(one.domain, one.verdict) for one in history.overview()] == [("another.example", "well"), (DOMAIN, "fragile")]
        assert history.last("nobody.example") is None

    def test_are_bounded(self, history: History, monkeypatch: pytest.MonkeyPatch) -> None:
        """The oldest of that domain goes; another's stays."""
        monkeypatch.setattr(subject, "MOST_SPELLS", 5)
        recorded(history, look(0, domain="another.example"), *(look(at, "fragile", f"NS-0{at} x") for at in range(1, 10)))
        assert [one.since for one in history.spells(DOMAIN)] == [9, 8, 7, 6, 5]
        assert history.last("another.example") is not None

    def test_of_a_clock_that_was_set_back_stand_in_order(self, history: History) -> None:
        recorded(history, look(1000), look(10, "broken", "NS-01 a"), look(5, "broken", "NS-01 a"), look(20))
        assert [one.verdict for one in history.spells(DOMAIN)] == ["well", "broken", "well"]


class TestTransitions:
    def test_are_told_of_one_or_of_all_and_bounded(self, history: History, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(subject, "MOST_TRANSITIONS", 3)
        with history.together():
            numbers = [history.told(transition(at)) for at in range(5)] + [history.told(transition(9, "another.example"))]
        assert numbers == sorted(set(numbers))
        assert [one.at for one in history.transitions(DOMAIN)] == [4, 3, 2]
        assert [one.at for one in history.transitions(most=2)] == [9, 4]

    def test_what_fails_in_the_middle_is_not_kept(self, history: History) -> None:
        def half() -> None:
            with history.together():
                history.told(transition(1))
                raise KeyError

        with pytest.raises(KeyError):
            half()
        assert history.transitions() == []


class TestAcknowledgements:
    def test_the_later_one_counts_and_an_ended_one_is_taken_back(self, history: History) -> None:
        for given in (Acknowledgement(DOMAIN, "NS-01", "disk", 1, 50), Acknowledgement(DOMAIN, "NS-01", "new disk", 2, 90)):
            history.acknowledge(given)
        assert [one.reason for one in history.acknowledgements(DOMAIN)] == ["new disk"]
        history.acknowledge(Acknowledgement(DOMAIN, "NS-01", "", 3, 3))
        assert history.acknowledgements(DOMAIN) == []


class TestOutbox:
    def test_keeps_a_message_until_it_is_gone(self, history: History) -> None:
        with history.together():
            history.send(7, "mail", "text", 100)
        (waiting,) = history.outbox()
        history.not_sent(waiting, "nobody listens", 160)
        (waiting,) = history.outbox()
        assert (waiting.tries, waiting.problem, waiting.again) == (1, "nobody listens", 160)
        history.sent(waiting)
        assert history.outbox() == []


class TestFile:
    def test_lies_in_the_services_state_folder_or_else_in_the_users(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
        monkeypatch.delenv("STATE_DIRECTORY", raising=False)
        assert str(subject.usual_file()) == f"{tmp_path}/mailname/watch.sqlite"
        monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/mailname-watch")
        assert str(subject.usual_file()) == "/var/lib/mailname-watch/watch.sqlite"

    def test_is_its_owners_alone(self, history: History) -> None:
        assert history.path.stat().st_mode & 0o777 == 0o600

    def test_of_another_kind_is_told_and_left_as_it_is(self, tmp_path: Path) -> None:
        path = tmp_path / FILE
        path.write_text("These are my notes, not yours. " * 40)
        with pytest.raises(HostError, match="cannot be used"):
            History(path)
        assert path.read_text().startswith("These are my notes")
        with sqlite3.connect(tmp_path / "later") as rows:
            rows.execute("PRAGMA user_version = 99")
        rows.close()
        with pytest.raises(HostError, match="version 99"):
            History(tmp_path / "later")

    def test_killed_while_it_writes_has_all_that_was_told(self, tmp_path: Path) -> None:
        """Kill -9 in the middle: each look that was reported as kept is there, and the file is whole."""
        path = tmp_path / FILE
        program = (
            "import sys, pathlib\n"
            "from mailname.watch.history import History, Look\n"
            "history, at = History(pathlib.Path(sys.argv[1])), 0\n"
            "while True:\n"
            "    at += 1\n"
            "    with history.together():\n"
            "        history.record(Look('example.tech', 'well' if at % 2 else 'broken', '', '', '', '', '', '', '', at))\n"
            "    print(at, flush=True)\n"
        )
        with subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            for _ in range(300):
                said = writer.stdout.readline()
            os.kill(writer.pid, signal.SIGKILL)
            last = int((said + writer.stdout.read()).splitlines()[-1] if said.endswith("\n") else said)
        history = History(path)
        kept = history.spells(DOMAIN, 1000)
        assert kept[0].since >= last
        assert [one.since for one in kept] == [kept[0].since - back for back in range(len(kept))]
        assert len(kept) == subject.MOST_SPELLS
        history.close()
