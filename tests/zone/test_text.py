from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from dns.rdatatype import RdataType
from hypothesis import example, given
from hypothesis import strategies as st
from tests.strategies import APEX, mutated, nearly_zone_text

from mailname.errors import ZoneError
from mailname.zone.records import MOST_WARNINGS
from mailname.zone.text import read_zone, write_zone

ZONES = Path(__file__).parent.parent / "data" / "zones"
HEAD = "$TTL 60\n@ SOA ns1 h 1 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.1\n"


def included(path: str) -> tuple[str, str]:
    return (ZONES / path).read_text(encoding="utf-8"), path


def all_mistakes(text: str) -> list[str]:
    with pytest.raises(ZoneError) as caught:
        read_zone(text, "f", APEX)
    assert caught.value.at == next(mistake.at for mistake in caught.value.mistakes if mistake.severity == "error")
    return [str(mistake) for mistake in caught.value.mistakes]


class TestReadZone:
    def test_reads_the_recipe(self) -> None:
        """The zone file that the old recipe gives."""
        zone = read_zone((ZONES / "recipe.zone").read_text(encoding="utf-8"), "recipe.zone", APEX).zone
        assert (str(zone.serial), zone.record_count, zone.soa.ttl) == ("2016060100", 8, 86400)
        name_servers = zone.rrset(APEX, RdataType.NS)
        assert name_servers is not None
        assert [rdata.to_text() for rdata in name_servers.rdatas] == ["ns1.example.tech.", "ns2.example.tech."]

    def test_tells_all_mistakes(self) -> None:
        """What is missing at the apex is not told when the line itself could not be read."""
        assert all_mistakes("$TTL 60\n@ SOA ns1\n@ NS ns1\nwww A 1.2.3\na CNAME b\na TXT x\na CNAME c\n") == [
            "f:2:10: the SOA record ends here, but something is missing. "
            "Write it like this: SOA ns1 hostmaster ( serial refresh retry expire minimum )",
            "f:4:7: 1.2.3 is not an IPv4 address. Write it like this: A 192.0.2.1",
            "f:7:1: a.example.tech. has a second CNAME record. Keep one of them.",
            "f:5:1: CNAME and other data (TXT) at a.example.tech. An alias stands alone: remove the CNAME or the other records.",
        ]

    def test_needs_an_apex(self) -> None:
        assert all_mistakes("") == [
            "f:1:1: the zone example.tech. has no SOA record at its apex. Add one SOA record at the apex.",
            "f:1:1: the zone example.tech. has no NS record at its apex. Add the names of the zone's name servers at the apex.",
        ]

    def test_ignores_what_lies_outside(self) -> None:
        """As BIND does, with a warning."""
        read = read_zone(HEAD + "www.example.net. A 192.0.2.2\n", "f", APEX)
        assert read.zone.record_count == 3
        assert [str(warning) for warning in read.warnings] == [
            "f:5:1: warning: www.example.net. is not in the zone example.tech.; the record is ignored. "
            "Move it to the zone it belongs to."
        ]

    def test_takes_the_first_ttl_of_an_rrset(self) -> None:
        """RFC 2181 section 5.2, with a warning."""
        read = read_zone(HEAD + "ns1 61 A 192.0.2.2\n", "f", APEX)
        assert [rrset.ttl for rrset in read.zone.rrsets()] == [60, 60, 60]
        assert [str(warning.at) for warning in read.warnings] == ["f:5:1"]
        assert read.warnings[0].problem == "ns1.example.tech. A has the TTL of its first record, not 61."

    def test_keeps_its_warnings_few(self) -> None:
        many = MOST_WARNINGS + 5
        for line in ("www.example.net. A 192.0.2.2\n", "ns1 61 A 192.0.2.1\n"):
            assert len(read_zone(HEAD + line * many, "f", APEX).warnings) == MOST_WARNINGS

    @given(st.one_of(st.text(), nearly_zone_text.map(lambda text: HEAD + text)))
    @example("\x00")
    @example("\udcff")
    @example("$GENERATE 0-999999999 $ A 192.0.2.1")
    @example("@ A \\#")
    @example("@ TXT ( " * 1000)
    def test_raises_nothing_but_a_zone_error(self, text: str) -> None:
        """Whatever the text is."""
        with suppress(ZoneError):
            read_zone(text, "f", APEX)

    @given(st.sampled_from(sorted(ZONES.glob("*.zone"))).map(lambda file: file.read_text(encoding="utf-8")).flatmap(mutated))
    def test_of_a_spoiled_zone_raises_nothing_but_a_zone_error(self, text: str) -> None:
        """And what can still be read can be written."""
        try:
            zone = read_zone(text, "f", APEX).zone
        except ZoneError:
            return
        assert read_zone(write_zone(zone), "f", APEX).zone == zone


@pytest.mark.parametrize("file", sorted(ZONES.glob("*.zone")), ids=lambda file: file.stem)
class TestArchive:
    def test_reads_back(self, file: Path) -> None:
        """A zone from another's archive: read, written and read again, it is the same zone."""
        zone = read_zone(file.read_bytes().decode("utf-8"), file.name, APEX, include=included).zone
        written = write_zone(zone)
        assert read_zone(written, "written", APEX).zone == zone
        assert write_zone(read_zone(written, "written", APEX).zone) == written
