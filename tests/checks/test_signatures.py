"""Signatures that are over, not begun, missing or strange; only where the parent has a DS."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest
from tests.checks.small_world import SmallWorld, codes, edited, look, signatures, verdict_of
from tests.checks.test_explain import A1, A2, DS, KEY, NS1, NS2, TAG

from mailname.checks import Facts, Severity
from mailname.checks.facts import SIGNATURES

OVER, LATER = "20260301000000 20260201000000", "20360101000000 20350101000000"
BOTH = ("192.0.2.1", "198.51.100.2")


def signed(records: str, *at: str, ds: bool = True) -> SmallWorld:
    """Return a world whose zone is signed for today, and has these signatures in place of those at some servers."""
    world = SmallWorld()
    if ds:
        world.delegate({NS1: (A1,), NS2: (A2,)}, f"example.tech. DS {DS}")
    world.serve(edited(world.zone, add=f"@ DNSKEY {KEY}\n{signatures(TAG)}"))
    world.serve(edited(world.zone, add=f"@ DNSKEY {KEY}\n{records}"), *at)
    return world


class TestSignatures:
    async def test_for_today_are_well(self) -> None:
        """And two questions more an address are all that is asked."""
        world = signed(signatures(TAG), *BOTH)
        facts = await look(world)
        assert verdict_of(world.plan, facts).findings == ()
        assert len(list(facts.at_rung(SIGNATURES))) == 4

    async def test_without_a_ds_are_not_looked_at(self) -> None:
        """Nobody validates then."""
        world = signed(signatures(TAG, OVER), *BOTH, ds=False)
        facts = await look(world)
        assert verdict_of(world.plan, facts).findings == ()
        assert list(facts.at_rung(SIGNATURES)) == []

    @pytest.mark.parametrize(
        ("records", "says"),
        [
            (signatures(TAG, OVER), "the signatures of the SOA have expired on 2026-03-01 at 00:00 UTC, "),
            (signatures(TAG, LATER), "the signatures of the SOA begin on 2035-01-01 at 00:00 UTC only"),
            (signatures(7), "the signatures of the SOA are made with key 7, which is not in the zone"),
            (signatures(TAG, over=("DNSKEY",)), "there is a DS at the parent, and the SOA comes without a signature"),
            (signatures(TAG, over=("SOA",)), "there is a DS at the parent, and the keys come without a signature"),
            (
                signatures(TAG, over=("SOA",)) + "\n" + signatures(TAG, OVER, over=("DNSKEY",)),
                "the signatures of the keys have expired on",
            ),
        ],
        ids=["over", "later", "another key", "none of the SOA", "none of the keys", "keys"],
    )
    async def test_that_are_wrong_everywhere_kill_the_domain(self, records: str, says: str) -> None:
        """For whoever validates; the cause is proven, and one."""
        world = signed(records, *BOTH)
        facts = await look(world)
        verdict = verdict_of(world.plan, replace(facts, at=facts.at.replace(year=2026, month=11)))
        assert (codes(verdict), verdict.verdict) == (("SIG-01", ()), "broken")
        assert verdict.cause is not None
        assert verdict.cause.proven
        assert says in verdict.cause.finding.says
        assert "takes the whole domain example.tech for forged" in verdict.cause.finding.says
        assert (
            verdict.cause.finding.command == f"dig +norec +dnssec @192.0.2.1 example.tech {'DNSKEY' if 'keys' in says else 'SOA'}"
        )

    async def test_that_are_wrong_at_one_server_are_told_there(self) -> None:
        """The others are taken."""
        world = signed(signatures(TAG, OVER), "192.0.2.1")
        verdict = verdict_of(world.plan, await look(world))
        assert (codes(verdict), verdict.verdict) == (("SIG-01", ()), "fragile")
        assert verdict.cause is not None
        assert verdict.cause.finding.where == "configuration on ns1.example.tech"

    async def test_one_good_beside_an_old_one_is_well(self) -> None:
        """As while a key is changed."""
        world = signed(f"{signatures(TAG)}\n{signatures(TAG, OVER)}", *BOTH)
        assert verdict_of(world.plan, await look(world)).findings == ()

    async def test_are_kept_with_the_facts(self) -> None:
        facts = await look(signed(signatures(TAG, OVER), *BOTH))
        assert Facts.from_json(facts.to_json()).probes == facts.probes

    async def test_of_a_truncated_answer_say_nothing(self) -> None:
        """What is missing there may be in the rest."""
        world = signed(signatures(TAG, over=()), *BOTH)
        facts = await look(world)
        cut = tuple(replace(p, tc=True) if p.rung == SIGNATURES else p for p in facts.probes)
        assert [one for one in verdict_of(world.plan, replace(facts, probes=cut)).findings if one.severity is Severity.DEAD] == []


class TestImport:
    def test_of_the_checks_leaves_dnssec_aside(self) -> None:
        """It brings all of cryptography, which few domains need."""
        line = "import sys, mailname.checks; sys.exit('dns.dnssec' in sys.modules)"
        assert subprocess.run([sys.executable, "-c", line], check=False).returncode == 0
