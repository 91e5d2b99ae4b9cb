"""Which names a pattern stands for."""

from __future__ import annotations

import dns.name
import pytest

from mailname.zone.name_pattern import any_matches, matches


def name(text: str) -> dns.name.Name:
    return dns.name.from_text(text)


class TestPattern:
    @pytest.mark.parametrize(
        ("pattern", "stands_for", "not_for"),
        [
            ("example.org", ["example.org", "EXAMPLE.org"], ["a.example.org", "org", "xexample.org"]),
            (
                "*.example.org",
                ["a.example.org", "b.A.example.org", "*.example.org"],
                ["example.org", "a.example.net", "aexample.org"],
            ),
            ("*", ["org", "a.example.org"], ["."]),
        ],
    )
    def test_stands_for(self, pattern: str, stands_for: list[str], not_for: list[str]) -> None:
        assert [one for one in stands_for + not_for if matches(name(pattern), name(one))] == stands_for

    def test_of_several_one_is_enough(self) -> None:
        patterns = [name("example.org"), name("*.example.net")]
        assert any_matches(patterns, name("a.example.net"))
        assert not any_matches(patterns, name("a.example.org"))
        assert not any_matches((), name("example.org"))
