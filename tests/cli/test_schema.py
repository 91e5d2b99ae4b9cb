from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from mailname.cli.schema import command


class TestSchema:
    def test_prints_the_plans_schema(self) -> None:
        """One JSON document on standard output."""
        result = CliRunner().invoke(command, [])
        assert result.exit_code == 0
        schema = json.loads(result.stdout)
        assert schema["$schema"].startswith("https://json-schema.org/")
        assert {"domain", "contact", "name_server", "mail_host"} <= set(schema["properties"])

    @pytest.mark.parametrize(
        ("option", "title"),
        [("--check", "mailname.check/1"), ("--check-list", "mailname.check-list/1"), ("--facts", "mailname.facts/1")],
    )
    def test_prints_what_a_check_says(self, option: str, title: str) -> None:
        result = CliRunner().invoke(command, [option])
        assert result.exit_code == 0
        assert json.loads(result.stdout)["title"] == title
