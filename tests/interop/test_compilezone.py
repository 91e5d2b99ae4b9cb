"""named-compilezone reads our zones, and what we write of them, as the same records."""

from __future__ import annotations

import subprocess
from pathlib import Path

import dns.name
import pytest
from tests.interop.programs import need

from mailname.zone.text import read_zone, write_zone

ZONES = Path(__file__).parent.parent / "data" / "zones"
APEX = dns.name.from_text("example.tech.")


def compiled(file: Path, folder: Path) -> list[str]:
    """Return the records in BIND's canonical form. Checks of content are off: only the reading is compared."""
    (program,) = need("named-compilezone")
    checks_off = ["-k", "ignore", "-i", "none", "-r", "ignore"]
    done = subprocess.run(
        [program, "-w", str(folder), *checks_off, "-o", "-", str(APEX), str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("file", sorted(ZONES.glob("*.zone")), ids=lambda file: file.stem)
class TestArchive:
    def test_rewritten_zone_is_the_same_to_bind(self, file: Path, tmp_path: Path) -> None:
        """A zone from another's archive, read and written by us, has the same records for BIND."""
        text = file.read_bytes().decode("utf-8")
        zone = read_zone(text, file.name, APEX, include=lambda path: ((ZONES / path).read_text(encoding="utf-8"), path)).zone
        rewritten = tmp_path / "rewritten.zone"
        rewritten.write_text(write_zone(zone, header="Written by a test."), encoding="utf-8")
        assert compiled(rewritten, tmp_path) == compiled(file, ZONES)
