"""The images of single zones: found again at the next start, made anew when anything about the file or the image is in doubt."""

from __future__ import annotations

import logging
import os
import time
from typing import TYPE_CHECKING

import dns.name
import pytest
from tests.server.running import APEX, Site, running, serial_at, until, zone_text

from mailname.errors import HostError, ZoneError
from mailname.server.image_library import ImageLibrary
from mailname.zone import Serial

if TYPE_CHECKING:
    from pathlib import Path


def aged(path: Path, text: str, moment: int) -> Path:
    """Write a file, as long ago as it has to be to be known again."""
    path.write_text(text, encoding="utf-8")
    at = time.time_ns() - 10**12 + moment * 10**9
    os.utime(path, ns=(at, at))
    return path


def opened(folder: Path) -> ImageLibrary:
    library = ImageLibrary(folder)
    library.open(lambda: None)
    return library


def again(library: ImageLibrary, folder: Path) -> ImageLibrary:
    """Close a library and open it as the next start does."""
    library.close()
    return opened(folder)


class TestImageLibrary:
    def test_maps_what_it_has_read_before(self, tmp_path: Path) -> None:
        """The same zone, without its text."""
        path, folder = aged(tmp_path / "a.zone", zone_text(1), 1), tmp_path / "images"
        library = opened(folder)
        first = library.load(path, APEX)
        library = again(library, folder)
        second = library.load(path, APEX)
        assert (first.mapped, second.mapped) == (False, True)
        assert second.zone == first.zone
        library.close()

    def test_reads_a_file_again_that_has_changed(self, tmp_path: Path) -> None:
        """Time, size or inode: any of them."""
        path, folder = aged(tmp_path / "a.zone", zone_text(1), 1), tmp_path / "images"
        library = opened(folder)
        library.load(path, APEX)
        library = again(library, folder)
        aged(path, zone_text(2), 2)
        found = library.load(path, APEX)
        assert (found.mapped, found.zone.serial) == (False, Serial(2))
        copy = aged(tmp_path / "copy", zone_text(2), 2)
        os.utime(copy, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
        library = again(library, folder)
        assert library.load(path, APEX).mapped
        copy.replace(path)
        assert not library.load(path, APEX).mapped
        library.close()

    def test_tells_warnings_each_time(self, tmp_path: Path) -> None:
        """A text with warnings is read at each start."""
        path, folder = aged(tmp_path / "a.zone", zone_text(1, "mail 60 A 192.0.2.1\nmail 61 A 192.0.2.2"), 1), tmp_path / "images"
        library = opened(folder)
        told = library.load(path, APEX).warnings
        assert told
        library = again(library, folder)
        found = library.load(path, APEX)
        assert (found.mapped, found.warnings) == (False, told)
        library.close()

    def test_reads_a_file_that_includes_each_time(self, tmp_path: Path) -> None:
        """What is included may have changed."""
        (tmp_path / "hosts").write_text("mail A 192.0.2.1\n")
        path, folder = aged(tmp_path / "a.zone", zone_text(1, "$INCLUDE hosts"), 1), tmp_path / "images"
        library = opened(folder)
        library.load(path, APEX)
        library = again(library, folder)
        assert not library.load(path, APEX).mapped
        library.close()

    def test_has_the_reader_s_errors(self, tmp_path: Path) -> None:
        """A mistake in the text, and no text."""
        library = opened(tmp_path / "images")
        with pytest.raises(ZoneError):
            library.load(aged(tmp_path / "bad.zone", "no zone", 1), APEX)
        with pytest.raises(HostError):
            library.load(tmp_path / "none.zone", APEX)
        library.close()

    def test_forgets_zones_that_are_not_served(self, tmp_path: Path) -> None:
        """Their images do not stay on the disk for ever."""
        folder, other = tmp_path / "images", dns.name.from_text("other.test.")
        library = opened(folder)
        path = aged(tmp_path / "a.zone", zone_text(1), 1)
        library.load(path, APEX)
        library.load(aged(tmp_path / "b.zone", zone_text(1), 1), other)
        library.load(aged(tmp_path / "c.zone", zone_text(1), 1), dns.name.from_text("third.test."))
        library = again(library, folder)
        library.forget_others({APEX.to_wire() or b""})
        library = again(library, folder)
        assert library.load(path, APEX).mapped
        assert library.find(tmp_path / "b.zone", other) is None
        library.close()

    def test_keeps_nothing_without_a_folder(self, tmp_path: Path) -> None:
        """For trying out."""
        library = ImageLibrary(None)
        library.open(lambda: None)
        path = aged(tmp_path / "a.zone", zone_text(1), 1)
        assert not library.load(path, APEX).mapped
        assert not library.load(path, APEX).mapped
        library.close()

    def test_does_not_take_an_image_for_another_zone_s(self, tmp_path: Path) -> None:
        """One file may be the text of two zones."""
        path, folder = aged(tmp_path / "a.zone", zone_text(1).replace("example.tech", "x"), 1), tmp_path / "images"
        library = opened(folder)
        library.load(path, APEX)
        library = again(library, folder)
        assert library.find(path, dns.name.from_text("other.test.")) is None
        library.close()


class TestServer:
    async def test_maps_its_zones_at_the_next_start(self, site: Site, caplog: pytest.LogCaptureFixture) -> None:
        """Primary and secondary: nothing is parsed whose source has not changed, and the copy is not written again."""
        caplog.set_level(logging.INFO)
        site.write(7)
        aged(site.file, site.file.read_text(), 1)
        for _ in range(2):
            async with running(site.secondary()) as secondary, running(site.primary()):
                await until(lambda: secondary.serial() == 7)
        copies = [site.folder / name / "example.tech.zone" for name in ("primary", "secondary")]
        before = [copy.stat().st_mtime_ns for copy in copies]
        loads: list[str] = []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("mailname.zone.load.Loader.load_wire", lambda *_, **__: loads.append("read"))
            async with running(site.secondary()) as secondary, running(site.primary()):
                assert await serial_at(site.primary_at) == 7
                assert await serial_at(site.secondary_at) == 7
        assert loads == []
        assert [copy.stat().st_mtime_ns for copy in copies] == before

    async def test_takes_a_change_made_while_it_was_down(self, site: Site) -> None:
        """The file differs from what the image was made of."""
        site.write(7)
        aged(site.file, site.file.read_text(), 1)
        async with running(site.primary()):
            assert await serial_at(site.primary_at) == 7
        site.write(8)
        aged(site.file, site.file.read_text(), 2)
        async with running(site.primary()):
            assert await serial_at(site.primary_at) == 8
