"""TLD-01 and TLD-02: there must be a top-level domain above the domain, and its servers must answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.rcode

from mailname.checks.finding import Finding, Severity, evidence_of
from mailname.checks.observe_parents import referral_in, zone_that_denies
from mailname.checks.reading import root_answers
from mailname.checks.wording import dig, names, spoken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailname.checks.facts import Facts
    from mailname.plan import Plan


def tld_exists(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Find that the root denies the top-level domain."""
    answers = root_answers(facts)
    if not answers or any(referral_in(probe) or zone_that_denies(probe) for probe in answers):
        return
    tld = plan.domain.split(2)[1]
    yield Finding(
        "TLD-02",
        Severity.DEAD,
        f"There is no top-level domain {spoken(tld)}: the root servers deny it.",
        "the plan",
        f"Correct the spelling of the domain {spoken(plan.domain)} in the plan.",
        dig(answers[0].address, tld, "NS"),
        (evidence_of(answers[0]),),
    )


def tld_answers(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Find that no server of a zone above the domain answers usefully."""
    del plan
    asked = list(facts.at_rung("tld"))
    if not asked:
        return
    lowest = max((probe.zone for probe in asked), key=len)
    last = [probe for probe in asked if probe.zone == lowest]
    if any(probe.answered and probe.rcode in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN) for probe in last):
        return
    yield Finding(
        "TLD-01",
        Severity.DEAD,
        f"No server of {spoken(lowest)} answers ({names({probe.server for probe in last})}): this is not your domain's fault.",
        "wait",
        f"Wait until the registry of {spoken(lowest)} has repaired its servers, and look whether other domains under it work.",
        dig(last[0].address, lowest, "SOA"),
        tuple(evidence_of(probe) for probe in last[:3]),
    )
