"""SOA-03: the SOA's second name says, with a dot for the at sign, to whom one writes about the zone (RFC 1035 section 3.3.13)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import dns.name
from dns.rdatatype import RdataType

from mailname.checks.finding import Finding, Severity, evidence_of
from mailname.checks.reading import served, source_of_truth
from mailname.checks.wording import plan_file, spoken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dns.name import Name
    from dns.rdtypes.ANY.SOA import SOA

    from mailname.checks.facts import Facts
    from mailname.plan import Plan


def contact_is_mailbox(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Note a RNAME that nobody can write to."""
    truth = source_of_truth(plan, facts)
    found = served(facts, truth.address, plan.domain, RdataType.SOA) if truth else None
    if truth is None or not found:
        return
    rname = cast("SOA", found[0]).rname
    why = why_no_mailbox(rname, plan.domain)
    if not why:
        return
    written = spoken(rname).replace("\\@", "@")
    asked = facts.probe(truth.address, "udp", plan.domain, RdataType.SOA)
    yield Finding(
        "SOA-03",
        Severity.NOTE,
        f"The SOA of {spoken(plan.domain)} has {written} as its contact (RNAME), which is no mailbox: {why}.",
        f"zone file on {spoken(plan.primary.name)}",
        f"Write there hostmaster.{spoken(plan.domain)}. for hostmaster@{spoken(plan.domain)}, or another mailbox that is read.",
        f"mailname publish {plan_file(plan.domain)}",
        (evidence_of(asked),) if asked else (),
    )


def why_no_mailbox(rname: Name, domain: Name) -> str:
    """Return what is wrong with a RNAME; empty where it may be a mailbox."""
    if rname == dns.name.root:
        return "it is empty"
    if any(b"@" in label for label in rname.labels):
        return "it has an @, where a dot belongs"
    host = rname.parent()
    if host == dns.name.root:
        return "it has no domain after the first dot"
    if len(host.labels) == 2:
        return f"mail to {spoken(host)} goes nowhere"
    doubled = domain.relativize(dns.name.root)
    if host.is_subdomain(domain) and host.relativize(domain).is_subdomain(doubled):
        return "its trailing dot was forgotten, so that the domain stands twice"
    return ""
