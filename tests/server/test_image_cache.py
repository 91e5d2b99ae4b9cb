"""Images on disk are used as long as they are whole, ours and of the text's present version."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import dns.name
import pytest
from hypothesis import given
from hypothesis import strategies as st

import mailname.server.image_cache
from mailname.errors import HostError, ZoneError
from mailname.server.image_cache import image_path, load_or_build, map_image, save_image, stamp_of
from mailname.zone.image import build_image, check_image, octets, sealed
from mailname.zone.image_zone import ImageZone
from mailname.zone.load import Loader
from mailname.zone.text import read_zone

if TYPE_CHECKING:
    from pathlib import Path

APEX = dns.name.from_text("example.tech.")
TEXT = "$TTL 60\n@ SOA ns1 h 1 2 3 4 5\n NS ns1\nns1 A 192.0.2.1\nMail A 192.0.2.2\n MX 10 mail\n"
IMAGE = sealed(build_image(read_zone(TEXT, "file", APEX).zone), bytes(16))
STAMP = bytes(16)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "example.tech.zone"
    path.write_text(TEXT)
    return path


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    return folder


class TestLoadOrBuild:
    def test_second_start_maps_what_the_first_has_read(self, path: Path, cache: Path) -> None:
        """Nothing is parsed whose source has not changed."""
        first = load_or_build(path, APEX, cache, loader=Loader())
        second = load_or_build(path, APEX, cache)
        assert (first.mapped, second.mapped) == (False, True)
        assert ImageZone(second.image) == ImageZone(first.image) == read_zone(TEXT, "file", APEX).zone

    def test_changed_text_is_read(self, path: Path, cache: Path) -> None:
        """Whatever the image says."""
        load_or_build(path, APEX, cache)
        path.write_text(TEXT.replace("SOA ns1 h 1", "SOA ns1 h 2"))
        found = load_or_build(path, APEX, cache)
        assert not found.mapped
        assert ImageZone(found.image).serial.value == 2
        assert load_or_build(path, APEX, cache).mapped

    def test_text_with_warnings_is_read_each_time(self, path: Path, cache: Path) -> None:
        """So that the owner is told each time."""
        path.write_text(TEXT + "x.example.net. A 192.0.2.1\n")
        for _ in range(2):
            found = load_or_build(path, APEX, cache)
            assert not found.mapped
            assert len(found.warnings) == 1

    def test_text_that_includes_others_is_read_each_time(self, path: Path, cache: Path) -> None:
        """The other file may have changed."""
        (path.parent / "more").write_text("more A 192.0.2.3\n")
        path.write_text(TEXT + "$INCLUDE more\n")
        for _ in range(2):
            assert not load_or_build(path, APEX, cache).mapped

    def test_spoiled_image_is_made_anew(self, path: Path, cache: Path) -> None:
        """The text is the source."""
        load_or_build(path, APEX, cache)
        kept = image_path(cache, APEX)
        kept.write_bytes(kept.read_bytes()[:-1] + b"!")
        assert not load_or_build(path, APEX, cache).mapped
        assert load_or_build(path, APEX, cache).mapped

    def test_image_that_cannot_be_kept_is_served(self, path: Path, cache: Path) -> None:
        """A full disk is no reason not to answer."""
        assert not load_or_build(path, APEX, cache / "missing").mapped

    def test_text_that_changes_while_it_is_read_is_not_kept(
        self, path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It may be neither the old one nor the new one."""
        stamps = iter([b"a" * 16, b"b" * 16])
        monkeypatch.setattr(mailname.server.image_cache, "stamp_of", lambda _: next(stamps))
        load_or_build(path, APEX, cache)
        assert not image_path(cache, APEX).exists()

    def test_octets_that_are_no_utf_8_are_read(self, path: Path, cache: Path) -> None:
        """As ``read_zone_file`` does."""
        path.write_bytes(TEXT.encode() + b"; \xe9\n")
        assert not load_or_build(path, APEX, cache).warnings

    def test_missing_text_is_told(self, path: Path, cache: Path) -> None:
        """With what to do."""
        path.unlink()
        with pytest.raises(HostError, match="cannot read"):
            load_or_build(path, APEX, cache)

    def test_mistake_is_told(self, path: Path, cache: Path) -> None:
        """And nothing is kept."""
        path.write_text(TEXT + "x A y\n")
        with pytest.raises(ZoneError, match="not an IPv4 address"):
            load_or_build(path, APEX, cache)
        assert not image_path(cache, APEX).exists()


class TestMapImage:
    def test_image_of_another_zone_is_refused(self, cache: Path) -> None:
        """A renamed file is no zone's image."""
        save_image(cache, APEX, IMAGE, STAMP)
        other = dns.name.from_text("example.net.")
        image_path(cache, APEX).rename(image_path(cache, other))
        assert map_image(cache, other, STAMP) is None

    def test_image_with_another_stamp_is_refused(self, cache: Path) -> None:
        """It is of another version of the text."""
        save_image(cache, APEX, IMAGE, STAMP)
        assert map_image(cache, APEX, b"x" * 16) is None
        assert bytes(map_image(cache, APEX, STAMP) or b"") == IMAGE

    @pytest.mark.parametrize("kept", [b"", b"x", IMAGE[:64], IMAGE[:128], IMAGE[:-1], IMAGE + b"\0"])
    def test_cut_image_is_refused(self, cache: Path, kept: bytes) -> None:
        """However much of it is there."""
        image_path(cache, APEX).write_bytes(kept)
        assert map_image(cache, APEX, STAMP) is None

    def test_folder_in_its_place_is_refused(self, cache: Path) -> None:
        """What cannot be mapped is not there."""
        image_path(cache, APEX).mkdir()
        assert map_image(cache, APEX, STAMP) is None

    def test_stamp_changes_with_the_file(self, path: Path) -> None:
        """Also where size and name stay."""
        before = stamp_of(path)
        os.utime(path, ns=(1, 1))
        assert stamp_of(path) != before


class TestCheckImage:
    @given(st.integers(0, len(IMAGE) - 1), st.integers(1, 255))
    def test_any_changed_octet_is_found(self, place: int, change: int) -> None:
        """Nothing of a damaged image is believed."""
        spoiled = bytearray(IMAGE)
        spoiled[place] ^= change
        with pytest.raises(ValueError, match=r"image|octets|checksum"):
            check_image(bytes(spoiled), octets(APEX))

    @given(st.binary(max_size=300))
    def test_any_octets_are_refused(self, block: bytes) -> None:
        """Without a crash."""
        for tried in (block, IMAGE[:8] + block, IMAGE[:128] + block):
            with pytest.raises(ValueError, match=r"image|octets|checksum"):
                check_image(tried, octets(APEX))

    def test_whole_image_is_good(self) -> None:
        """For its own zone."""
        check_image(IMAGE, octets(APEX))
        with pytest.raises(ValueError, match="another zone"):
            check_image(IMAGE, b"\x07example\x00")
