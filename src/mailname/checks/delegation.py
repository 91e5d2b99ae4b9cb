"""DELEG-01 and DELEG-05: the parent must know the domain, and all its servers must say the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.rcode

from mailname.checks.finding import Finding, Severity, evidence_of
from mailname.checks.reading import delegation_in, delegations, parent_answers
from mailname.checks.wording import dig, duration, plan_file, spoken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailname.checks.facts import Facts, Probe
    from mailname.plan import Plan


def delegated(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Find that every server of the parent denies the domain."""
    answers = parent_answers(facts)
    if not answers or delegations(facts):
        return
    first = answers[0]
    says = "the name does not exist" if first.rcode == dns.rcode.NXDOMAIN else "there is no delegation"
    zone, domain = spoken(first.zone), spoken(plan.domain)
    below_tld = len(first.zone) == 2  # below another zone nobody can tell whether that takes registrations, as co.uk does
    yield Finding(
        "DELEG-01",
        Severity.DEAD,
        f"The registry of {zone} does not know {domain} ({says}): it is not registered, has expired, or is on hold."
        if below_tld
        else f"The servers of {zone} do not know {domain} ({says}): it is misspelt; or, if {zone} takes registrations,"
        " it is not registered, has expired, or is on hold.",
        "registrar",
        f"Register {spoken(plan.domain)} with the name servers and glue of the plan; if that is done, wait and ask again"
        f"{_negative_ttl(first)}.",
        f"mailname show {plan_file(plan.domain)} --registrar",
        (evidence_of(first),),
    )


def _negative_ttl(probe: Probe) -> str:
    """Return how long caches remember the denial: the SOA's TTL and minimum, the lower of both (RFC 2308 section 5)."""
    for record in probe.authority:
        if record.rdtype.name == "SOA":
            return f" in {duration(min(record.ttl, record.rdata.minimum))}"  # type: ignore[attr-defined]  # SOA
    return ""


def said_by_parents(facts: Facts) -> dict[Probe, object]:
    """Return what each of the parent's servers says, to be compared: name servers and glue; None where it denies the domain."""
    said = {probe: delegation_in(probe, facts.domain) for probe in parent_answers(facts)}
    # Glue for names outside the domain is a courtesy: one server gives it, another does not, and both say the same.
    return {probe: (one.names, one.glue_inside(facts.domain)) if one else None for probe, one in said.items()}


def parents_agree(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Find that the parent's servers give different delegations: a change is travelling through the registry."""
    answers = parent_answers(facts)
    if not delegations(facts):
        return
    if len(set(said_by_parents(facts).values())) < 2:
        return
    said = {probe: delegation_in(probe, plan.domain) for probe in answers}
    ready = [probe for probe, one in said.items() if one and one.is_as_planned(plan)]
    late = [probe for probe in answers if probe not in ready]
    yield Finding(
        "DELEG-05",
        Severity.FRAGILE,
        f"{len(ready)} of {len(answers)} servers of {spoken(answers[0].zone)} have the delegation of the plan; "
        f"{spoken(late[0].server)} ({late[0].address}) does not.",
        "wait",
        "Wait: a change takes a while to reach all servers of a registry; if it has not after a day, ask the registrar.",
        dig(late[0].address, plan.domain, "NS"),
        (*(evidence_of(probe) for probe in ready[:1]), *(evidence_of(probe) for probe in late[:2])),
    )
