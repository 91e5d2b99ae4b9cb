"""The lab of many domains works: each is judged as it was made. How fast is not judged here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class TestManyDomains:
    def test_are_judged_as_they_were_made(self) -> None:
        command = [sys.executable, str(ROOT / "bench/many_domains.py"), "--domains", "60", "--jobs", "8"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=180)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "60 domains: 54 well, 2 fragile, 4 broken" in done.stdout
        assert "exit code 1, 0 judged wrongly" in done.stdout
