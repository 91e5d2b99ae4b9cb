from __future__ import annotations

import pytest
from tests.plan.marked_plans import GOOD, assert_told, good

_, _, NS1 = GOOD.partition("[[name_server]]\n")
NS1 = "[[name_server]]\n" + NS1.partition("[[name_server]]")[0]


class TestNameServers:
    def test_one_only(self) -> None:
        """Registries ask for two, and the domain is gone when it blinks."""
        assert_told(good((NS1, "")).replace("[[name_server]]", "¦[[name_server]]"), "only one name server")

    def test_two_primaries(self) -> None:
        """The second is told."""
        assert_told(good(('"secondary"', '"primary"'), ('addresses = ["198.51.100.2", "2001:db8:2::2"]\nrole      = ',
                                                        'addresses = ["198.51.100.2"]\nrole = ¦')), "second primary")  # fmt: skip

    def test_no_primary(self) -> None:
        """The likely one is named: the machine of the mail host."""
        assert_told(good(('"primary"', '¦"secondary"')), 'role = "primary" for ns2.example.tech')

    def test_no_primary_and_no_likely_one(self) -> None:
        """Otherwise the last."""
        text = good(('"primary"', '¦"secondary"'), ('addresses  = ["198.51.100.2"]', 'addresses = ["203.0.113.9"]'))
        assert_told(text, "ns2.example.tech")

    def test_the_same_name_twice(self) -> None:
        """One server, one table."""
        assert_told(good(('"ns2.example.tech"', '¦"ns1.example.tech"')), "there twice")

    def test_the_same_table_twice(self) -> None:
        """Told once, at the name."""
        assert_told(good((NS1, NS1 + NS1.replace('"ns1', '¦"ns1'))), "there twice")

    def test_whose_only_addresses_are_broken(self) -> None:
        """The address is told, not that there is none."""
        assert_told(good(('["192.0.2.1", "2001:db8:1::1"]', '[¦"junk"]'), ('"198.51.100.2", "2001:db8:2::2"', '¦"x", ¦"y"')))

    def test_the_same_address(self) -> None:
        """Two names for one machine are one name server."""
        assert_told(good(('"198.51.100.2", "2', '¦"192.0.2.1", "2')), "same address")

    @pytest.mark.parametrize("address", ["192.0.2.77", "2001:db8:1:9::1"])
    def test_one_prefix(self, address: str) -> None:
        """They fail together: a /24 or a /48; told once for a pair."""
        assert_told(good(('"198.51.100.2", "2', f'¦"{address}", "192.0.2.78", "2')), "in one prefix")

    def test_an_address_twice(self) -> None:
        """Told at the second."""
        assert_told(good(('"192.0.2.1", "2001:db8:1::1"', '"192.0.2.1", ¦"192.0.2.1"')), "there twice")

    def test_a_private_address(self) -> None:
        """The Internet does not get there."""
        assert_told(good(('"192.0.2.1", "2', '¦"10.0.0.1", "2')), "RFC 1918")

    def test_without_addresses(self) -> None:
        """Without an address there is no glue, and nobody to transfer to."""
        assert_told(good(('["198.51.100.2", "2001:db8:2::2"]', "¦[]")), "empty list")

    @pytest.mark.parametrize("name", ['"198.51.100.2"', '"2001:db8::1"', '"ns_2"', '""'])
    def test_named_by_something_else(self, name: str) -> None:
        """An NS names a host."""
        assert_told(good(('"ns2.example.tech"', "¦" + name)))

    def test_nameless_ones_are_told_by_what_is_known(self) -> None:
        """A broken name does not hide the shared address."""
        text = good(('"ns2.example.tech"', '¦"*"'), ('"198.51.100.2", "2', '¦"192.0.2.1", "2'))
        assert_told(text, "this name server")

    def test_without_a_common_family(self) -> None:
        """A secondary fetches the zone over IPv4 or IPv6: the primary must have what it has."""
        ns1, ns2 = '["192.0.2.1", "2001:db8:1::1"]', '["198.51.100.2", "2001:db8:2::2"]'
        assert_told(good((ns1, '[¦"2001:db8:1::1"]'), (ns2, '["198.51.100.2"]')), "IPv6 only and the primary ns2.example.tech")
        assert_told(good((ns1, '[¦"192.0.2.1"]'), (ns2, '["2001:db8:2::2"]')), "Write an IPv6 address of ns1.example.tech")
        assert_told(good((ns1, '["192.0.2.1"]')))

    def test_outside_the_domain(self) -> None:
        """Allowed; its addresses say who may transfer."""
        assert_told(good(('"ns1.example.tech"', '"ns1.example.org"')))


class TestLookAlikes:
    def test_of_one_host(self) -> None:
        """One letter beside the domain is legal and never meant."""
        assert_told(good(('"ns1.example.tech"', '¦"ns1.exmaple.tech"')), 'Did you mean "ns1.example.tech"?')

    def test_of_all_hosts(self) -> None:
        """When every host is elsewhere, the domain is what is misspelt."""
        assert_told(good(('"example.tech"', '¦"exmaple.tech"')), 'Did you mean "example.tech"?')

    @pytest.mark.parametrize("name", ["ns1.example2.tech", "ns1.example.de", "ns.tech", "examples.tech", "ns1.another.tech"])
    def test_of_none(self, name: str) -> None:
        """Numbered domains, other top-level domains and short names are meant."""
        assert_told(good(('"ns1.example.tech"', f'"{name}"')))
