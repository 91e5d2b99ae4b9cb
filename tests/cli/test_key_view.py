"""Keys and the certificate in mailname status: a line where there is something to know."""

from __future__ import annotations

from typing import Any

import pytest

from mailname.cli.key_view import key_lines

USED = {"address": "192.0.2.1", "at": "2026-01-01T00:00:00Z", "for": "SOA"}


def key(name: str, *, signs: bool, used: bool = False) -> dict[str, Any]:
    return {"name": name, "signs": signs, "used_by": [USED] if used else []}


class TestKeys:
    def test_are_told_while_they_are_rotated(self) -> None:
        """Which one signs, who uses which; a single key is no news."""
        assert key_lines({"keys": [{"keys": [key("one.", signs=True, used=True)]}]}) == []
        new, old = key_lines({"keys": [{"keys": [key("k2.one.", signs=True), key("one.", signs=False, used=True)]}]})
        assert new == "key k2.one signs; used by nobody since the start"
        assert old.startswith("key one is taken, too; used by 192.0.2.1 ")
        assert key_lines({}) == []


class TestCertificate:
    @pytest.mark.parametrize(
        ("tls", "line"),
        [
            (
                {"listen": ["192.0.2.1:853"], "expires": "2099-01-01T00:00:00Z", "says": ""},
                "TLS at 192.0.2.1:853: the certificate is good until 2099-01-01",
            ),
            ({"listen": [], "expires": None, "says": "cannot read x"}, "TLS: [red]cannot read x[/]"),
            ({"listen": [], "expires": "2020-01-01T00:00:00Z", "says": "it has expired"}, "TLS: [red]it has expired[/]"),
        ],
    )
    def test_is_told_with_its_end(self, tls: dict[str, Any], line: str) -> None:
        """Before it is too late, and after."""
        (told,) = key_lines({"tls": tls})
        assert told.startswith(line)
