"""A server of another program, driven through a machine that only remembers: what is run, written, and left alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.engines.pair import APEX, PLAN, plan_of

from mailname.engines.bind import Bind
from mailname.engines.driven import Driven
from mailname.engines.engine import Places
from mailname.errors import HostError
from mailname.server.program import Ran

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mailname.engines.engine import Words

FOLDER, ZONES = Path("/conf/mailname"), Path("/zones")
FILE = ZONES / "example.tech.zone"
KEY = FOLDER / "keys/k.key"
TEXT = b"$TTL 60\nexample.tech. SOA ns1 h 7 3600 600 86400 60\nexample.tech. NS ns1\nns1 A 192.0.2.1\n"
PAIR = plan_of(PLAN.replace('role = "', 'engine = "bind"\nrole = "'))


@dataclass
class Remembering:
    """A machine with files in memory; ``answers`` says how commands end, the first word that fits."""

    answers: dict[str, Callable[[], Ran]] = field(default_factory=dict)
    files: dict[Path, bytes] = field(default_factory=dict)
    modes: dict[Path, int] = field(default_factory=dict)
    commands: list[Words] = field(default_factory=list)

    def __str__(self) -> str:
        return "memory"

    async def run(self, commands: Sequence[Words], seconds: float = 60.0) -> list[Ran]:
        del seconds
        self.commands += commands
        return [self._end(words) for words in commands]

    def _end(self, words: Words) -> Ran:
        return next((end() for mark, end in self.answers.items() if mark in words), Ran(0, b"", b""))

    async def read(self, path: Path) -> bytes | None:
        return self.files.get(path)

    async def write(self, path: Path, octets: bytes, *, mode: int = 0o644, group: str = "") -> None:
        del group
        self.files[path], self.modes[path] = octets, mode

    async def remove(self, path: Path) -> None:
        self.files = {one: octets for one, octets in self.files.items() if not one.is_relative_to(path)}


def driven(machine: Remembering) -> Driven:
    places = Places(Path("/state"), ZONES, key_file=KEY, keys=FOLDER / "keys", folder=FOLDER, control_port=9953)
    return Driven(PAIR, PAIR.primary, Bind(), places, machine)


def no(*said: str) -> Callable[[], Ran]:
    return lambda: Ran(1, b"", "\n".join(said).encode())


def serving(*serials: int) -> Callable[[], Ran]:
    """Answer with one serial after the other, then with the last."""
    left = list(serials)

    def answer() -> Ran:
        serial = left.pop(0) if len(left) > 1 else left[0]
        return Ran(0, f"name: example.tech\ntype: primary\nserial: {serial}\n".encode(), b"")

    return answer


async def ordered(machine: Remembering, do: str) -> dict[str, Any]:
    return await driven(machine).ask({"do": do, "zone": APEX.to_text()})


class TestWrite:
    async def test_of_a_zone_that_the_checker_refuses_leaves_what_was_there(self) -> None:
        """The old version is not even touched."""
        machine = Remembering({"named-checkzone": no("zone example.tech/IN: has no NS records")}, {FILE: b"old"})
        with pytest.raises(HostError, match="has no NS records"):
            await driven(machine).write(FILE, b"new")
        assert machine.files == {FILE: b"old"}

    async def test_of_a_zone_that_it_takes_replaces_it(self) -> None:
        """And leaves nothing beside."""
        machine = Remembering({}, {FILE: b"old"})
        await driven(machine).write(FILE, b"new")
        assert machine.files == {FILE: b"new"}


class TestReload:
    async def test_waits_until_the_version_is_served(self) -> None:
        """The program says "queued" at once."""
        machine = Remembering({"zonestatus": serving(6, 6, 6, 7)}, {FILE: TEXT})
        assert await ordered(machine, "reload") == {"ok": True, "says": ""}
        assert [words[-2] for words in machine.commands if "rndc" in words].count("zonestatus") == 4

    async def test_of_a_version_that_is_not_loaded_is_told_in_its_own_words(self) -> None:
        """What was wrong before is not taken for what is wrong now."""
        line = "2026-11-23T00:49:0{}Z zone example.tech/IN: loading from master file /zones/x failed: {}\n"
        before, after = line.format(1, "yesterday"), line.format(1, "yesterday") + line.format(2, "bad dotted quad")
        logs = iter([before, before, after])
        answers = {"zonestatus": serving(6), "journalctl": lambda: Ran(0, next(logs).encode(), b"")}
        machine = Remembering(answers, {FILE: TEXT})
        answer = await ordered(machine, "reload")
        assert not answer["ok"]
        assert "bad dotted quad" in answer["says"]

    async def test_of_what_is_served_already_notifies_again(self) -> None:
        """Who did not get it may try again."""
        machine = Remembering({"zonestatus": serving(7)}, {FILE: TEXT})
        assert (await ordered(machine, "reload"))["ok"]
        assert machine.commands[-1][-2:] == ("notify", "example.tech")

    async def test_without_a_file_is_refused(self) -> None:
        """Nothing is run."""
        machine = Remembering()
        assert not (await ordered(machine, "reload"))["ok"]
        assert machine.commands == []


class TestPut:
    async def test_that_the_checker_refuses_changes_nothing(self) -> None:
        """It has read all of it in a folder beside."""
        machine = Remembering({"named-checkconf": no("mailname.conf:3: unknown option")}, {FOLDER / "mailname.conf": b"old"})
        with pytest.raises(HostError, match="unknown option"):
            await driven(machine).put({KEY: b"secret"})
        assert machine.files == {FOLDER / "mailname.conf": b"old"}

    async def test_puts_files_and_keys_and_tells_what_changed(self) -> None:
        """A second time there is nothing to change."""
        machine = Remembering()
        changed = await driven(machine).put({KEY: b"secret"})
        assert set(changed) == {KEY, *(FOLDER / name for name in ("mailname.conf", "named.conf", "rndc.conf"))}
        assert machine.modes[KEY] == 0o640
        assert all(path.is_relative_to(FOLDER) for path in machine.files)
        assert await driven(machine).put({KEY: b"secret"}) == ()

    async def test_zones_are_checked_too_once_they_are_there(self) -> None:
        """Before the first publication there is none."""
        machine = Remembering()
        await driven(machine).put({})
        assert "-z" not in machine.commands[-1]
        machine.files[FILE] = TEXT
        await driven(machine).put({})
        assert "-z" in machine.commands[-1]


class TestAsk:
    async def test_configuration_that_is_refused_is_not_taken_over(self) -> None:
        """The program is not told."""
        machine = Remembering({"named-checkconf": no("unknown option")})
        answer = await driven(machine).ask({"do": "configure"})
        assert (answer["ok"], "unknown option" in answer["says"]) == (False, True)
        assert not any("reconfig" in words for words in machine.commands)

    async def test_orders_are_the_programs_own(self) -> None:
        """One that it does not have is told."""
        machine = Remembering()
        assert (await ordered(machine, "retransfer"))["ok"]
        assert machine.commands[-1] == ("rndc", "-c", "/conf/mailname/rndc.conf", "retransfer", "example.tech")
        assert not (await ordered(machine, "rotate"))["ok"]

    async def test_server_that_does_not_run_is_told(self) -> None:
        """With what rndc says."""
        machine = Remembering({"status": no("rndc: connect failed: 127.0.0.1#9953: connection refused")})
        with pytest.raises(HostError, match="connection refused"):
            await driven(machine).ask({"do": "status"})

    async def test_counters_are_read_by_name(self) -> None:
        """Since the program's start."""
        dump = b"+++ Statistics Dump +++ (1)\n++ Name Server Statistics ++\n   5 IPv4 requests received\n"
        started = b"version: BIND 9.18\nboot time: Sun, 22 Nov 2026 14:00:00 GMT\n"
        machine = Remembering({"sh": lambda: Ran(0, dump, b"")})
        assert not (await driven(machine).ask({"do": "traffic"}))["ok"]  # since when is not told
        machine.answers["status"] = lambda: Ran(0, started, b"")
        told = await driven(machine).ask({"do": "traffic", "history": "hour"})
        assert (told["ok"], told["schema"], told["questions"]) == (True, "mailname.traffic/1", 5)
        assert told["history"]["rows"] == []

    async def test_counters_of_a_server_that_does_not_run_are_an_error(self) -> None:
        """Zeros would be a lie."""
        machine = Remembering({"stats": no("rndc: connect failed: 127.0.0.1#9953: connection refused")})
        with pytest.raises(HostError, match="connection refused"):
            await driven(machine).ask({"do": "traffic"})
