"""DELEG-02, glue missing: a name server inside the domain is found only if the parent gives its address (RFC 1034 4.2.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailname.checks.finding import Finding, Severity, evidence_of
from mailname.checks.reading import delegation
from mailname.checks.wording import listed, plan_file, spoken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailname.checks.facts import Facts
    from mailname.plan import Plan


def glue_missing(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Find name servers of the domain that the parent lists without an address, or with fewer than the plan gives."""
    parent = delegation(plan, facts)
    if parent is None:
        return
    missing = {}
    without_any = 0
    for server in plan.name_servers:
        if server.name not in parent.glue or not server.name.is_subdomain(plan.domain):
            continue
        glue = parent.glue[server.name]
        lacking = [address for address in server.addresses if address not in glue]
        # Without a plan, an address that is neither in the parent nor in a zone that we reach is not known to anybody.
        if (lacking or not server.addresses) and glue <= frozenset(server.addresses):
            missing[server.name] = lacking
            without_any += not glue
    if not missing:
        return
    hosts = listed(f"{spoken(name)} with {listed(addresses) or 'its address'}" for name, addresses in missing.items())
    addresses_alone = listed(address for addresses in missing.values() for address in addresses) or "of any"
    yield Finding(
        "DELEG-02",
        Severity.DEAD if without_any == len(parent.names) else Severity.FRAGILE,
        f"{spoken(parent.probe.zone)} lists {listed(spoken(name) for name in missing)} for {spoken(plan.domain)}"
        f" without the address {addresses_alone}: the glue is missing.",
        "registrar",
        f"Register the host {hosts} (registrars call it glue, host object or child name server).",
        f"mailname show {plan_file(plan.domain)} --registrar",
        (evidence_of(parent.probe),),
        addresses=tuple(address for addresses in missing.values() for address in addresses),
    )
