"""``mailname history PLAN``: what was published and by whom, and an earlier version published anew."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from click.testing import CliRunner
from tests.lab import plan_texts

from mailname.cli.history import command as history
from mailname.cli.publish import command as publish
from mailname.lab import Lab
from mailname.plan import load

if TYPE_CHECKING:
    from pathlib import Path

    from click import Command
    from click.testing import Result


async def typed(command: Command, *words: object) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, command, list(map(str, words)))


class TestHistory:
    async def test_of_a_plan_tells_what_was_published_and_restores_it(self, tmp_path: Path) -> None:
        """Who, when, by which command, what changed; restored is what was, on every server, with a higher serial."""
        file = tmp_path / "plan.toml"
        file.write_text(plan_texts.ORDINARY)
        async with Lab(load(plan_texts.ORDINARY, "plan").plan, tmp_path) as lab:
            place = "--network", lab.network_file
            assert "No version" in (await typed(history, file, *place)).output
            assert (await typed(publish, file, *place)).exit_code == 0
            record = '[[record]]\nname = "new"\ntype = "TXT"\ndata = "new"\n'
            file.write_text(plan_texts.ORDINARY + record)
            assert (await typed(publish, file, *place)).exit_code == 0
            told = json.loads((await typed(history, file, *place, "--json")).stdout)
            second, first = told["zones"][0]["versions"]
            assert (told["schema"], second["before"]) == ("mailname.changes/1", first["serial"])
            assert second["user"]
            assert [line for line in second["changes"] if line.startswith("-")] == []
            shown = await typed(history, file, *place)
            assert f"mailname history PLAN --restore {first['serial']}" in shown.output
            assert '+ new.example.tech. 3600 TXT "new"' in shown.output
            only_shown = await typed(history, file, *place, "--restore", first["serial"], "--dry-run")
            assert only_shown.exit_code == 0, only_shown.output
            done = await typed(history, file, *place, "--restore", first["serial"])
            assert done.exit_code == 0, done.output
            assert "Change it as well." in done.output
            third = json.loads((await typed(history, file, *place, "--json")).stdout)["zones"][0]["versions"][0]
            assert third["serial"] > second["serial"]
            assert '- new.example.tech. 3600 TXT "new"' in third["changes"]
            unknown = await typed(history, file, *place, "--restore", 1)
            assert unknown.exit_code != 0

    async def test_of_a_zone_restores_nothing(self) -> None:
        """That takes the plan, which says where the primary is."""
        done = await typed(history, "--restore", "7")
        assert done.exit_code == 2
        assert "history PLAN" in done.output
