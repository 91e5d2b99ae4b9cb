"""The bench works; what it measures is not judged here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.interop.programs import need

ROOT = Path(__file__).resolve().parents[2]
TINY = ("--rounds", "1", "--seconds", "0.05", "--questions", "100", "--without", "BIND,NSD")


class TestBench:
    def test_measures_a_row_and_writes_its_figures(self, tmp_path: Path) -> None:
        """Servers that answer alike get a figure each, and a ratio where there is something to reach."""
        need("knotd", "knotc", "cc")
        out = tmp_path / "results.json"
        command = [sys.executable, str(ROOT / "bench/run.py"), "--quick", "--rows", "small", *TINY, "--json", str(out)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        (row,) = json.loads(out.read_text())["rows"]
        assert {"mailname", "Knot", "bare echo"} <= {one["name"] for one in row["figures"]}
        assert all(one["odd_answers"] == 0 for one in row["figures"])
        assert ("mailname", "Knot") in {(one["of"], one["to"]) for one in row["ratios"]}

    def test_measures_pairs(self, tmp_path: Path) -> None:
        """A row of pairs has its figures for each kind, and ratios to the others."""
        need("knotd", "knotc")
        out = tmp_path / "results.json"
        sizes = ("--records", "2000", "--starts", "1", "--without", "BIND,NSD")
        command = [sys.executable, str(ROOT / "bench/run.py"), "--rows", "axfr,fresh", *sizes, "--json", str(out)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        for row in json.loads(out.read_text())["rows"]:
            assert {one["name"] for one in row["pairs"]} == {"mailname", "Knot"}
            assert all(value > 0 for one in row["pairs"] for value in one["seconds"])
            assert ("mailname", "Knot") in {(one["of"], one["to"]) for one in row["ratios"]}

    def test_refuses_a_row_that_it_does_not_have(self) -> None:
        """A misspelt row would otherwise pass for a measured one."""
        command = [sys.executable, str(ROOT / "bench/run.py"), "--rows", "smal"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 2
        assert "no such row: smal" in done.stderr
