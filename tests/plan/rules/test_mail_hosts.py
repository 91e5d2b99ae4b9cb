from __future__ import annotations

import pytest
from tests.plan.marked_plans import GOOD, assert_told, good

MAIL = "[[mail_host]]" + GOOD.partition("[[mail_host]]")[2]
SECOND = '[[mail_host]]\nname = ¦"mx2"\npreference = 20\naddresses = ["203.0.113.5"]\n'
NO_ADDRESS = ('addresses  = ["198.51.100.2"]\n', "")


def record(name: str, rdtype: str, data: str) -> str:
    return f'[[record]]\nname = {name}\ntype = "{rdtype}"\ndata = {data}\n'


class TestMailHosts:
    def test_none(self) -> None:
        """Without an MX mail goes to the website's address (RFC 5321 section 5.1)."""
        assert_told("¦" + good((MAIL, "")), "no mail host")

    def test_none_but_an_mx_by_hand(self) -> None:
        """A record is as good."""
        assert_told(good((MAIL, ""), more=record('"@"', "MX", '"10 mail.example.org"')))

    def test_none_on_purpose(self) -> None:
        """The null MX says so (RFC 7505)."""
        assert_told(good((MAIL, ""), more=record('"@"', "MX", '"0 ."')))

    def test_null_mx_beside_another(self) -> None:
        """Both cannot be meant."""
        assert_told(good(more=record('"@"', "MX", '¦"0 ."')), "RFC 7505")

    def test_a_second_is_warned_of(self) -> None:
        """Mail arrives there whenever the first blinks."""
        assert_told(GOOD + SECOND, "whenever mail.example.tech blinks", "How will the mailboxes be kept in sync?")

    def test_a_second_of_the_same_preference(self) -> None:
        """Then each gets half."""
        assert_told(GOOD + SECOND.replace("20", "10"), "at random")

    def test_a_second_that_is_tried_first(self) -> None:
        """The one that is tried later is the second, wherever it stands."""
        assert_told(good(('"mail.example.tech"', '¦"mail.example.tech"')) + SECOND.replace("20", "5").replace("¦", ""), "mx2")

    def test_a_second_by_hand(self) -> None:
        """A record at the apex counts."""
        assert_told(good(more=record('"@"', "MX", '¦"20 mail.example.org"')), "mail.example.org")

    def test_a_second_is_not_judged_by_a_preference_that_cannot_be_read(self) -> None:
        """What is broken is told; nothing is concluded from the default in its place."""
        assert_told(GOOD + SECOND.replace("¦", "").replace("= 20", "= ¦70000"), "out of range")

    def test_the_same_twice(self) -> None:
        """Told at the second, and not as a second MX."""
        assert_told(GOOD + SECOND.replace("mx2", "mail"), "there twice")

    @pytest.mark.parametrize("name", ['"198.51.100.2"', '"[198.51.100.2]"', '"2001:db8::1"'])
    def test_named_by_an_address(self, name: str) -> None:
        """An MX names a host (RFC 1035 section 3.3.9)."""
        assert_told(good(('"mail.example.tech"', "¦" + name)), "an address")

    def test_without_an_address(self) -> None:
        """No mail can arrive."""
        assert_told(good(('"mail.example.tech"', '¦"post.example.tech"'), NO_ADDRESS), "no mail can arrive")

    def test_misspelt(self) -> None:
        """The near name is offered."""
        assert_told(
            good(('"mail.example.tech"', '¦"mial"'), NO_ADDRESS, more=record('"mail"', "A", '"192.0.2.9"')), "'mail.example.tech'"
        )

    @pytest.mark.parametrize("name", ["ns1", "@", "mail.example.org", "x.sub", "y.wild.example.tech", "z.all.example.tech"])
    def test_with_its_address_elsewhere(self, name: str) -> None:
        """A name server's, the website's, a wildcard's, one below a delegation or a DNAME, or out of the domain."""
        more = (
            record('"*.wild.example.tech"', "A", '"192.0.2.9"')
            + record('"sub"', "NS", '"ns1"')
            + record('"all"', "DNAME", '"example.org."')
        )
        assert_told(good(('"mail.example.tech"', f'"{name}"'), NO_ADDRESS, more=more))

    def test_whose_address_is_broken(self) -> None:
        """It has one, were it not for the slip."""
        assert_told(good(('["198.51.100.2"]', '[¦"198.51.100.256"]')))

    def test_that_is_an_alias(self) -> None:
        """RFC 2181 section 10.3; with addresses beside it or not."""
        alias = record('"mail"', "CNAME", '"ns1"')
        for changes in ((), (NO_ADDRESS,)):
            assert_told(good(('"mail.example.tech"', '¦"mail.example.tech"'), *changes, more=alias), "the CNAME on line")

    def test_with_odd_addresses(self) -> None:
        """Private ones, and one of them twice."""
        assert_told(
            good(('["198.51.100.2"]', '[¦"10.0.0.1", ¦"10.0.0.1"]')).replace('¦"10.0.0.1", ¦', '¦"10.0.0.1", ¦¦'), "RFC 1918"
        )

    def test_while_the_domain_is_broken(self) -> None:
        """The hosts tell which domain was meant, but nothing is proved by absence."""
        assert_told(good(('"example.tech"', '¦"example tech"'), NO_ADDRESS, ('"ns1.example.tech"', '¦"192.0.2.1"')))
        assert_told(good(('"example.tech"', "¦7"), NO_ADDRESS))
        assert_told(good(('"example.tech"', '¦"x@tech"'), NO_ADDRESS))
        assert_told(
            "¦"
            + good(('domain  = "example.tech"\n', ""), ('"ns1.example.tech"', '"192.0.2.1"')).replace(
                '"192.0.2.1"\n', '¦"192.0.2.1"\n', 1
            )
        )
