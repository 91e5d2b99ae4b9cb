"""ROOT-01: the root servers must be within reach; if they are not, nothing that we fail to reach tells of the domain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailname.checks.finding import Finding, Severity, evidence_of
from mailname.checks.reading import root_answers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailname.checks.facts import Facts
    from mailname.plan import Plan


def root_reachable(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Find that no root server gave a useful answer."""
    del plan
    asked = list(facts.at_rung("root"))
    if not asked or root_answers(facts):
        return
    yield Finding(
        "ROOT-01",
        Severity.DEAD,
        f"None of the {len(asked)} root server addresses answered from here, so that this is no verdict on the domain.",
        "your own network",
        "Let this machine's firewall and provider pass DNS (UDP and TCP port 53) outwards, or check from another machine.",
        f"dig +norec @{asked[0].address} . NS",
        tuple(evidence_of(probe) for probe in asked[:3]),
    )
