"""Answers that come from another address than was asked."""

from __future__ import annotations

from ipaddress import ip_address

from tests.checks.small_world import SmallWorld, look, verdict_of

from mailname.checks import Facts
from mailname.checks.source_address import same_source_address
from mailname.server.network import Endpoint

ELSEWHERE = Endpoint(ip_address("192.0.2.99"), 53)


class TestAnswerFromElsewhere:
    async def test_is_told_with_both_addresses(self) -> None:
        """It is neither taken as an answer nor as silence; that UDP fails follows from it."""
        world = SmallWorld()
        world.host("192.0.2.1").answers_from = ELSEWHERE
        verdict = verdict_of(world.plan, await look(world))
        assert verdict.cause is not None
        assert verdict.cause.finding.says == (
            "ns1.example.tech answers over UDP from another address: asked at 192.0.2.1 it answers from 192.0.2.99:53;"
            " resolvers take no such answer."
        )
        assert [finding.code for finding in verdict.cause.explains] == ["NS-03"]

    async def test_is_kept_with_the_facts(self) -> None:
        """A verdict on saved facts is the same."""
        world = SmallWorld()
        world.host("192.0.2.1").answers_from = ELSEWHERE
        facts = await look(world)
        again = Facts.from_json(facts.to_json())
        assert list(same_source_address(world.plan, again)) == list(same_source_address(world.plan, facts)) != []

    async def test_costs_no_more_than_a_silent_server(self) -> None:
        """The second try is made with other ears, not a third."""
        mute, other = SmallWorld(), SmallWorld()
        mute.host("192.0.2.1").udp = "silent"
        other.host("192.0.2.1").answers_from = ELSEWHERE
        assert (await look(other)).queries <= (await look(mute)).queries
