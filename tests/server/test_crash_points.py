"""Every change that the servers make on the disk, as a point at which they are killed, cut short or refused."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import subprocess
import sys
from collections import Counter
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.server.disk_faults import built

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="LD_PRELOAD is the Linux loader's")

#: What is on the disk, by the pattern of its path. What has no name here fails a test: whoever writes a new sort of file names it
#: here, and all that follows is tried on it.
KINDS = {
    "zone file": "/.example.tech.zone.*.new",
    "folder of the zone file": "",
    **{
        f"{side}: {what}": f"/{side}{pattern}"
        for side in ("primary", "secondary")
        for what, pattern in {
            "state folder": "",
            "lock": "/lock",
            "zone text": "/.example.tech.zone.*.new",
            "record": "/.example.tech.json.*.new",
            "record of an older copy": "/example.tech.json",
            "images": "/images",
            "lock of the images": "/images/lock",
            "pack being written": "/images/.*.pack.*.new",
            "pack": "/images/*.pack",
            "control socket": ".sock",
            "journal being written": "/.example.tech.journal.*.new",
            "journal": "/example.tech.journal",
            "history": "/history.sqlite*",
            "traffic": "/traffic.sqlite*",
        }.items()
    },
}

Point = tuple[str, str]  # the call, and the kind


class Teller:
    """Tells ``crash_story.py`` where the disk fails, and hears what came of it."""

    def __init__(self, library: Path) -> None:
        words = [sys.executable, str(Path(__file__).with_name("crash_story.py"))]
        environment = os.environ | {"LD_PRELOAD": str(library), "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "src")))}
        self._process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True, cwd=ROOT
        )

    def tell(self, **fault: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"at": 0, "mode": "kill"} | fault) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"the story ended with {self._process.wait()}"
        told: dict[str, Any] = json.loads(line)
        return told

    def close(self) -> None:
        with contextlib.ExitStack() as stack:
            for pipe in (self._process.stdin, self._process.stdout):
                assert pipe is not None
                stack.callback(pipe.close)
        assert self._process.wait(60) == 0


def kind_of(path: str) -> str:
    found = [kind for kind, pattern in KINDS.items() if fnmatchcase(path, pattern)]
    assert len(found) == 1, f"{path} is written, and KINDS gives it {found or 'no name'}"
    return found[0]


@pytest.fixture(scope="module")
def teller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Teller]:
    made = Teller(built(tmp_path_factory.mktemp("library")))
    yield made
    made.close()


@pytest.fixture(scope="module")
def points(teller: Teller) -> Counter[Point]:
    """How often each change is made when nothing fails."""
    told = teller.tell()
    assert (told["status"], told["said"], told["after"], told["why"]) == (0, "", 0, "")
    assert told["seen"] == [5, 5]
    return Counter((call, kind_of(path)) for call, path in told["steps"])


class TestPoints:
    def test_each_kind_is_met(self, points: Counter[Point]) -> None:
        """A kind that is never written any more would hide that nothing is tried on it."""
        met = {kind for _, kind in points}
        # A journal is written anew only where its first steps go, or two contents have one serial.
        rare = {"secondary: journal", "primary: journal being written", "secondary: journal being written"}
        rare |= {f"{side}: record of an older copy" for side in ("primary", "secondary")}  # only where the disk fails
        assert set(KINDS) - met <= rare

    def test_what_must_survive_a_power_cut_is_synced_before_it_is_renamed(self, points: Counter[Point]) -> None:
        for side in ("primary", "secondary"):
            for kind in (f"{side}: zone text", f"{side}: record"):
                assert points["fsync", kind] == points["rename", kind] == points["create", kind] > 0


FAULTS: dict[str, dict[str, Any]] = {
    "killed": {"mode": "kill"},
    "write cut short": {"mode": "torn"},
    "power cut": {"mode": "power"},
    "disk full": {"mode": "on", "error": errno.ENOSPC},
    "read-only": {"mode": "on", "error": errno.EROFS},
    "permission lost": {"mode": "on", "error": errno.EACCES},
    "input or output error": {"mode": "once", "error": errno.EIO},
}


@pytest.mark.parametrize("fault", FAULTS)
class TestFault:
    def test_leaves_versions_whole_and_no_serial_falls(self, teller: Teller, points: Counter[Point], fault: str) -> None:
        """Wherever it happens. The next start finds no older version than any that was seen, whole, and the pair gets in step.

        Every other time the zone file itself is spoiled as well, so that the copies must do.
        """
        order = FAULTS[fault]
        dies = order["mode"] in ("kill", "torn", "power")
        wrong = []
        struck = tried = 0
        for number, (point, count) in enumerate(sorted(points.items())):
            call, kind = point
            stride = 1 if fault == "killed" or os.environ.get("MAILNAME_CRASH_POINTS") == "all" else 2 if dies else 4
            if (order["mode"] == "torn" and call != "write") or number % stride != list(FAULTS).index(fault) % stride:
                continue  # killed everywhere; what is handled alike is tried here by one of the faults, there by another
            tried += 1
            # SQLite's calls differ from run to run, but for the first.
            at = 1 if kind.endswith(("history", "traffic")) else 1 + number % count
            told = teller.tell(**order, call=call, where=KINDS[kind], at=at, spoiled=number % 2 == 1)
            struck += told["struck"]
            ended_right = told["status"] == (-9 if dies and told["struck"] else 0)
            if not ended_right or told["after"]:
                wrong.append(
                    f"{fault} at {call} of {kind}, time {at}: {told['status']} {told['said'][-700:]}\n{told['why'][-700:]}"
                )
        assert not wrong, f"{len(wrong)} of {tried}:\n" + "\n".join(wrong)
        assert struck > 0.8 * tried
