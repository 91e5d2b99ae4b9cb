"""DELEG-03, glue wrong: the parent sends resolvers to an address where the plan has no name server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.rcode
from dns.rdatatype import RdataType

from mailname.checks.finding import Finding, Severity, evidence_of
from mailname.checks.reading import delegation
from mailname.checks.wording import listed, plan_file, spoken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailname.checks.facts import Facts
    from mailname.plan import Plan
    from mailname.server.network import IPAddress


def glue_wrong(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Find glue that is not the name server's address; one finding for each server."""
    parent = delegation(plan, facts)
    if parent is None:
        return
    for server in plan.name_servers:
        glue = parent.glue.get(server.name, frozenset())
        wrong = sorted(glue - frozenset(server.addresses), key=str)
        if not wrong or not server.name.is_subdomain(plan.domain):
            continue
        heard = "; ".join(f"{address} {_what_is_there(plan, facts, address)}" for address in wrong)
        asked = [facts.probe(address, "udp", plan.domain, RdataType.SOA) for address in wrong]
        yield Finding(
            "DELEG-03",
            Severity.FRAGILE,
            f"{spoken(parent.probe.zone)} sends everyone to {spoken(server.name)} at {listed(wrong)},"
            f" and the plan has it at {listed(server.addresses)} ({heard}).",
            "registrar",
            f"Change the host {spoken(server.name)} (glue) from {listed(wrong)} to {listed(server.addresses)};"
            " if the server has moved there, change the plan instead.",
            f"mailname show {plan_file(plan.domain)} --registrar",
            (evidence_of(parent.probe), *(evidence_of(probe) for probe in asked if probe)),
            server=server.name,
            addresses=tuple(wrong),
        )


def _what_is_there(plan: Plan, facts: Facts, address: IPAddress) -> str:
    probe = facts.probe(address, "udp", plan.domain, RdataType.SOA)
    if probe is None:
        return "was not asked"
    if not probe.answered:
        return "does not answer"
    if probe.rcode == dns.rcode.NOERROR and probe.aa:
        return "serves the zone"
    return "does not serve the zone"
