from __future__ import annotations

from typing import TYPE_CHECKING

import dns.name
import pytest
from hypothesis import given
from tests.strategies import APEX, names

from mailname.zone.name_text import NameTextError, name_from_text, name_to_text

if TYPE_CHECKING:
    from dns.name import Name


class TestNameFromText:
    @pytest.mark.parametrize(
        ("text", "labels"),
        [
            ("@", (b"example", b"tech", b"")),
            ("www", (b"www", b"example", b"tech", b"")),
            ("www.example.net.", (b"www", b"example", b"net", b"")),
            (".", (b"",)),
            (r"a\.b", (b"a.b", b"example", b"tech", b"")),
            (r"\@", (b"@", b"example", b"tech", b"")),
            (r"a\032\000\255", (b"a \x00\xff", b"example", b"tech", b"")),
            ("MiXed", (b"MiXed", b"example", b"tech", b"")),
        ],
    )
    def test_reads(self, text: str, labels: tuple[bytes, ...]) -> None:
        """RFC 1035 section 5.1; case is kept (RFC 4343 section 4.1)."""
        assert name_from_text(text, APEX).labels == labels

    @pytest.mark.parametrize(
        ("text", "problem", "remedy"),
        [
            ("a..b", "two dots in a row", "single dots"),
            (".a", "begins with a dot", "single dots"),
            ("a" * 64, "longer than 63 octets", "Shorten"),
            ("a" * 63 + "." + ("b" * 63 + ".") * 3, "longer than 255 octets", "Shorten"),
            (r"a\2", "a backslash", r"\032"),
            (r"a\256", "a backslash", r"\032"),
            ("", "two dots", "single dots"),
            ("bücher.example.", "not a name in ASCII", "xn--bcher-kva.example."),
            ("\u00fc" * 70, "not a name in ASCII", "xn-- form"),
            ("www\u00a0", "invisible character (U+00A0)", "ordinary space"),
            ("w\ud800", "not a name in ASCII", "xn-- form"),
        ],
    )
    def test_explains(self, text: str, problem: str, remedy: str) -> None:
        with pytest.raises(NameTextError) as caught:
            name_from_text(text, APEX)
        assert problem in caught.value.problem
        assert remedy in caught.value.remedy


class TestNameToText:
    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("example.tech.", "@"),
            ("www.example.tech.", "www"),
            ("www.EXAMPLE.tech.", "www.EXAMPLE.tech."),
            (r"\@.example.tech.", r"\@"),
            ("example.net.", "example.net."),
            ("tech.", "tech."),
            (".", "."),
        ],
    )
    def test_is_relative_where_nothing_is_lost(self, name: str, text: str) -> None:
        assert name_to_text(dns.name.from_text(name), APEX) == text

    @given(names)
    def test_reads_back(self, name: Name) -> None:
        """Every name, to the letter, under its origin and under the root."""
        for origin in (APEX, dns.name.root):
            assert name_from_text(name_to_text(name, origin), origin).labels == name.labels
