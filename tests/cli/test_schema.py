from __future__ import annotations

import json

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
