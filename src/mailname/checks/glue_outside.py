"""DELEG-12: glue for a name outside the domain, which nobody needs there, should not lead elsewhere than the name itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailname.checks.finding import Finding, Severity, evidence_of
from mailname.checks.reading import delegations, host_sight
from mailname.checks.wording import listed, spoken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailname.checks.facts import Facts
    from mailname.plan import Plan


def glue_outside_old(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Note each such name of which a server of the parent gives an address that the name does not have."""
    told = set()
    for parent in delegations(facts):
        for name, glue in sorted(parent.glue.items()):
            seen = host_sight(plan, facts, name)
            if name in told or name.is_subdomain(plan.domain) or not glue or not seen.addresses:
                continue
            old = sorted(glue - frozenset(seen.addresses), key=str)
            if not old:
                continue
            told.add(name)
            yield Finding(
                "DELEG-12",
                Severity.NOTE,
                f"{spoken(parent.probe.zone)} gives {listed(old)} for {spoken(name)}, which is at"
                f" {listed(sorted(seen.addresses, key=str))}: an old host record, which some resolvers believe.",
                f"registrar of {spoken(name.parent())}",
                f"Change the host {spoken(name)} where it is registered: this is up to whoever runs that name server.",
                f"dig {spoken(name)} {'A' if old[0].version == 4 else 'AAAA'}",
                (evidence_of(parent.probe), *(evidence_of(probe) for probe in seen.probes[:2])),
                server=name,
                addresses=tuple(old),
            )
