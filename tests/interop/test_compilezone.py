"""named-compilezone reads our zones, and what we write of them, as the same records."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import dns.name
import pytest
from tests.interop.programs import need

from mailname.zone.image import build_image
from mailname.zone.image_zone import ImageZone
from mailname.zone.large_text import write_large
from mailname.zone.text import read_zone, write_zone

if TYPE_CHECKING:
    from mailname.zone import Zone

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


def read(file: Path) -> Zone:
    """Return the zone of a file of the archive."""
    text = file.read_bytes().decode("utf-8")
    return read_zone(text, file.name, APEX, include=lambda path: ((ZONES / path).read_text(encoding="utf-8"), path)).zone


@pytest.mark.parametrize("file", sorted(ZONES.glob("*.zone")), ids=lambda file: file.stem)
class TestArchive:
    def test_rewritten_zone_is_the_same_to_bind(self, file: Path, tmp_path: Path) -> None:
        """A zone from another's archive, read and written by us, has the same records for BIND."""
        rewritten = tmp_path / "rewritten.zone"
        rewritten.write_text(write_zone(read(file), header="Written by a test."), encoding="utf-8")
        assert compiled(rewritten, tmp_path) == compiled(file, ZONES)

    def test_zone_rewritten_as_a_large_one_is_the_same_to_bind(self, file: Path, tmp_path: Path) -> None:
        """Also when it is written for programs, from the image (in which the apex has one spelling)."""
        zone = ImageZone(build_image(read(file)))
        rewritten, as_people_do = tmp_path / "rewritten.zone", tmp_path / "as_people_do.zone"
        rewritten.write_bytes(b"".join(write_large(zone, header="Written by a test.")))
        as_people_do.write_text(write_zone(zone), encoding="utf-8")
        assert compiled(rewritten, tmp_path) == compiled(as_people_do, tmp_path)
