from __future__ import annotations

import pytest

from mailname.plan.fault import WrongValueError
from mailname.plan.prefixes import read_prefix, reverse_apex


class TestPrefix:
    @pytest.mark.parametrize(
        ("text", "apex"),
        [
            ("192.0.2.0/24", "2.0.192.in-addr.arpa."),
            ("172.16.0.0/16", "16.172.in-addr.arpa."),
            ("10.0.0.0/8", "10.in-addr.arpa."),
            ("2001:db8::/32", "8.b.d.0.1.0.0.2.ip6.arpa."),
            ("2001:db8:1::/48", "1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa."),
            ("2000::/4", "2.ip6.arpa."),
        ],
    )
    def test_is_one_reverse_zone(self, text: str, apex: str) -> None:
        """RFC 1035 section 3.5 and RFC 3596 section 2.5."""
        assert reverse_apex(read_prefix(text)).to_text() == apex

    @pytest.mark.parametrize(
        ("text", "what", "hint"),
        [
            ("192.0.2.0", "length is missing", "/24"),
            ("junk/24", "not a prefix", "/24"),
            ("192.0.2.0/26", "belongs to your provider", "RFC 2317"),
            ("192.0.0.0/22", "not one reverse zone", "each /24"),
            ("2001:db8::/33", "not one reverse zone", "multiple of 4"),
            ("2001:db8::1/128", "not one reverse zone", "multiple of 4"),
            ("::/0", "not one reverse zone", "multiple of 4"),
            ("192.0.2.1/24", "bits beyond", "192.0.2.0/24"),
        ],
    )
    def test_that_is_not(self, text: str, what: str, hint: str) -> None:
        """Each one with what to do instead."""
        with pytest.raises(WrongValueError, match=what) as caught:
            read_prefix(text)
        assert hint in caught.value.remedy
