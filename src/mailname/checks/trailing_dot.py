"""ZONE-01, trailing dot forgotten: zone-file text turns X.DOMAIN without a last dot into X.DOMAIN.DOMAIN (RFC 1035 5.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.name
from dns.rdatatype import RdataType

from mailname.checks.finding import Finding, Severity, evidence_of
from mailname.checks.observe_servers import relatives
from mailname.checks.reading import host_sight, mail_exchangers, served, source_of_truth
from mailname.checks.wording import plan_file, spoken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dns.name import Name

    from mailname.checks.facts import Facts
    from mailname.plan import Plan


def trailing_dot_forgotten(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Find hosts in MX and NS records that have no address, while the name with or without the appended domain has one.

    Of a host outside the domain it is enough that the plan names it.
    """
    truth = source_of_truth(plan, facts)
    if truth is None:
        return
    name_servers = served(facts, truth.address, plan.domain, RdataType.NS) or ()
    planned = {mail_host.name for mail_host in plan.mail_hosts} | {server.name for server in plan.name_servers}
    hosts: list[tuple[str, Name]] = [("MX", host) for host in mail_exchangers(plan, facts) or ()]
    hosts += [("NS", rdata.target) for rdata in name_servers]  # type: ignore[attr-defined]  # NS
    for kind, host in hosts:
        if not host.is_subdomain(plan.domain) or host_sight(plan, facts, host).addresses != ():
            continue
        meant = next((other for other in relatives(host, plan.domain) if host_sight(plan, facts, other).addresses), None)
        elsewhere = host.relativize(plan.domain).derelativize(dns.name.root)
        if meant is None and elsewhere in planned:
            meant = elsewhere
        if meant is None:
            continue
        probe = facts.probe(truth.address, "udp", plan.domain, RdataType[kind])
        doubled = len(host) > len(meant)
        right = meant if doubled else host
        known = f"{spoken(meant)} has one" if host_sight(plan, facts, meant).addresses else f"the plan has {spoken(meant)}"
        says = (
            f"The {kind} of {spoken(plan.domain)} names {spoken(host)}, which has no address; {known}."
            f" The dot after {spoken(right)} was forgotten in the zone file, so the domain was appended."
        )
        yield Finding(
            "ZONE-01",
            Severity.DEAD if kind == "MX" else Severity.FRAGILE,
            says,
            f"zone file on {spoken(plan.primary.name)}",
            f"Write {spoken(right)}. with a dot after it, or publish the plan's zone again.",
            f"mailname publish {plan_file(plan.domain)}",
            tuple(evidence_of(p) for p in (probe, *host_sight(plan, facts, host).probes[:1]) if p),
            server=host,
        )
