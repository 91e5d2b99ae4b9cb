"""MX-02, MX-03, MX-04: the MX must name a host with an address, not an alias (RFC 2181 section 10.3) and not an address."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.name
from dns.rdatatype import RdataType

from mailname.checks.finding import Finding, Severity, evidence_of
from mailname.checks.reading import host_sight, mail_exchangers, source_of_truth
from mailname.checks.wording import plan_file, spoken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dns.name import Name

    from mailname.checks.facts import Facts, Probe
    from mailname.plan import Plan


def _targets(plan: Plan, facts: Facts) -> Iterator[tuple[Name, Probe | None]]:
    truth = source_of_truth(plan, facts)
    if truth is None:
        return
    mx = facts.probe(truth.address, "udp", plan.domain, RdataType.MX)
    for host in mail_exchangers(plan, facts) or ():
        if host != dns.name.root:
            yield host, mx


def _is_address(host: Name, domain: Name) -> bool:
    """Tell whether a name is an IPv4 address in disguise, with or without the domain appended."""
    for labels in (host.relativize(dns.name.root).labels, host.relativize(domain).labels):
        if len(labels) == 4 and all(label.isdigit() and int(label) < 256 for label in labels):
            return True
    return False


def mx_target_without_address(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Find mail hosts without any address."""
    for host, mx in _targets(plan, facts):
        seen = host_sight(plan, facts, host)
        if seen.addresses != () or seen.alias or _is_address(host, plan.domain):
            continue
        yield Finding(
            "MX-02",
            Severity.DEAD,
            f"The MX of {spoken(plan.domain)} names {spoken(host)}, which has no address.",
            f"zone file on {spoken(plan.primary.name)}" if host.is_subdomain(plan.domain) else f"zone of {spoken(host)}",
            f"Give {spoken(host)} an A or AAAA record, or let the MX name a host that has one; then publish.",
            f"mailname publish {plan_file(plan.domain)}",
            tuple(evidence_of(probe) for probe in (mx, *seen.probes) if probe),
            server=host,
        )


def mx_target_is_alias(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Find mail hosts that are aliases."""
    for host, mx in _targets(plan, facts):
        seen = host_sight(plan, facts, host)
        if seen.alias is None:
            continue
        yield Finding(
            "MX-03",
            Severity.FRAGILE,
            f"The MX of {spoken(plan.domain)} names {spoken(host)}, which is an alias of {spoken(seen.alias)};"
            " some senders refuse that.",
            f"zone file on {spoken(plan.primary.name)}",
            f"Let the MX name {spoken(seen.alias)} itself, or give {spoken(host)} an address instead of the CNAME; then publish.",
            f"mailname publish {plan_file(plan.domain)}",
            tuple(evidence_of(probe) for probe in (mx, *seen.probes[:1]) if probe),
            server=host,
        )


def mx_target_is_address(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Find MX records that hold an address where a host name belongs (RFC 1035 section 3.3.9)."""
    for host, mx in _targets(plan, facts):
        if not _is_address(host, plan.domain):
            continue
        yield Finding(
            "MX-04",
            Severity.DEAD,
            f"The MX of {spoken(plan.domain)} names {spoken(host)}: that is an address, and an MX needs a host name.",
            f"zone file on {spoken(plan.primary.name)}",
            "Give that address to a host name with an A record, and let the MX name the host; then publish.",
            f"mailname publish {plan_file(plan.domain)}",
            (evidence_of(mx),) if mx else (),
            server=host,
        )
