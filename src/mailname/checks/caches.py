"""CACHE-01: what resolvers still remember from before a change, and until when (RFC 2181 section 5.2, RFC 2308 section 5)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import dns.rcode
from dns.rdatatype import RdataType

from mailname.checks.finding import Finding, Severity, evidence_of
from mailname.checks.reading import served, source_of_truth
from mailname.checks.wording import clock_time, duration, spoken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailname.checks.facts import Facts, Probe
    from mailname.plan import Plan

_ASKED = (RdataType.MX, RdataType.NS, RdataType.A, RdataType.AAAA)


def _left(probe: Probe) -> int | None:
    """Return the seconds for which a resolver will say this again; None when it does not tell."""
    records = [record.ttl for record in probe.answer if record.owner == probe.qname and record.rdtype == probe.qtype]
    denial = [
        min(r.ttl, r.rdata.minimum) for r in probe.authority if r.rdata.rdtype == RdataType.SOA and hasattr(r.rdata, "minimum")
    ]
    return min(records or denial, default=None)


def still_remembered(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Note what the resolver answers otherwise than the zone: it remembers, and will ask again."""
    truth = source_of_truth(plan, facts)
    if truth is None:
        return
    for probe in facts.at_rung("resolver"):
        if not probe.qname.is_subdomain(plan.domain) or probe.qtype not in _ASKED or not probe.answered:
            continue
        if probe.rcode not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN) or (left := _left(probe)) is None:
            continue
        now = served(facts, truth.address, probe.qname, probe.qtype)
        if now is None or frozenset(now) == frozenset(probe.rdatas(probe.qname, probe.qtype)):
            continue
        until = clock_time(facts.at + timedelta(seconds=left))
        yield Finding(
            "CACHE-01",
            Severity.NOTE,
            f"The resolver {probe.address} still has another {probe.qtype.name} of {spoken(probe.qname)} than its name servers,"
            f" and remembers it for {duration(left)} more, until {until}.",
            "time",
            "Wait, or empty the resolver's cache; others that asked before remember it for as long."
            " Where the time left does not fall when it is asked again, it is no cache:"
            " the resolver is broken, or somebody rewrites its answers.",
            f"dig @{probe.address} {spoken(probe.qname)} {probe.qtype.name}",
            (evidence_of(probe),),
        )
