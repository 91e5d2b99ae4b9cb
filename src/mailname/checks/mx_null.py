"""MX-05: a null MX says "no mail here" and must stand alone (RFC 7505 section 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.name
from dns.rdatatype import RdataType

from mailname.checks.finding import Finding, Severity, evidence_of
from mailname.checks.reading import mail_exchangers, source_of_truth
from mailname.checks.wording import listed, plan_file, spoken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailname.checks.facts import Facts
    from mailname.plan import Plan


def null_mx_alone(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Find a null MX beside others: some senders then send nothing."""
    truth, hosts = source_of_truth(plan, facts), mail_exchangers(plan, facts) or ()
    others = [host for host in hosts if host != dns.name.root]
    if truth is None or not others or len(others) == len(hosts):
        return
    probe = facts.probe(truth.address, "udp", plan.domain, RdataType.MX)
    yield Finding(
        "MX-05",
        Severity.FRAGILE,
        f"{spoken(plan.domain)} has a null MX beside {listed(spoken(host) for host in others)}:"
        " some senders take it as a refusal of all mail.",
        f"zone file on {spoken(plan.primary.name)}",
        "Remove the MX record with the target '.'; then publish.",
        f"mailname publish {plan_file(plan.domain)}",
        (evidence_of(probe),) if probe else (),
    )
