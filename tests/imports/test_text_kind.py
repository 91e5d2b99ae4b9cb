"""What a text is that somebody wants to import."""

from __future__ import annotations

from pathlib import Path

import dns.name
import pytest

from mailname.imports.text_kind import Kind, apex_in, kind_of

DATA = Path(__file__).parents[1] / "data"
SOA = "SOA ns1 hostmaster 1 14400 3600 1209600 1800\n"


class TestKind:
    @pytest.mark.parametrize(
        ("text", "kind"),
        [
            ('// comment\n/* zone { */ options { directory "/x"; };', Kind.CONFIGURATION),
            ('include "/etc/bind/named.conf.options";\n', Kind.CONFIGURATION),
            ('\ufeffzone "a.example" IN { type primary; };', Kind.CONFIGURATION),
            (f"$TTL 3600\n@ IN {SOA}", Kind.ZONE),
            ("$INCLUDE other.zone\n", Kind.ZONE),
            ('@ TXT "the SOA is elsewhere" ; SOA\n', Kind.LIST),
            ("", Kind.LIST),
        ],
    )
    def test_is_told_by_how_it_begins_and_by_a_soa(self, text: str, kind: Kind) -> None:
        """What is quoted or a comment does not count."""
        assert kind_of(text) is kind

    def test_of_what_mail_servers_print_is_a_list(self) -> None:
        """Every form that is tested."""
        lists = sorted((DATA / "mail_lists").glob("*.txt"))
        assert lists
        assert {kind_of(one.read_text()) for one in lists} == {Kind.LIST}


class TestApex:
    @pytest.mark.parametrize(
        ("text", "guess", "apex"),
        [
            (f"$ORIGIN example.tech.\n@ {SOA}", None, "example.tech."),
            (f"Example.TECH. {SOA}", "other.example.", "example.tech."),
            (f"@ {SOA}", "example.tech.", "example.tech."),
            (f"@ {SOA}", None, None),
            (f"@ {SOA}", "db.", None),
            ("www A 192.0.2.1\n", "example.tech.", None),
        ],
    )
    def test_is_the_owner_of_the_soa(self, text: str, guess: str | None, apex: str | None) -> None:
        """The file's name is believed only where the text says nothing."""
        found = apex_in(text, "db", None if guess is None else dns.name.from_text(guess))
        assert (None if found is None else found.to_text()) == apex
