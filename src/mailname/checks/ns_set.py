"""DELEG-04: the name servers at the parent and those at the zone's apex must be the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dns.rdatatype import RdataType

from mailname.checks.finding import Finding, Severity, evidence_of
from mailname.checks.reading import delegation, served, source_of_truth
from mailname.checks.wording import listed, names, plan_file, spoken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dns.name import Name

    from mailname.checks.facts import Facts
    from mailname.plan import Plan


def ns_sets_differ(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Find names that only the parent or only the zone lists."""
    parent = delegation(plan, facts)
    if parent is None:
        return
    planned = frozenset(server.name for server in plan.name_servers)
    truth = source_of_truth(plan, facts)
    apex = served(facts, truth.address, plan.domain, RdataType.NS) if truth else None
    zone = frozenset(rdata.target for rdata in apex) if apex else planned  # type: ignore[attr-defined]  # NS
    if parent.names == zone:
        return
    evidence = [evidence_of(parent.probe)]
    if truth and apex and (probe := facts.probe(truth.address, "udp", plan.domain, RdataType.NS)):
        evidence.append(evidence_of(probe))
    at_registrar = parent.names != planned
    yield Finding(
        "DELEG-04",
        Severity.FRAGILE,
        f"{spoken(parent.probe.zone)} lists {names(parent.names)} for {spoken(plan.domain)}, the zone lists {names(zone)}.",
        "registrar" if at_registrar else "zone file",
        f"At the registrar, {_changes(parent.names, planned)}."
        if at_registrar
        else f"Publish the plan's zone again, which lists {names(planned)}.",
        f"mailname show {plan_file(plan.domain)} --registrar" if at_registrar else f"mailname publish {plan_file(plan.domain)}",
        tuple(evidence),
    )


def _changes(now: frozenset[Name], then: frozenset[Name]) -> str:
    """Say what to add and what to remove."""
    acts = []
    if then - now:
        acts.append(f"add {names(then - now)}")
    if now - then:
        acts.append(f"remove {names(now - then)}")
    return listed(acts)
