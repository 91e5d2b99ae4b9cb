"""Which RDAP server ``check --rdap`` asks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click
import dns.name
import pytest

from mailname.cli.check_rdap import rdap_server

if TYPE_CHECKING:
    from pathlib import Path

DOMAIN = dns.name.from_text("example.tech")


class TestRdapServer:
    def test_is_the_url_that_is_given(self) -> None:
        assert rdap_server("https://rdap.test/x", DOMAIN) == "https://rdap.test/x"

    def test_is_found_in_the_bootstrap_file(self, tmp_path: Path) -> None:
        file = tmp_path / "dns.json"
        file.write_text(json.dumps({"services": [[["tech"], ["https://rdap.test/"]]]}))
        assert rdap_server(str(file), DOMAIN) == "https://rdap.test/"

    @pytest.mark.parametrize(
        ("text", "word"),
        [("https://user:secret@rdap.test/", "no address"), ("https://", "no address"), ("/nowhere/dns.json", "neither a URL")],
    )
    def test_that_is_none_is_refused(self, text: str, word: str) -> None:
        """A URL with a password would end in a saved look."""
        with pytest.raises(click.BadParameter, match=word):
            rdap_server(text, DOMAIN)

    @pytest.mark.parametrize(
        ("content", "word"), [("{}", "no bootstrap file"), ('{"services": [[["de"], ["https://x/"]]]}', "knows no")]
    )
    def test_that_a_file_does_not_tell_is_refused(self, tmp_path: Path, content: str, word: str) -> None:
        file = tmp_path / "dns.json"
        file.write_text(content)
        with pytest.raises(click.BadParameter, match=word):
            rdap_server(str(file), DOMAIN)
