"""An SPF record and all that it leads to."""

from __future__ import annotations

import dns.name
import pytest

from mailname.mail.spf_follow import followed_faults, spf_targets

DOMAIN = dns.name.from_text("example.tech")
ELSEWHERE = {
    "one.example.": ["v=spf1 ip4:192.0.2.0/24 ~all", "some other text"],
    "four.example.": ["v=spf1 a mx exists:%{i}.four.example ptr -all"],
    "deep.example.": ["v=spf1 include:four.example include:one.example -all"],
    "gone.example.": [],
    "twice.example.": ["v=spf1 a -all", "v=spf1 mx -all"],
    "round.example.": ["v=spf1 include:back.example -all"],
    "back.example.": ["v=spf1 include:round.example -all"],
    "home.example.": ["v=spf1 include:example.tech -all"],
    "bad.example.": ["v=spf1 mxx -all"],
    "worse.example.": ["v=spf1 include:bad.example -all"],
    "on.example.": ["v=spf1 redirect=gone.example"],
}


def faults(record: str) -> list[str]:
    return followed_faults(DOMAIN, record, lambda domain: ELSEWHERE.get(domain.to_text().lower()))


class TestFollowedFaults:
    @pytest.mark.parametrize(
        "record",
        [
            "v=spf1 mx -all",
            "v=spf1 include:one.example -all",
            "v=spf1 include:one.example include:one.example -all",  # twice is not without end
            "v=spf1 include:four.example a mx a:www.example.tech ip4:192.0.2.1 -all",
            "v=spf1 mx redirect=deep.example",
            "v=spf1 -all redirect=gone.example",  # never looked at: RFC 7208 section 6.1
            "v=spf1 include:unknown.example -all",  # nobody could say
            "v=spf1 include:%{d}.example -all",
            "v=spf1 include:a..b -all",
            "v=spf1 redirect=_spf.%{d}",
        ],
    )
    def test_are_none_where_all_can_be_followed(self, record: str) -> None:
        assert faults(record) == []

    @pytest.mark.parametrize(
        ("record", "fault"),
        [
            ("v=spf1 include:gone.example -all", "it includes gone.example, which has no SPF record"),
            ("v=spf1 ?include:Twice.Example. -all", "it includes Twice.Example, which has 2 SPF records"),
            ("v=spf1 redirect=gone.example", "it redirects to gone.example, which has no SPF record"),
            ("v=spf1 include:on.example -all", "it redirects to gone.example, by way of on.example, which has no SPF record"),
            ("v=spf1 include:bad.example -all", "it includes bad.example, and there 'mxx' is no mechanism of SPF"),
            (
                "v=spf1 redirect=worse.example",
                "it includes bad.example, by way of worse.example, and there 'mxx' is no mechanism of SPF",
            ),
            ("v=spf1 include:round.example -all", "it leads back to round.example, without end"),
            ("v=spf1 include:home.example -all", "it leads back to example.tech, without end"),
            (
                "v=spf1 include:deep.example include:four.example -all",
                "with what it includes it takes 12 questions to judge, and receivers stop after 10,"
                " at 'exists:%{i}.four.example' (example.tech → four.example)",
            ),
        ],
    )
    def test_are_told_in_few_words(self, record: str, fault: str) -> None:
        assert faults(record) == [fault]

    def test_end_where_records_lead_ever_deeper(self) -> None:
        """Each names a new domain: nobody follows more than receivers do."""
        found = followed_faults(DOMAIN, "v=spf1 include:x -all", lambda domain: [f"v=spf1 include:x{domain.to_text()} -all"])
        assert found == [
            "with what it includes it takes 11 questions to judge, and receivers stop after 10,"
            f" at 'include:xxxxxxxxxxx.' (example.tech → {' → '.join('x' * n for n in range(1, 11))})"
        ]


class TestSpfTargets:
    def test_are_in_order_and_without_those_that_depend_on_the_letter(self) -> None:
        found = spf_targets("v=spf1 INCLUDE:a.example ~include:b.example include:%{i}.example redirect=c.example")
        assert [(kind, name.to_text()) for kind, name in found] == [
            ("include", "a.example."),
            ("include", "b.example."),
            ("redirect", "c.example."),
        ]
