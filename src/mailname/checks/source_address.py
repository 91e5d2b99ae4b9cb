"""NS-11: an answer must come from the address that was asked, or nobody takes it (RFC 2181 section 4.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailname.checks.finding import Finding, Severity, evidence_of
from mailname.checks.reading import sights
from mailname.checks.wording import dig, listed, spoken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailname.checks.facts import Facts
    from mailname.plan import Plan


def same_source_address(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Find name servers that answer over UDP from another address than they were asked at."""
    for server in plan.name_servers:
        seen = [
            probe
            for sight in sights(plan, facts)
            if sight.server == server
            for probe in facts.asked_at(sight.address)
            if probe.answered_from is not None
        ]
        if not seen:
            continue
        first = {probe.address: probe for probe in reversed(seen)}
        name = spoken(server.name)
        told = listed(
            f"asked at {probe.address} it answers from {probe.answered_from}" for probe in reversed(tuple(first.values()))
        )
        yield Finding(
            "NS-11",
            Severity.FRAGILE,
            f"{name} answers over UDP from another address: {told}; resolvers take no such answer.",
            f"configuration on {name}",
            f"Let the name server on {name} listen on each of its addresses by name instead of on all at once,"
            " and see that no address translation rewrites what it sends.",
            dig(seen[0].address, plan.domain, "SOA"),
            tuple(evidence_of(probe) for probe in reversed(tuple(first.values()))),
            server=server.name,
            addresses=tuple(first),
        )
