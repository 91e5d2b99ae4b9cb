from __future__ import annotations

import pytest
from hypothesis import given
from tests.strategies import APEX, zones

from mailname.zone import Zone, ZoneBuilder
from mailname.zone.diff import diff, same_content
from mailname.zone.text import read_zone

TEXT = "$TTL 60\n@ SOA ns1 h 1 2 3 4 5\n@ NS ns1\n@ NS ns2\nns1 A 192.0.2.1\nwww A 192.0.2.2\n"


def zone(text: str) -> Zone:
    return read_zone(text, "f", APEX).zone


def shown(old: Zone | None, new: Zone) -> list[str]:
    return [f"{change.kind} {change.owner.relativize(APEX)} {change.rdtype.name}" for change in diff(old, new)]


class TestDiff:
    @pytest.mark.parametrize(
        ("before", "after", "expected"),
        [
            ("", "", []),
            ("www A 192.0.2.2", "www 61 A 192.0.2.2", ["change www A"]),
            ("www A 192.0.2.2", "www A 192.0.2.3", ["change www A"]),
            ("www A 192.0.2.2", "www AAAA ::1", ["remove www A", "add www AAAA"]),
            ("www A 192.0.2.2", "WWW A 192.0.2.2", []),
            ("@ NS ns2\n", "", ["change @ NS"]),
            ("www A 192.0.2.2", "a.b A 192.0.2.2\n@ MX 0 .", ["add @ MX", "add a.b A", "remove www A"]),
            ("SOA ns1 h 1 2 3 4 5", "SOA ns1 h 2 2 3 4 5", ["change @ SOA"]),
        ],
    )
    def test_tells_each_rrset_in_canonical_order(self, before: str, after: str, expected: list[str]) -> None:
        assert before in TEXT
        assert shown(zone(TEXT), zone(TEXT.replace(before, after) if before else TEXT + after)) == expected

    def test_from_nothing_adds_everything(self) -> None:
        assert shown(None, zone(TEXT)) == ["add @ SOA", "add @ NS", "add ns1 A", "add www A"]

    def test_does_not_care_about_order(self) -> None:
        """Name servers in another order are the same RRset."""
        assert diff(zone(TEXT), zone(TEXT.replace("ns1\n@ NS ns2", "ns2\n@ NS ns1"))) == ()

    @given(zones(), zones())
    def test_leads_from_the_old_to_the_new(self, old: Zone, new: Zone) -> None:
        """What is removed was there, what is added is there, and the rest is the same."""
        held = {(rrset.owner, rrset.rdtype): rrset for rrset in old.rrsets()}
        for change in diff(old, new):
            assert held.pop((change.owner, change.rdtype), None) == change.old
            if change.new is not None:
                held[change.owner, change.rdtype] = change.new
        builder = ZoneBuilder(APEX)
        for rrset in held.values():
            for rdata in rrset.rdatas:
                builder.add(rrset.owner, rrset.ttl, rdata)
        assert builder.build() == new


class TestSameContent:
    @pytest.mark.parametrize(
        ("before", "after", "same"),
        [
            ("h 1 2", "h 1 2", True),
            ("h 1 2", "h 9 2", True),
            ("h 1 2", "h 1 9", False),
            ("h 1 2", "mail 1 2", False),
            ("@ SOA", "@ 5 SOA", False),
            ("192.0.2.2", "192.0.2.3", False),
        ],
    )
    def test_ignores_the_serial_alone(self, before: str, after: str, same: bool) -> None:
        """A serial is raised exactly when something else changed."""
        assert same_content(zone(TEXT), zone(TEXT.replace(before, after))) is same

    def test_is_false_for_a_first_version(self) -> None:
        assert not same_content(None, zone(TEXT))
