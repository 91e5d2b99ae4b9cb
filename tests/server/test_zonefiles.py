"""Zone files: found by name, read whole, large ones into images."""

from __future__ import annotations

from pathlib import Path

import dns.name
import pytest
from dns.rdatatype import RdataType

from mailname.errors import ZoneError
from mailname.server.zonefiles import apex_of, file_stem, read_zone_file
from mailname.zone.image_zone import ImageZone
from mailname.zone.text import read_zone

APEX = dns.name.from_text("example.tech.")
HEAD = "$TTL 3600\n@ SOA ns1 hostmaster 1 14400 3600 1209600 1800\n  NS ns1\nns1 A 192.0.2.1\n"
MANY = "".join(f"host{number} A 198.51.100.{number % 250}\n" for number in range(6000))


class TestNames:
    @pytest.mark.parametrize("name", ["example.tech.", ".", "a/b.example.", "_dmarc.EXAMPLE.", "xn--bcher-kva.example."])
    def test_every_zone_has_a_file_name_that_says_which_it_is(self, name: str) -> None:
        """A zone's name may hold what a file's name must not."""
        apex = dns.name.from_text(name)
        stem = file_stem(apex)
        assert "/" not in stem
        assert apex_of(Path(f"{stem}.zone")) == apex

    def test_root_zone_is_root(self) -> None:
        """The root's name is empty, which no file can be called."""
        assert apex_of(Path("root.zone")) == dns.name.root


class TestReading:
    def test_large_file_is_the_same_zone_in_an_image(self, tmp_path: Path) -> None:
        """A large zone holds no Python object per record, and answers alike."""
        path = tmp_path / "example.tech.zone"
        path.write_text(HEAD + MANY)
        zone = read_zone_file(path, APEX).zone
        assert isinstance(zone, ImageZone)
        plain = read_zone(HEAD + MANY, "x", APEX).zone
        assert zone == plain
        name = dns.name.from_text("host77.example.tech.")
        assert zone.lookup(name, RdataType.A).rrset == plain.lookup(name, RdataType.A).rrset

    def test_mistake_in_a_large_file_has_its_place(self, tmp_path: Path) -> None:
        path = tmp_path / "example.tech.zone"
        path.write_text(HEAD + MANY + "www A 192.0.2.300\n")
        with pytest.raises(ZoneError) as told:
            read_zone_file(path, APEX)
        assert told.value.at is not None
        assert (told.value.at.line, told.value.at.column) == (6005, 7)

    @pytest.mark.parametrize("more", ["", MANY])
    def test_old_archive_in_latin_1_is_read(self, tmp_path: Path, more: str) -> None:
        """Comments in another encoding are no reason to refuse a zone."""
        path = tmp_path / "example.tech.zone"
        path.write_bytes((HEAD + more + "; fr\xfcher\n").encode("latin-1"))
        assert read_zone_file(path, APEX).zone.rrset(APEX, RdataType.NS) is not None
