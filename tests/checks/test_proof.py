"""A cause is proven by applying its fix to the facts and judging again; what is then still found is no consequence of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.checks import test_explain as one
from tests.checks.small_world import SmallWorld, codes, edited, look, verdict_of

from mailname.checks import Severity, judge
from mailname.checks.facts import ControlFact
from mailname.checks.finding import CODES
from mailname.checks.mended import MENDS, mended

if TYPE_CHECKING:
    from mailname.checks import Facts, Verdict
    from mailname.plan import Plan

# Whatever these find is a note: it harms nobody today, and is no cause.
ONLY_NOTES = {
    *("TLD-03", "DELEG-06", "DELEG-09", "DELEG-12", "SOA-02", "SOA-03", "CACHE-01"),
    *("MX-06", "MAIL-05", "MAIL-08", "POL-06", "POL-07", "DANE-02"),
}


def fixed(plan: Plan, facts: Facts, verdict: Verdict) -> set[str]:
    """Return the codes that are still found when every cause is mended."""
    claimed = [cause.finding.code for cause in (verdict.cause, *verdict.also) if cause]
    causes = [found for found in judge(plan, facts) if found.code in claimed and found.severity is not Severity.NOTE]
    then = mended(plan, facts, causes)
    return {found.code for found in judge(then.plan, then.facts) if found.severity is not Severity.NOTE}


def causes_of(verdict: Verdict) -> list[tuple[str, bool]]:
    return [(cause.finding.code, cause.proven) for cause in (verdict.cause, *verdict.also) if cause]


class TestEveryCause:
    def test_has_a_fix_that_can_be_tried(self) -> None:
        """Each code that is more than a note can be a cause."""
        assert set(CODES) - ONLY_NOTES <= set(MENDS) <= set(CODES)

    async def test_leaves_nothing_when_both_of_two_are_mended(self) -> None:
        """The fixes do not stand in each other's way."""
        world = SmallWorld()
        one.dot_forgotten_in_ns(world)
        one.glue_wrong(world)
        one.tcp_blocked(world)
        facts = await look(world)
        verdict = verdict_of(world.plan, facts)
        assert sorted(causes_of(verdict)) == [("DELEG-03", True), ("NS-02", True), ("ZONE-01", True)]
        assert fixed(world.plan, facts, verdict) == set()


class TestFalseEffect:
    async def test_of_another_edit_is_told_beside_the_cause(self) -> None:
        """The MX is lost and the website was edited: a new MX does not bring the website back."""
        world = SmallWorld()
        world.serve(edited(world.zone, without=[*one.MX, ("example.tech.", "A")], add="@ A 192.0.2.77"))
        verdict = verdict_of(world.plan, await look(world))
        assert (codes(verdict), verdict.cause and verdict.cause.explains) == (("MX-01", ("ZONE-02",)), ())

    async def test_of_a_server_that_is_down_is_told_beside_it(self) -> None:
        """The primary is down; that its secondary signs with another key does not end when it is up again."""
        world = SmallWorld()
        one.primary_stopped(world)
        one.servfail_on_secondary(world)
        facts = await look(world)
        status = one.secondary(state="not loaded", serial=None, last_failure=one.failed("badkey"))
        verdict = verdict_of(world.plan, replace(facts, control=(ControlFact(one.NS1, status),)))
        assert "NS-05" in {code for code, _ in causes_of(verdict)}

    async def test_of_a_primary_out_of_reach_is_none_where_the_transfer_timed_out(self) -> None:
        """The same with a transfer that timed out: it ends with the cause."""
        world = SmallWorld()
        one.primary_stopped(world)
        one.servfail_on_secondary(world)
        facts = await look(world)
        status = one.secondary(state="not loaded", serial=None, last_failure=one.failed("timeout-udp"))
        verdict = verdict_of(world.plan, replace(facts, control=(ControlFact(one.NS1, status),)))
        assert causes_of(verdict) == [("NS-01", True)]
