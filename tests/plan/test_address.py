from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from mailname.plan.address import is_address, prefix, private_reason, read_address
from mailname.plan.fault import WrongValueError


class TestReadAddress:
    @pytest.mark.parametrize("text", ["192.0.2.1", "198.51.100.2", "2001:db8::1", "10.0.0.1", "fd00::1", "8.8.8.8"])
    def test_that_is_good(self, text: str) -> None:
        """Documentation addresses are what examples use; private ones are only warned of."""
        assert str(read_address(text)) == text

    @pytest.mark.parametrize(
        ("text", "what", "hint"),
        [
            ("192.0.2.1/24", "not an IP address", '"192.0.2.1"'),
            ("192.0.2.1:53", "not an IP address", '"192.0.2.1"'),
            ("[2001:db8::1]:53", "not an IP address", '"2001:db8::1"'),
            ("ns1:53", "not an IP address", "hexadecimal"),
            (" 192.0.2.1", "not an IP address", '"192.0.2.1"'),
            ("192.0.2", "not an IP address", "four numbers"),
            ("192.0.2.1/x", "not an IP address", '"192.0.2.1"'),
            ("x/24", "not an IP address", "not a name"),
            ("2001:db8:::1", "not an IP address", "hexadecimal"),
            ("ns1.example.tech", "not an IP address", "not a name"),
            ("fe80::1%eth0", "zone index", "without it"),
            ("::ffff:192.0.2.1", "IPv6 dress", '"192.0.2.1"'),
            ("127.0.0.1", "loopback", "public"),
            ("::1", "loopback", "public"),
            ("0.0.0.0", "unspecified", "public"),
            ("0.1.2.3", "reserved", "public"),
            ("::", "unspecified", "public"),
            ("224.0.0.1", "multicast", "public"),
            ("ff02::1", "multicast", "public"),
            ("169.254.1.1", "link-local", "public"),
            ("fe80::1", "link-local", "public"),
            ("255.255.255.255", "broadcast", "public"),
            ("240.0.0.1", "reserved", "public"),
        ],
    )
    def test_that_is_not(self, text: str, what: str, hint: str) -> None:
        """Each one with the likely reason."""
        with pytest.raises(WrongValueError, match=what) as caught:
            read_address(text)
        assert hint in caught.value.remedy


class TestAddress:
    def test_prefix(self) -> None:
        """What fails together: a /24 or a /48."""
        assert prefix(ip_address("192.0.2.9")) == ip_network("192.0.2.0/24")
        assert prefix(ip_address("2001:db8:1:2::1")) == ip_network("2001:db8:1::/48")

    def test_private(self) -> None:
        """The reason names its RFC."""
        assert "1918" in str(private_reason(ip_address("192.168.1.1")))
        assert "6598" in str(private_reason(ip_address("100.64.0.1")))
        assert private_reason(ip_address("192.0.2.1")) is None

    def test_recognised_where_a_name_is_needed(self) -> None:
        """Also with brackets and dots around it."""
        assert is_address("192.0.2.1.")
        assert is_address("[2001:db8::1]")
        assert not is_address("ns1.example.tech")
