"""NS-08: only the plan's secondaries should be able to transfer the zone (RFC 5936 section 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.rcode
from dns.rdatatype import RdataType

from mailname.checks.finding import Finding, Severity, evidence_of
from mailname.checks.reading import sights
from mailname.checks.wording import spoken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailname.checks.facts import Facts
    from mailname.plan import Plan


def open_transfer(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Find servers that began to transfer the zone to us, without a key."""
    for sight in sights(plan, facts):
        probe = facts.probe(sight.address, "tcp", plan.domain, RdataType.AXFR)
        if probe is None or not probe.answered or probe.rcode != dns.rcode.NOERROR or not probe.answer:
            continue
        name = spoken(sight.server.name)
        yield Finding(
            "NS-08",
            Severity.FRAGILE,
            f"{name} ({sight.address}) gives the whole zone {spoken(plan.domain)} to everyone who asks.",
            f"configuration on {name}",
            f"Allow transfers on {name} only to the other name servers of the plan, or only with the transfer key.",
            f"dig @{sight.address} {spoken(plan.domain)} AXFR",
            (evidence_of(probe),),
            server=sight.server.name,
            addresses=(sight.address,),
        )
