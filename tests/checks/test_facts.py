"""Facts can be saved and read again; a verdict can be found again from them."""

from __future__ import annotations

import json

import pytest
from tests.checks.small_world import SmallWorld, look, verdict_of

from mailname.checks import Facts
from mailname.checks.facts import Outcome, Record


class TestFacts:
    async def test_saved_and_read_are_the_same(self) -> None:
        """Names, addresses, records and outcomes survive JSON."""
        world = SmallWorld()
        world.host("192.0.2.1").tcp = "silent"
        facts = await look(world)
        assert Facts.from_json(json.loads(json.dumps(facts.to_json()))) == facts

    async def test_replayed_give_the_same_verdict(self) -> None:
        """Judging reads nothing but the facts and the plan."""
        world = SmallWorld()
        world.delegate({})
        facts = await look(world)
        replayed = Facts.from_json(facts.to_json())
        assert verdict_of(world.plan, replayed).to_json() == verdict_of(world.plan, facts).to_json()

    async def test_are_not_many(self) -> None:
        """A healthy domain with two servers is asked at most 45 questions."""
        assert (await look(SmallWorld())).queries <= 45


class TestRecord:
    @pytest.mark.parametrize(
        "line", ["example.tech. 3600 IN MX 10 mail.example.tech.", 'example.tech. 60 IN TXT "two words" "x"']
    )
    def test_is_written_as_dig_does(self, line: str) -> None:
        """Owner, TTL, class, type, rdata."""
        assert str(Record.from_text(line)) == line


class TestPatience:
    async def test_a_silent_server_is_not_asked_again(self) -> None:
        """One question uses up the budget of (address, transport); the others are given up with it."""
        world = SmallWorld()
        world.host("192.0.2.1").udp = "silent"
        facts = await look(world)
        asked = [p for p in facts.at_rung("servers") if str(p.address) == "192.0.2.1" and p.transport == "udp"]
        assert {p.outcome for p in asked} == {Outcome.SILENT}
        assert sorted(p.tries for p in asked)[-2:] == [1, 2]
