"""Reading ahead gives what reading gives, or nothing."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import dns.name
import pytest

from mailname.server import read_ahead
from mailname.server.zonefiles import read_zone_file
from mailname.wire.octets import octets
from mailname.zone.image_zone import ImageZone
from mailname.zone.load import Loader

if TYPE_CHECKING:
    from pathlib import Path

APEX = dns.name.from_text("example.tech")
HEAD = "$TTL 60\n@ SOA ns1 h 1 2 3 4 5\n NS ns1\n"
LARGE = HEAD + "".join(f"n{i} TXT {'x' * 200}\n" for i in range(5000))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "example.tech.zone"
    path.write_text(LARGE)
    return path


class TestReadAhead:
    def test_large_zone_is_what_the_loader_reads(self, file: Path) -> None:
        """The same image, and it is there once."""
        read_ahead.begin(file.parent)
        assert read_ahead.take(file, octets(APEX)) == Loader().load(LARGE.encode(), "file", APEX).image
        assert read_ahead.take(file, octets(APEX)) is None

    def test_zone_file_is_not_read_again(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Who reads the file gets what was read ahead."""
        read_ahead.begin(file.parent)
        monkeypatch.setattr("mailname.zone.load.Loader.load_wire", None)
        zone = read_zone_file(file, APEX).zone
        assert isinstance(zone, ImageZone)
        assert zone.record_count == 5002

    def test_file_that_has_changed_since_is_read_again(self, file: Path) -> None:
        """Whatever the change was."""
        read_ahead.begin(file.parent)
        next(iter(read_ahead._begun.values())).join()
        file.write_text(LARGE.replace(" 1 2 ", " 2 2 "))
        os.utime(file, (1, 1))
        assert read_ahead.take(file, octets(APEX)) is None

    def test_file_that_has_gone_is_not_there(self, file: Path) -> None:
        """The reader tells so."""
        read_ahead.begin(file.parent)
        next(iter(read_ahead._begun.values())).join()
        file.unlink()
        assert read_ahead.take(file, octets(APEX)) is None

    @pytest.mark.parametrize(
        "text", [HEAD, LARGE + "x LOC 52 22 23 N 4 53 32 E 0m\n", LARGE + "x TXT \u00e9\n", LARGE + "x A y\n"]
    )
    def test_what_is_small_or_unusual_is_left_to_the_reader(self, file: Path, text: str) -> None:
        """It finds the words, too."""
        file.write_text(text)
        read_ahead.begin(file.parent)
        assert read_ahead.take(file, octets(APEX)) is None

    def test_other_names_and_folders_are_left_to_the_reader(self, file: Path) -> None:
        """Also a folder of many zones, and one that is not there."""
        file.rename(file.with_name("a%2Fb.zone"))
        read_ahead.begin(file.parent)
        file.with_name("a%2Fb.zone").rename(file.with_name(f"{'x' * 70}.zone"))
        read_ahead.begin(file.parent)
        for i in range(100):
            (file.parent / f"z{i}.zone").write_text("")
        file.with_name(f"{'x' * 70}.zone").rename(file)
        read_ahead.begin(file.parent)
        read_ahead.begin(file.parent / "nowhere")
        assert read_ahead.take(file, octets(APEX)) is None
