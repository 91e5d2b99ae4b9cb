"""SERIAL-03: a secondary that has not reached its primary for long still answers, until the day on which its copy expires."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from dns.rdatatype import RdataType

from mailname.checks.facts import EDNS_OPTIONS
from mailname.checks.finding import Finding, Severity, evidence_of
from mailname.checks.reading import sights
from mailname.checks.wording import duration, spoken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dns.rdtypes.ANY.SOA import SOA

    from mailname.checks.facts import Facts
    from mailname.plan import Plan


def copy_expires(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Find copies that were not refreshed for longer than two turns of refresh and retry, by the EXPIRE option (RFC 7314)."""
    for sight in sights(plan, facts):
        told = next((p for p in facts.at_rung(EDNS_OPTIONS) if p.address == sight.address and p.expire is not None), None)
        if sight.server.role == "primary" or told is None or told.expire is None or sight.soa is None or sight.serial is None:
            continue
        soa = cast("SOA", sight.soa.rdatas(sight.soa.qname, RdataType.SOA)[0])
        since = soa.expire - told.expire
        if since <= 2 * (soa.refresh + soa.retry):
            continue
        name, primary = spoken(sight.server.name), spoken(plan.primary.name)
        yield Finding(
            "SERIAL-03",
            Severity.FRAGILE,
            f"{name} ({sight.address}) has not reached its primary for {duration(since)};"
            f" its copy (serial {sight.serial}) expires in {duration(told.expire)}, and then it answers no more.",
            f"transfer to {name}",
            f"See in the log of {name} why it does not reach {primary}: its address there, TCP and UDP port 53 between them, the"
            " key, and whether the primary allows the transfer.",
            f"dig +norec +expire @{sight.address} {spoken(plan.domain)} SOA",
            (evidence_of(told),),
            server=sight.server.name,
            addresses=(sight.address,),
        )
