"""What is wrong with the records by which a domain says how its mail is to be judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailname.mail import policy

if TYPE_CHECKING:
    from collections.abc import Callable

GOOD = [
    (policy.spf_faults, "v=spf1 mx a:mail.example.tech ip4:192.0.2.0/24 ip6:2001:db8::/32 include:_spf.example.net ~all"),
    (policy.spf_faults, "v=spf1 redirect=_spf.example.tech"),
    (policy.spf_faults, "v=spf1 a/24 a//64 mx:example.tech/24//64 ptr exists:%{ir}.%{v}._spf.%{d2} exp=%{l1r+-}.%% ~all"),
    (policy.spf_faults, "v=spf1"),
    (policy.spf_faults, "some other text"),
    (policy.spf_faults, "v=spf1 exists:%{i}._spf.example.tech -all exp=why.example.tech"),
    (policy.dmarc_faults, "v=DMARC1; p=reject; sp=none; pct=50; rua=mailto:a@example.tech,mailto:b@example.tech!10m"),
    (policy.dkim_faults, "p="),
    (policy.mta_sts_faults, "v=STSv1; id=20261122T000000;"),
    (policy.tls_report_faults, "v=TLSRPTv1; rua=mailto:tls@example.tech,https://example.tech/tls"),
]
BAD = [
    (policy.spf_faults, "v=spf1 all", "lets everybody send"),
    (policy.spf_faults, "v=spf1 ip4:mail.example.tech -all", "no IPv4 network"),
    (policy.spf_faults, "v=spf1 ip6:192.0.2.1 -all", "no IPv6 network"),
    (policy.spf_faults, "v=spf1 mxx -all", "no mechanism"),
    (policy.spf_faults, "v=spf1 include -all", "names no domain"),
    (policy.spf_faults, "v=spf1 -all mx", "never looked at"),
    (policy.spf_faults, "v=spf1 a/33 -all", "no a of SPF"),
    (policy.spf_faults, "v=spf1 mx//129 -all", "no mx of SPF"),
    (policy.spf_faults, "v=spf1 a///64 -all", "no a of SPF"),
    (policy.spf_faults, "v=spf1 a: -all", "no a of SPF"),
    (policy.spf_faults, "v=spf1 ptr/24 -all", "no ptr of SPF"),
    (policy.spf_faults, "v=spf1 exists:%{x}.example.tech -all", "a macro that is none"),
    (policy.spf_faults, "v=spf1 exists:100%.example.tech -all", "a macro that is none"),
    (policy.spf_faults, "v=spf1 exp= -all", "names no domain"),
    (policy.spf_faults, "v=spf1 redirect=a.example redirect=b.example", "more than once"),
    (policy.spf_faults, "v=spf1 !! -all", "no term"),
    (policy.spf_faults, "v=spf1 " + " ".join(f"include:s{n}.example.net" for n in range(11)) + " -all", "11 questions"),
    (policy.dmarc_faults, "v=DMARC1; rua=mailto:a@example.tech", "no policy"),
    (policy.dmarc_faults, "v=DMARC1; p=refuse", "p=refuse is no policy"),
    (policy.dmarc_faults, "v=DMARC1; p=none; pct=many", "no percentage"),
    (policy.dmarc_faults, "v=DMARC1; p=none; rua=a@example.tech", "no mailto:"),
    (policy.dkim_faults, "v=DKIM2; p=", "no version"),
    (policy.dkim_faults, "v=DKIM1; k=rsa", "no key"),
    (policy.dkim_faults, "v=DKIM1; p=QUJ", "no base64"),
    (policy.dkim_faults, "v=DKIM1; k=rsa; p=QUJD", "no RSA key"),
    (policy.dkim_faults, "v=DKIM1; k=dsa; p=QUJD", "no kind of key"),
    (policy.mta_sts_faults, "v=STSv1; id=2026-11-22", "letters and digits"),
    (policy.tls_report_faults, "v=TLSRPTv1", "nowhere to report"),
    (policy.tls_report_faults, "v=TLSRPTv1; rua=tls@example.tech", "neither"),
]
BEGINNINGS = ["", "v=spf1 ", "v=DMARC1; ", "v=DKIM1; ", "v=STSv1; ", "v=TLSRPTv1; "]
FAULTS = [policy.spf_faults, policy.dmarc_faults, policy.dkim_faults, policy.mta_sts_faults, policy.tls_report_faults]


class TestPolicy:
    @pytest.mark.parametrize(("judge", "text"), GOOD)
    def test_that_can_be_followed_has_no_faults(self, judge: Callable[[list[str]], list[str]], text: str) -> None:
        """Everything that the RFC allows and that is in use."""
        assert judge([text]) == []

    @pytest.mark.parametrize(("judge", "text", "says"), BAD)
    def test_that_cannot_be_followed_says_why(self, judge: Callable[[list[str]], list[str]], text: str, says: str) -> None:
        """One fault, in words."""
        assert [says in fault for fault in judge([text])] == [True]

    @pytest.mark.parametrize("judge", FAULTS)
    def test_that_is_not_there_has_no_faults(self, judge: Callable[[list[str]], list[str]]) -> None:
        """Nobody must have one."""
        assert judge([]) == []

    @pytest.mark.parametrize(
        ("judge", "text"),
        [
            (policy.spf_faults, "v=spf1 -all"),
            (policy.dmarc_faults, "v=DMARC1; p=none"),
            (policy.dkim_faults, "p=QUJD"),
            (policy.mta_sts_faults, "v=STSv1; id=1"),
            (policy.tls_report_faults, "v=TLSRPTv1; rua=https://a"),
        ],
    )
    def test_twice_counts_as_none(self, judge: Callable[[list[str]], list[str]], text: str) -> None:
        """Each RFC says so."""
        assert [fault.startswith("there are 2") for fault in judge([text, text])] == [True]

    @given(st.lists(st.text(max_size=80), max_size=3), st.sampled_from(BEGINNINGS))
    def test_of_any_text_is_judged_in_words(self, texts: list[str], begin: str) -> None:
        """Strangers write these."""
        for judge in FAULTS:
            assert all(isinstance(fault, str) and fault for fault in judge([begin + text for text in texts]))
