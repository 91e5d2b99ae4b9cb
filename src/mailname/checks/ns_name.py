"""DELEG-08: a name server's name must have addresses itself; an alias breaks the delegation for many (RFC 2181 section 10.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from dns.rdatatype import RdataType

from mailname.checks.finding import Finding, Severity, evidence_of
from mailname.checks.reading import delegation, host_sight, served, source_of_truth
from mailname.checks.wording import listed, plan_file, spoken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dns.name import Name
    from dns.rdtypes.ANY.NS import NS

    from mailname.checks.facts import Facts
    from mailname.plan import Plan


def _names(plan: Plan, facts: Facts) -> list[Name]:
    parent, truth = delegation(plan, facts), source_of_truth(plan, facts)
    apex = served(facts, truth.address, plan.domain, RdataType.NS) if truth else ()
    listed = {ns.target for ns in cast("tuple[NS, ...]", apex or ())} | set(parent.names if parent else ())
    return sorted(listed)


def ns_name_usable(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Find NS names that are aliases, or that no one gives an address to."""
    planned = {server.name for server in plan.name_servers}
    parent = delegation(plan, facts)
    glue = parent.glue if parent else {}
    for host in _names(plan, facts):
        seen = host_sight(plan, facts, host)
        inside = host.is_subdomain(plan.domain)
        only_glue = glue.get(host, frozenset()) if inside and seen.addresses == () else frozenset()
        nowhere = seen.addresses == () and not inside
        if seen.alias is None and not nowhere and not only_glue:
            continue
        where = f"zone file on {spoken(plan.primary.name)}" if inside else f"zone of {spoken(host)}"
        yield Finding(
            "DELEG-08",
            Severity.FRAGILE,
            f"The name server {spoken(host)} of {spoken(plan.domain)} is an alias of {spoken(seen.alias)};"
            " resolvers that keep to the rules do not follow it."
            if seen.alias is not None
            else f"The name server {spoken(host)} of {spoken(plan.domain)} has no address"
            + (" in the zone itself, only in the parent's glue: once that is forgotten, it is lost." if only_glue else "."),
            where if host in planned or inside else "registrar",
            f"Give {spoken(host)} an A or AAAA record of its own instead of the CNAME."
            if seen.alias is not None
            else f"Write the address of {spoken(host)}, {listed(sorted(only_glue, key=str))}, into the zone."
            if only_glue
            else f"Give {spoken(host)} an address, or let another server stand in its place at the registrar and in the zone.",
            f"mailname publish {plan_file(plan.domain)}" if inside else f"dig {spoken(host)} A",
            tuple(evidence_of(probe) for probe in seen.probes[:2]),
            server=host,
        )
