"""DELEG-08: a name server's name must have addresses itself; an alias breaks the delegation for many (RFC 2181 section 10.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from dns.rdatatype import RdataType

from mailname.checks.finding import Finding, Severity, evidence_of
from mailname.checks.reading import delegation, host_sight, served, sights, source_of_truth
from mailname.checks.wording import listed, plan_file, spoken

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dns.name import Name
    from dns.rdtypes.ANY.NS import NS

    from mailname.checks.facts import Facts
    from mailname.checks.reading import HostSight
    from mailname.plan import Plan
    from mailname.server.network import IPAddress


def _names(plan: Plan, facts: Facts) -> list[Name]:
    parent, truth = delegation(plan, facts), source_of_truth(plan, facts)
    apex = served(facts, truth.address, plan.domain, RdataType.NS) if truth else ()
    listed = {ns.target for ns in cast("tuple[NS, ...]", apex or ())} | set(parent.names if parent else ())
    return sorted(listed)


def _nobody_could_say(facts: Facts, host: Name, seen: HostSight, glue: Mapping[Name, frozenset[IPAddress]]) -> bool:
    """Tell whether a name's address was looked for in vain: no glue, nobody asked there, and no answer to who it is."""
    looked = facts.asks("root") or bool(seen.probes)
    asked = any(probe.server == host for probe in facts.at_rung("servers"))
    return looked and host in glue and seen.addresses is None and not glue[host] and not asked


def ns_name_usable(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Find NS names that are aliases, or that no one gives an address to."""
    planned = {server.name for server in plan.name_servers}
    parent = delegation(plan, facts)
    glue = parent.glue if parent else {}
    any_is_known = bool(sights(plan, facts))
    for host in _names(plan, facts):
        seen = host_sight(plan, facts, host)
        inside = host.is_subdomain(plan.domain)
        only_glue = glue.get(host, frozenset()) if inside and seen.addresses == () else frozenset()
        nowhere = not inside and (seen.addresses == () or _nobody_could_say(facts, host, seen, glue))
        if seen.alias is None and not nowhere and not only_glue:
            continue
        where = f"zone file on {spoken(plan.primary.name)}" if inside else f"zone of {spoken(host)}"
        yield Finding(
            "DELEG-08",
            Severity.FRAGILE if any_is_known else Severity.DEAD,
            f"The name server {spoken(host)} of {spoken(plan.domain)} is an alias of {spoken(seen.alias)};"
            " resolvers that keep to the rules do not follow it."
            if seen.alias is not None
            else f"The address of the name server {spoken(host)} of {spoken(plan.domain)} cannot be found out:"
            f" nobody answers for {spoken(host.parent())}."
            if seen.addresses is None
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
