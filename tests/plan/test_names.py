from __future__ import annotations

import dns.name
import pytest
from dns.name import Name

from mailname.plan import names
from mailname.plan.fault import WrongValueError

DOMAIN = dns.name.from_text("example.tech.")


class TestDomain:
    @pytest.mark.parametrize(
        ("text", "name"),
        [
            ("example.tech", "example.tech."),
            ("example.tech.", "example.tech."),
            ("a.b.co.uk", "a.b.co.uk."),
            ("bücher.example", "xn--bcher-kva.example."),
            ("xn--bcher-kva.example", "xn--bcher-kva.example."),
            ("faß.example", "xn--fa-hia.example."),
            ("例え。テスト", "xn--r8jz45g.xn--zckzah."),
        ],
    )
    def test_that_is_good(self, text: str, name: str) -> None:
        """Names of every script, by IDNA2008; a final dot changes nothing."""
        assert names.read_domain(text).to_text() == name

    @pytest.mark.parametrize(
        ("text", "what"),
        [
            ("", "empty"),
            (".", "empty"),
            ("tech", "top-level"),
            ("example..tech", "empty label"),
            ("-example.tech", "hyphen"),
            ("exa_mple.tech", "'_'"),
            ("exa mple.tech", "space"),
            ("192.0.2.1", "address"),
            ("2001:db8::1", "address"),
            ("https://example.tech/x", "web address"),
            ("me@example.tech", "mailbox"),
            ("2.0.192.in-addr.arpa", "reverse zone"),
            ("example.7", "ends in a number"),
            ("xn--a.tech", "IDNA2008"),
            ("a\u0300\u200d.tech", "IDNA2008"),
            ("a" * 64 + ".tech", "63"),
            (".".join(["a" * 63] * 4) + ".tech", "too long"),
        ],
    )
    def test_that_is_not(self, text: str, what: str) -> None:
        """Each one with its reason."""
        with pytest.raises(WrongValueError, match=what):
            names.read_domain(text)


class TestHost:
    @pytest.mark.parametrize(
        ("text", "name"),
        [
            ("ns1", "ns1.example.tech."),
            ("@", "example.tech."),
            ("ns1.example.tech", "ns1.example.tech."),
            ("ns1.example.org", "ns1.example.org."),
            ("NS1.example.tech.", "NS1.example.tech."),
            ("bücher", "xn--bcher-kva.example.tech."),
        ],
    )
    def test_with_a_dot_is_full_and_without_stands_in_the_domain(self, text: str, name: str) -> None:
        """So no trailing dot can be forgotten."""
        assert names.read_host(text, DOMAIN) == dns.name.from_text(name)

    @pytest.mark.parametrize(
        ("text", "what"),
        [
            ("192.0.2.1", "an address"),
            ("a_b", "'_'"),
            ("*", "wildcard"),
            ("a!", "'!'"),
            ("a-", "hyphen"),
            ("[2001:db8::1]", "address"),
        ],
    )
    def test_that_is_none(self, text: str, what: str) -> None:
        """MX and NS name hosts."""
        with pytest.raises(WrongValueError, match=what):
            names.read_host(text, DOMAIN)

    def test_too_long_with_the_domain(self) -> None:
        """The length counts as a whole."""
        with pytest.raises(WrongValueError, match="too long"):
            names.read_host("a" * 63, Name((*[b"b" * 60] * 4, b"")))


class TestOwner:
    @pytest.mark.parametrize(
        "text", ["_dmarc", "*", "*.dev.example.tech", "_25._tcp.mail.example.tech", "@", "1/2", "example.tech"]
    )
    def test_may_be_a_service_or_a_wildcard(self, text: str) -> None:
        """Records stand at more than hosts."""
        assert names.read_owner(text, DOMAIN).is_subdomain(DOMAIN)

    @pytest.mark.parametrize(
        ("text", "what"),
        [("_sip._tcp", "outside"), ("www.example.org", "outside"), ("a.*.example.tech", "label"), ("a!", "label")],
    )
    def test_stays_in_the_domain(self, text: str, what: str) -> None:
        """A zone holds only its own names."""
        with pytest.raises(WrongValueError, match=what):
            names.read_owner(text, DOMAIN)


class TestMailbox:
    def test_with_dots_is_one_label(self) -> None:
        """RFC 1035 section 8: the local part is one label, its dots escaped in text."""
        rname = names.read_mailbox("host.master@example.tech")
        assert rname.labels[0] == b"host.master"
        assert rname.to_text() == r"host\.master.example.tech."

    @pytest.mark.parametrize(
        ("text", "what"),
        [
            ("hostmaster", "no @"),
            ("hostmaster.example.tech", "no @"),
            ("@example.tech", "before the @"),
            ("a..b@example.tech", "before the @"),
            ("ü@example.tech", "before the @"),
            ("a" * 64 + "@example.tech", "before the @"),
            ("a@192.0.2.1", "address"),
            ("a@", "empty"),
            ("a@b_c.tech", "'_'"),
            ("a" * 60 + "@" + ".".join(["b" * 60] * 4), "too long"),
        ],
    )
    def test_that_is_none(self, text: str, what: str) -> None:
        """Each one with its reason."""
        with pytest.raises(WrongValueError, match=what):
            names.read_mailbox(text)


class TestComplete:
    def test_follows_the_same_rule(self) -> None:
        """Names in the data of records, too."""
        assert names.complete(Name((b"a",)), DOMAIN) == dns.name.from_text("a.example.tech.")
        assert names.complete(Name((b"a", b"org")), DOMAIN) == dns.name.from_text("a.org.")
        assert names.complete(DOMAIN, DOMAIN) == DOMAIN
