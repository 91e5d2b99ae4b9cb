"""``mailname show PLAN --server NAME``: what ``mailname serve --config`` reads."""

from __future__ import annotations

from pathlib import Path

import dns.name
import pytest
from click.testing import CliRunner

from mailname.cli.main import command
from mailname.errors import PlanError
from mailname.plan import load
from mailname.server.config_file import load_config
from mailname.server.keyfile import make_key_file

PLAN = Path(__file__).parents[2] / "examples" / "catalog.tech.toml"


def shown(*words: str) -> str:
    done = CliRunner().invoke(command, ["show", str(PLAN), *words])
    assert done.exit_code == 0, done.output
    return done.stdout


class TestServer:
    @pytest.mark.parametrize(("name", "role"), [("ns1.catalog.tech", "consumer"), ("ns2.catalog.tech", "producer")])
    def test_prints_a_configuration_that_can_be_read(self, tmp_path: Path, name: str, role: str) -> None:
        """The key is where 'mailname key make' puts it."""
        key = dns.name.from_text("transfer.catalog.tech.")
        make_key_file(tmp_path / "transfer.catalog.tech.key", key)
        config = load_config(shown("--server", name), str(tmp_path / "server.toml"))
        assert [(one.name, one.role) for one in config.catalogs] == [(dns.name.from_text("zones.catalog.tech."), role)]
        assert set(config.keys) == {key}
        assert config.control is not None

    def test_other_name_is_told_with_those_that_there_are(self) -> None:
        done = CliRunner().invoke(command, ["show", str(PLAN), "--server", "ns3.catalog.tech"])
        assert done.exit_code == 2
        assert "it has ns1.catalog.tech, ns2.catalog.tech" in done.output


class TestSummary:
    def test_names_the_catalog(self) -> None:
        assert ";   zones.catalog.tech  catalog    from ns2.catalog.tech" in shown()

    def test_domain_is_no_name_of_a_catalog(self) -> None:
        text = PLAN.read_text(encoding="utf-8").replace('"zones.catalog.tech"', '"catalog.tech"')
        with pytest.raises(PlanError, match=r"plan\.toml:13:8: This is the domain itself\."):
            load(text, "plan.toml")
