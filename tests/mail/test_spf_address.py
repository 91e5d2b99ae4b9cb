"""What an SPF record says of one address."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

import dns.name
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailname.mail.spf_address import result_for, spf_record

if TYPE_CHECKING:
    from dns.name import Name

    from mailname.mail.spf_address import Address

DOMAIN = dns.name.from_text("example.tech")
MAIL = dns.name.from_text("mail.example.tech")
HOSTS = {
    DOMAIN: (ip_address("192.0.2.1"),),
    MAIL: (ip_address("198.51.100.2"), ip_address("2001:db8::2")),
}


def addresses_of(host: Name) -> tuple[Address, ...] | None:
    return HOSTS.get(host)


TABLE = [
    ("v=spf1 mx -all", "198.51.100.2", "pass"),
    ("v=spf1 mx -all", "2001:db8::2", "pass"),
    ("v=spf1 a -all", "198.51.100.2", "fail"),
    ("v=spf1 a/8 -all", "192.9.9.9", "pass"),
    ("v=spf1 a//64 -all", "192.9.9.9", "fail"),
    ("v=spf1 mx//64 -all", "2001:db8::9", "pass"),
    ("v=spf1 a:mail.example.tech ~all", "198.51.100.2", "pass"),
    ("v=spf1 ip4:203.0.113.0/24 ~all", "198.51.100.2", "softfail"),
    ("v=spf1 ip4:198.51.100.0/24 -all", "198.51.100.2", "pass"),
    ("v=spf1 ip6:2001:db8::/32 ?all", "2001:db8::2", "pass"),
    ("v=spf1 exp=why.example.tech -all", "198.51.100.2", "fail"),
    ("v=spf1", "198.51.100.2", "neutral"),
    ("v=spf1 include:_spf.example.net -all", "198.51.100.2", None),
    ("v=spf1 redirect=_spf.example.net", "198.51.100.2", None),
    ("v=spf1 a:elsewhere.example.net -all", "198.51.100.2", None),
    ("v=spf1 mx:example.net -all", "198.51.100.2", None),
    ("v=spf1 a:%{i}.example.tech -all", "198.51.100.2", None),
    ("v=spf1 a:a..b -all", "198.51.100.2", None),
    ("v=spf1 ip4:nonsense -all", "198.51.100.2", None),
]


class TestResult:
    @pytest.mark.parametrize(("record", "address", "says"), TABLE)
    def test_is_by_the_first_term_that_matches(self, record: str, address: str, says: str | None) -> None:
        """RFC 7208 section 4.6.2; None is: more would have to be asked."""
        assert result_for(ip_address(address), record, DOMAIN, addresses_of, [MAIL]) == says

    @given(st.text(max_size=60))
    def test_of_any_text_raises_nothing(self, text: str) -> None:
        result = result_for(ip_address("192.0.2.1"), f"v=spf1 {text}", DOMAIN, addresses_of, [MAIL])
        assert result in ("pass", "fail", "softfail", "neutral", None)


class TestRecord:
    def test_is_the_only_one_that_is_spf(self) -> None:
        assert spf_record(["other", "v=spf1 mx -all"]) == "v=spf1 mx -all"
        assert spf_record(["v=spf1 mx -all", "v=spf1 a -all"]) is None


ELSEWHERE = {
    "ours.example.": "v=spf1 ip4:198.51.100.0/24 -all",
    "theirs.example.": "v=spf1 ip4:203.0.113.0/24 -all",
    "soft.example.": "v=spf1 ip4:203.0.113.0/24 ~all",
    "on.example.": "v=spf1 redirect=ours.example",
    "mx.example.": "v=spf1 mx -all",
    "round.example.": "v=spf1 include:round.example -all",
}


class TestOtherDomains:
    @pytest.mark.parametrize(
        ("record", "result"),
        [
            ("v=spf1 include:ours.example -all", "pass"),
            ("v=spf1 ~include:ours.example -all", "softfail"),
            ("v=spf1 include:theirs.example ~all", "softfail"),  # a fail there is no match here
            ("v=spf1 include:on.example -all", "pass"),
            ("v=spf1 redirect=ours.example", "pass"),
            ("v=spf1 redirect=theirs.example", "fail"),
            ("v=spf1 redirect=soft.example ip4:192.0.2.1", "softfail"),
            ("v=spf1 redirect=theirs.example ?all", "neutral"),
            ("v=spf1 include:mx.example -all", None),
            ("v=spf1 include:unknown.example -all", None),
            ("v=spf1 include:round.example -all", None),
        ],
    )
    def test_count_as_far_as_their_records_are_known(self, record: str, result: str | None) -> None:
        """RFC 7208 sections 5.2 and 6.1."""
        told = result_for(
            ip_address("198.51.100.2"), record, DOMAIN, addresses_of, (MAIL,), lambda domain: ELSEWHERE.get(domain.to_text())
        )
        assert told == result
