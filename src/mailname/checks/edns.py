"""NS-10: a name server must understand EDNS, or whatever is long is truncated, and signed zones fail (RFC 6891)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailname.checks.finding import Finding, Severity, evidence_of
from mailname.checks.reading import sights
from mailname.checks.wording import dig, spoken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailname.checks.facts import Facts
    from mailname.plan import Plan


def understands_edns(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Find addresses that answered only when they were asked without EDNS."""
    for sight in sights(plan, facts):
        asked = [p for p in facts.at_rung("servers") if p.address == sight.address and p.transport == "udp" and p.answered]
        if not asked or any(probe.edns for probe in asked):
            continue
        name = spoken(sight.server.name)
        yield Finding(
            "NS-10",
            Severity.FRAGILE,
            f"{name} ({sight.address}) does not answer questions with EDNS: resolvers have to ask twice, some give up.",
            f"configuration on {name}, or the firewall in front of it",
            f"Let the packet filter pass DNS messages with EDNS to {name}, or bring its name server up to date.",
            dig(sight.address, plan.domain, "SOA", "+edns=0"),
            (evidence_of(asked[0]),),
            server=sight.server.name,
            addresses=(sight.address,),
        )
