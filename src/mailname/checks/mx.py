"""MX-01: is there an MX, and does it take mail? Without one, mail goes to the website's address (RFC 5321 section 5.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.name
from dns.rdatatype import RdataType

from mailname.checks.finding import Finding, Severity, evidence_of
from mailname.checks.reading import mail_exchangers, plans_no_mail, source_of_truth
from mailname.checks.wording import plan_file, spoken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailname.checks.facts import Facts
    from mailname.plan import Plan


def mx_missing(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Find that the served zone has no MX, or a null MX (RFC 7505), where the plan has mail hosts."""
    truth, hosts = source_of_truth(plan, facts), mail_exchangers(plan, facts)
    if truth is None or hosts is None or plans_no_mail(facts) or [host for host in hosts if host != dns.name.root]:
        return
    probe = facts.probe(truth.address, "udp", plan.domain, RdataType.MX)
    domain = spoken(plan.domain)
    says = (
        f"{domain} has a null MX on {spoken(truth.server.name)} ({truth.address}): it refuses all mail."
        if hosts
        else f"{domain} has no MX record on {spoken(truth.server.name)} ({truth.address}):"
        " its mail goes to the website's address, or nowhere."
    )
    yield Finding(
        "MX-01",
        Severity.DEAD,
        says,
        f"zone file on {spoken(plan.primary.name)}",
        "Publish the plan's zone again, which has the MX.",
        f"mailname publish {plan_file(plan.domain)}",
        (evidence_of(probe),) if probe else (),
    )
