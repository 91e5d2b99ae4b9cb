"""Text to image: the scanner gives what the reader gives, or leaves the text to it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import dns.name
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.strategies import APEX, mutated, nearly_zone_text, zones

import mailname.zone.load
from mailname.errors import ZoneError
from mailname.zone.image import build_image
from mailname.zone.image_read import ImageReader
from mailname.zone.load import Loader
from mailname.zone.text import read_zone, write_zone

if TYPE_CHECKING:
    from dns.name import Name

    from mailname.zone.records import Include

DATA = Path(__file__).parent.parent / "data"
FILES = sorted([*(DATA / "zones").glob("*.zone"), *(DATA / "answers").rglob("*.zone")])
HEAD = "$TTL 60\n@ SOA ns1 h 1 2 3 4 5\n NS ns1\n"
LOADER = Loader()


def _apex(path: Path) -> Name:
    return APEX if path.parent.name == "zones" else dns.name.from_text(path.stem)


def _include(path: Path) -> Include:
    return lambda name: ((path.parent / name).read_bytes().decode(), name)


def _slowly(text: str, apex: Name, include: Include | None = None) -> tuple[object, object]:
    try:
        read = read_zone(text, "file", apex, include=include)
    except ZoneError as error:
        return str(error), error.mistakes
    return build_image(read.zone), read.warnings


def _fast(text: str, apex: Name, include: Include | None = None) -> tuple[object, object]:
    try:
        read = LOADER.load(text.encode(), "file", apex, include=include)
    except ZoneError as error:
        return str(error), error.mistakes
    return read.image, read.warnings


def _encodable(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


class TestLoad:
    @pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
    def test_zone_of_the_collection_is_what_the_reader_reads(self, path: Path) -> None:
        """Same image, same warnings."""
        text = path.read_bytes().decode()
        assert _fast(text, _apex(path), _include(path)) == _slowly(text, _apex(path), _include(path))

    @given(zones())
    def test_any_zone_is_what_the_reader_reads(self, zone: object) -> None:
        """Whatever a zone holds."""
        text = write_zone(zone)  # type: ignore[arg-type]  # hypothesis makes zones
        assert _fast(text, APEX) == _slowly(text, APEX)

    @given(zones().flatmap(lambda zone: mutated(write_zone(zone))).filter(_encodable))
    def test_spoiled_zone_is_what_the_reader_reads(self, text: str) -> None:
        """The same zone, or the same mistakes."""
        assert _fast(text, APEX) == _slowly(text, APEX)

    @given(st.sampled_from(FILES).flatmap(lambda path: st.tuples(mutated(path.read_bytes().decode()), st.just(path))))
    def test_spoiled_zone_of_the_collection_is_what_the_reader_reads(self, spoiled: tuple[str, Path]) -> None:
        """The same zone, or the same mistakes."""
        text, path = spoiled
        if _encodable(text):
            assert _fast(text, _apex(path), _include(path)) == _slowly(text, _apex(path), _include(path))

    @given(nearly_zone_text.map(lambda text: HEAD + text).filter(_encodable))
    def test_words_of_zone_files_in_any_order_are_what_the_reader_reads(self, text: str) -> None:
        """The same zone, or the same mistakes."""
        assert _fast(text, APEX) == _slowly(text, APEX)

    @pytest.mark.parametrize(
        "records",
        [
            "a A 192.0.2.1\nA A 192.0.2.1\n",
            "a TXT x\na TXT X\na TXT x\n",
            "a NS b\na NS B\na NS c\n",
            "a MX 10 b\na MX 10 B\na MX 11 b\n",
            "a SRV 1 1 1 b\na SRV 1 1 1 B\n",
            "a RP b .\na RP B .\n",
            "a RP b .\na RP c .\n",
            "a 5 A 192.0.2.1\na 6 A 192.0.2.2\na 7 A 192.0.2.1\n",
            "a CNAME b\nA CNAME B\n",
            "a CNAME b\na NSEC c A\n",
            "a CNAME b\na CNAME c\n",
            "a CNAME b\na A 192.0.2.1\n",
            "a DNAME b\na DNAME c\n",
            "a SOA b c 1 2 3 4 5\n",
            "x.example.net. A 192.0.2.1\na.b.C A 192.0.2.1\nx.b.c A 192.0.2.1\n",
            "d.C A 192.0.2.1\nb.c A 192.0.2.1\n",
            "a 2147483648 A 192.0.2.1\nb 4294967296 A 192.0.2.1\n",
            "a 1w2d3h4m5s A 192.0.2.1\nb IN 1h A 192.0.2.1\nc 1h IN A 192.0.2.1\nd 1h2 A 192.0.2.1\n",
            "a AAAA ::\nb AAAA ::1\nc AAAA 1::\nd AAAA 1:2:3:4:5:6:7:8\ne AAAA 1:2::7:8\nf AAAA 1:2:3:4:5:6:7::\n",
            "a AAAA 1:2:3:4:5:6:7:8:9\n",
            "a AAAA ::ffff:192.0.2.1\n",
            "a AAAA 1:::2\n",
            "a AAAA ::1:2:3:4:5:6:7:8\n",
            "a A 192.0.2.01\n",
            "a A 192.0.2\n",
            "a DNSKEY 257 3 13 YQ==\nb DNSKEY 257 3 13 YWI=\nc DNSKEY 257 3 13 YWJj YWJj\nd DNSKEY 257 3 13 YR==\n",
            "a DNSKEY 257 3 13 YQ=\n",
            "a DNSKEY 257 3 ECDSAP256SHA256 YQ==\n",
            "a RRSIG A 13 3 60 20240229120000 19700101000000 1 @ YQ==\nb RRSIG MX 13 3 1h 20241231235959 1 1 @ YQ==\n",
            "a RRSIG A 13 3 60 20230229120000 19700101000000 1 @ YQ==\n",
            "a RRSIG A 13 3 60 20990430000000 1700000000 1 @ YQ==\na RRSIG AAAA 13 3 61 21060101000000 1 1 @ YQ==\n",
            "a NSEC b A TYPE65534 CAA NSEC\nb NSEC @\nc NSEC @ ANY A A\n",
            "a NSEC3 1 1 10 - 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR A RRSIG\nb NSEC3 1 0 0 aabb 2t7b4g4vsa5smi47k61mv5bv1a22bojr\n",
            "a NSEC3 1 1 10 - 2T7 A\n",
            'a CAA 0 issue "ca.example.net"\nb CAA 0 is-sue "x"\nc CAA 0 issue ca\n',
            "a TLSA 3 1 1 " + "ab" * 32 + "\nb TLSA 3 1 0 ab cd\nc TLSA 3 1 1 ab\n",
            "a DS 1 13 2 " + "ab" * 32 + "\nb DS 1 13 3 " + "ab" * 32 + "\nc DS 1 13 1 ab\n",
            "\\097\\.b\\\\.c A 192.0.2.1\n\\@ A 192.0.2.1\n\\256 A 192.0.2.1\n",
            f"{'a' * 63} A 192.0.2.1\n",
            f"{'a' * 64} A 192.0.2.1\n",
            f"{'.'.join(['a' * 60] * 4)} A 192.0.2.1\n",
            f"a TXT {'x' * 255}\n",
            f"a TXT {'x' * 256}\n",
            f"a TXT {' '.join(['x'] * 600)}\n",
            'a TXT "a"b\n',
            "a TXT \\\n",
            'a TXT "\\"\n',
            "a TXT (\n",
            "a TXT )\n",
            "$ORIGIN sub\n@ A 192.0.2.1\n A 192.0.2.2\n$origin .\nx A 192.0.2.3\n",
            "a A 192.0.2.1\n$ORIGIN sub\n A 192.0.2.2\n",
            " $TTL 1\n",
            "$TTL 2147483648\na A 192.0.2.1\n",
            "\ufeff",
            "a A 192.0.2.1 ; \u00e9\r\nb A 192.0.2.2\rc A 192.0.2.3\r\r\nd 5 A 192.0.2.4\nd 6 A 192.0.2.5",
        ],
    )
    def test_record_is_what_the_reader_reads(self, records: str) -> None:
        """The corners of the grammar."""
        assert _fast(HEAD + records, APEX) == _slowly(HEAD + records, APEX)

    @pytest.mark.parametrize(
        "rdata",
        [
            "A",
            'A "192.0.2.1"',
            "A 192.0.2.256",
            "A 192.0.2.x",
            'AAAA "::1"',
            "AAAA :1::2",
            "AAAA 12345::",
            "AAAA 1::2::3",
            'NS "b"',
            "NS b..c",
            "NS b\\1",
            "NS b\\1x2",
            "NS " + "b" * 1001,
            "NS " + ".".join(["b" * 60] * 5),
            "MX x b",
            "SRV 1 1 x b",
            'SOA "b" c 1 2 3 4 5',
            'SOA b "c" 1 2 3 4 5',
            "SOA b c 1 2 3 4 x",
            "CAA x issue y",
            'CAA 0 "" y',
            "CAA 0 is\\115ue y",
            "TLSA x 1 1 ab",
            "DS x 13 2 ab",
            "DS 1 x 2 ab",
            'DS 1 13 2 "ab"',
            "DS 1 13 2 xy",
            "DNSKEY x 3 13 YQ==",
            'DNSKEY 257 3 13 "YQ=="',
            "DNSKEY 257 3 13 Y!==",
            "DNSKEY 257 3 13 Y=Q=",
            'RRSIG "A" 13 3 60 20240229120000 19700101000000 1 @ YQ==',
            "RRSIG A x 3 60 20240229120000 19700101000000 1 @ YQ==",
            'RRSIG A 13 3 60 "20240229120000" 19700101000000 1 @ YQ==',
            "RRSIG A 13 3 60 2024022912000x 19700101000000 1 @ YQ==",
            "RRSIG A 13 3 60 20240229240000 19700101000000 1 @ YQ==",
            "RRSIG A 13 3 60 20240229120000 19700101000000 x @ YQ==",
            'RRSIG A 13 3 60 20240229120000 19700101000000 1 "b" YQ==',
            'NSEC b "A"',
            "NSEC3 x 1 10 - 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR A",
            "NSEC3 1 1 10 xy 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR A",
            "NSEC3 1 1 10 - !T7B4G4VSA5SMI47K61MV5BV1A22BOJR A",
            'NSEC3 1 1 10 - "" A',
            'TXT "\\999"',
        ],
    )
    def test_rdata_with_a_mistake_is_refused_with_the_readers_words(self, rdata: str) -> None:
        """One mistake in each field; what the reader takes after all, is taken."""
        assert _fast(f"{HEAD}a {rdata}\n", APEX) == _slowly(f"{HEAD}a {rdata}\n", APEX)

    @pytest.mark.parametrize(
        "entry", ['"a" A 192.0.2.1', "a 12345678901 A 192.0.2.1", "a " + "1s" * 33 + " A 192.0.2.1", '$ORIGIN "b"']
    )
    def test_entry_with_a_mistake_before_its_rdata_is_what_the_reader_reads(self, entry: str) -> None:
        """In owner, TTL and directive."""
        assert _fast(f"{HEAD}{entry}\n", APEX) == _slowly(f"{HEAD}{entry}\n", APEX)

    @pytest.mark.parametrize(
        "text", ["", "\n", HEAD.replace("NS ns1", "A 192.0.2.1"), HEAD[8:], "\ufeff" + HEAD, "x NS y\n" + HEAD]
    )
    def test_begin_of_a_text_is_what_the_reader_reads(self, text: str) -> None:
        """What is missing, and what holds before the first record."""
        assert _fast(text, APEX) == _slowly(text, APEX)

    @pytest.mark.parametrize("records", ["a A 192.0.2.1\n", "a LOC 52 22 23 N 4 53 32 E 0m\n", "x.example.net. A 192.0.2.1\n"])
    def test_zone_whose_name_is_in_wire_form_is_the_same(self, records: str) -> None:
        """Plain, not plain, and with a warning; letters' case is kept."""
        text, apex = (HEAD + records).encode(), dns.name.from_text("Example.TECH.")
        assert LOADER.load_wire(text, "file", apex.to_wire() or b"") == LOADER.load(text, "file", apex)

    def test_text_that_is_no_utf_8_is_refused(self) -> None:
        """The caller says where."""
        with pytest.raises(UnicodeDecodeError):
            Loader().load(HEAD.encode() + b"a TXT \xff\n", "file", APEX)

    def test_more_warnings_than_anybody_reads_are_cut(self) -> None:
        """A thousand are enough."""
        text = HEAD + "".join(f"a {ttl} A 192.0.2.1\nx.example.net. A 192.0.2.1\n" for ttl in range(1200))
        assert _fast(text, APEX) == _slowly(text, APEX)

    def test_rrset_of_many_records_has_each_once(self) -> None:
        """Also where comparing each with each would take too long."""
        text = HEAD + "".join(f"many A 192.0.{i // 200}.{i % 200}\nmany TXT x{i % 300}\n" for i in range(2000))
        assert _fast(text, APEX) == _slowly(text, APEX)

    def test_many_owners_are_in_canonical_order(self) -> None:
        """Where names are alike in their first octets, and where they are not."""
        names = [f"n{i * 7919 % 1009}.\\00{i % 3}.Long-label-in-common.x{i % 11}" for i in range(1500)]
        text = HEAD + "".join(f"{name} A 192.0.2.1\n" for name in names)
        assert _fast(text, APEX) == _slowly(text, APEX)

    def test_each_of_very_many_owners_is_found(self) -> None:
        """Where the hash index is filled part by part; the order of the text makes no difference."""
        lines = [f"N{i} A 192.0.2.{i % 250}\n" for i in range(9000)]
        image = LOADER.load((HEAD + "".join(lines)).encode(), "file", APEX).image
        reader = ImageReader(image)
        apex = tuple(label.lower() for label in reversed(APEX.labels))
        found = {reader.find((*apex, f"n{i}".encode())) for i in range(9000)}
        assert len(found - {None}) == 9000
        assert reader.find((*apex, b"n9000")) is None
        assert LOADER.load((HEAD + "".join(reversed(lines))).encode(), "file", APEX).image == image

    def test_plain_text_is_not_read_twice(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The reader is there for the entries that are not plain, not for the whole text."""
        monkeypatch.setattr(mailname.zone.load, "read_zone", None)
        text = HEAD + "a LOC 52 22 23 N 4 53 32 E 0m\nb TYPE65280 \\# 1 00\n$GENERATE 1-9 n$ A 192.0.2.$\n"
        assert LOADER.load(text.encode(), "file", APEX).warnings == ()

    def test_root_zone_is_what_the_reader_reads(self) -> None:
        """No names are compressed below the root."""
        text = "$TTL 60\n. SOA a.root. h. 1 2 3 4 5\n. NS a.root.\na.root. A 192.0.2.1\ncom. NS ns.com.\nns.com. A 192.0.2.2\n"
        assert _fast(text, dns.name.root) == _slowly(text, dns.name.root)
