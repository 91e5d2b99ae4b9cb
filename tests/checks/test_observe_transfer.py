"""The transfer X-ray: what a secondary asks, asked from here; and each side's own account, over SSH too."""

from __future__ import annotations

import base64
import json
import os
import stat
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.checks import test_explain as one
from tests.checks.json_schema import mistakes
from tests.checks.small_world import SmallWorld, codes, look, name, verdict_of
from tests.lab import plan_texts

from mailname.checks import observe
from mailname.checks.facts_schema import facts_schema
from mailname.checks.saved_look import SavedLook, plan_data
from mailname.lab import Lab
from mailname.plan import load
from mailname.server.control import ask
from mailname.wire.tsig_key import Key, make_key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from mailname.checks import Facts

TEXT = plan_texts.WITH_KEY.replace('role = "secondary"', 'role = "secondary"\nssh = "admin@ns1.example.tech"', 1)
PLAN = load(TEXT, "plan.toml").plan


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    """Run both servers, the secondary one version behind since no NOTIFY reached it."""
    async with Lab(PLAN, tmp_path) as running:
        await running.publish()
        assert await running.wait_for_secondaries()
        running.register()
        await running.inject("notify-lost")
        yield running


async def seen(lab: Lab, key: Key | None, *, ssh: bool = False) -> Facts:
    """Look without any control socket."""
    world = replace(lab.world, control_sockets={}, transfer_key=key, ssh=ssh, second_look=0.05)
    return await observe(PLAN, network=lab.network, world=world)


def results(facts: Facts) -> dict[tuple[str, bool], str]:
    return {(one.question, one.key is not None): one.result for one in facts.transfers}


def right_key(lab: Lab) -> Key:
    (key,) = lab.primary.config.keys.values()
    return key


class TestFromHere:
    async def test_without_and_with_the_key_all_three_questions_are_asked(self, lab: Lab) -> None:
        """The serial is told to everybody, the zone to who signs; so neither key nor list is the matter, and it is the NOTIFY."""
        facts = await seen(lab, right_key(lab))
        assert results(facts) == {
            ("SOA", False): "given",
            ("IXFR", False): "refused",
            ("AXFR", False): "refused",
            ("SOA", True): "given",
            ("IXFR", True): "given",
            ("AXFR", True): "given",
        }
        assert codes(verdict_of(PLAN, facts)) == ("XFER-03", ())

    @pytest.mark.parametrize(("same_name", "result"), [(True, "badsig"), (False, "badkey")])
    async def test_with_a_key_that_the_primary_does_not_have_that_is_the_cause(
        self, lab: Lab, same_name: bool, result: str
    ) -> None:
        """Neither server told anything itself."""
        key = right_key(lab)
        other = make_key(key.name if same_name else name("other.example.tech."))
        facts = await seen(lab, other)
        assert results(facts)["AXFR", True] == result
        verdict = verdict_of(PLAN, facts)
        assert codes(verdict) == ("XFER-02", ())
        assert verdict.cause is not None
        assert verdict.cause.proven

    async def test_is_saved_without_the_secret(self, lab: Lab) -> None:
        """The key's name is a fact, the secret is in no part of what is saved; all of it fits the schema of facts."""
        key = right_key(lab)
        saved = SavedLook(await seen(lab, key), plan_data(TEXT)).to_json()
        text = json.dumps(saved)
        assert "transfer.example.tech." in text
        for form in (base64.b64encode(key.secret).decode(), key.secret.hex(), repr(key.secret)):
            assert form not in text
        assert mistakes(saved, facts_schema()) == []

    async def test_is_not_tried_where_all_are_in_step(self) -> None:
        world = SmallWorld()
        assert (await look(world)).transfers == ()


class TestOverSsh:
    async def test_the_secondary_tells_why_itself(self, lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Only where it is not in step: its status then says that it has heard nothing, and when it asks again."""
        secondary = lab.secondaries[0]
        assert secondary.config.control is not None
        (tmp_path / "status.json").write_text(json.dumps(await ask(secondary.config.control, {"do": "status"})), encoding="utf-8")
        program = tmp_path / "bin" / "ssh"
        program.parent.mkdir()
        program.write_text(f"#!/bin/sh\necho called >> {tmp_path}/called\ncat {tmp_path}/status.json\n", encoding="utf-8")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
        facts = await seen(lab, None, ssh=True)
        assert [str(fact.server) for fact in facts.control if fact.status] == ["ns1.example.tech."]
        verdict = verdict_of(PLAN, facts)
        assert codes(verdict) == ("XFER-03", ())
        assert verdict.cause is not None
        assert "no NOTIFY of it has arrived" in verdict.cause.finding.says
        assert (tmp_path / "called").read_text(encoding="utf-8") == "called\n"


class TestFailedTransfer:
    def test_names_the_cause_that_status_names(self, lagging: tuple[SmallWorld, Facts]) -> None:
        """One code of the check, and the finer one of replication folded into it."""
        verdict = one.told(lagging, one.secondary(last_failure=one.failed("badtime")), one.primary())
        assert codes(verdict) == ("XFER-06", ())
        assert verdict.cause is not None
        assert "REPL-05 clocks-differ" in verdict.cause.finding.says


lagging = one.lagging
