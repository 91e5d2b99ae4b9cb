"""MX-06: mail that goes to two hosts lies in two places, unless somebody keeps them in sync (RFC 5321 section 5.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import dns.name
from dns.rdatatype import RdataType

from mailname.checks.finding import Finding, Severity, evidence_of
from mailname.checks.reading import served, source_of_truth
from mailname.checks.wording import plan_file, spoken
from mailname.mail.mx import second_mx_means

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dns.rdtypes.ANY.MX import MX

    from mailname.checks.facts import Facts
    from mailname.plan import Plan


def several_mail_hosts(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Note that mail goes to several hosts of the domain: a provider's keep themselves in sync."""
    truth = source_of_truth(plan, facts)
    found = cast("tuple[MX, ...]", served(facts, truth.address, plan.domain, RdataType.MX) or ()) if truth else ()
    mx = sorted((one for one in found if one.exchange != dns.name.root), key=lambda one: (one.preference, one.exchange))
    if truth is None or len(mx) < 2 or not any(one.exchange.is_subdomain(plan.domain) for one in mx):
        return
    first, second = mx[:2]
    probe = facts.probe(truth.address, "udp", plan.domain, RdataType.MX)
    same = first.preference == second.preference
    means = second_mx_means(spoken(first.exchange), spoken(second.exchange), same_preference=same)
    yield Finding(
        "MX-06",
        Severity.NOTE,
        f"The MX of {spoken(plan.domain)} names {len(mx)} hosts. {means}",
        "plan",
        "Keep the mailboxes in sync, let the second host pass all on to the first, or take it out of the plan; then publish.",
        f"mailname publish {plan_file(plan.domain)}",
        (evidence_of(probe),) if probe else (),
    )
