"""NS-13: a name server that has the zone must answer every question about it, for what it has (RFC 1034 section 4.3.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.rcode
from dns.rdatatype import RdataType

from mailname.checks.facts import Outcome
from mailname.checks.finding import Finding, Severity, evidence_of
from mailname.checks.reading import sights
from mailname.checks.wording import dig, listed, spoken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dns.name import Name

    from mailname.checks.facts import Facts, Probe
    from mailname.plan import Plan
    from mailname.server.network import IPAddress

_DROPPED = (RdataType.NS, RdataType.MX, RdataType.TXT, RdataType.A, RdataType.AAAA)  # types that every server is asked for
_OTHER_CHECKS = (RdataType.SOA, RdataType.AXFR, RdataType.IXFR, RdataType.DS)


def answers_in_part(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Find servers that give the SOA with authority, and for another type an error, no authority, or nothing at all."""
    serving = [sight for sight in sights(plan, facts) if sight.serial is not None and sight.udp is Outcome.ANSWER]
    failing = {}
    for sight in serving:
        dropped = {(one.qname, one.qtype) for one in dropped_questions(facts, sight.address)}
        failing[sight] = [p for p in facts.asked_at(sight.address) if _fails(p, plan, dropped)]
    mail_is_lost = all(any(p.qtype == RdataType.MX and p.qname == plan.domain for p in failing[s]) for s in serving)
    for server in plan.name_servers:
        here = {sight: probes for sight, probes in failing.items() if sight.server == server and probes}
        if not here:
            continue
        probes = [probe for found in here.values() for probe in found]
        name, first = spoken(server.name), probes[0]
        kinds = listed(dict.fromkeys(f"{probe.qtype.name} of {spoken(probe.qname)} ({_what(probe)})" for probe in probes))
        yield Finding(
            "NS-13",
            Severity.DEAD if mail_is_lost else Severity.FRAGILE,
            f"{name} ({listed(sight.address for sight in here)}) serves the zone, and does not answer the question for {kinds}.",
            f"configuration on {name}",
            f"Look on {name} for what stands between the question and the zone: a filter of types, a proxy, a broken zone file;"
            " each type must be answered, if only with no records.",
            dig(first.address, first.qname, first.qtype.name),
            tuple(evidence_of(probe) for probe in probes[:3]),
            server=server.name,
            addresses=tuple(sight.address for sight in here),
        )


def dropped_questions(facts: Facts, address: IPAddress) -> tuple[Probe, ...]:
    """Return one question of each type that this address has answered for no name of the domain, often as it was asked.

    A single packet may be lost. That all of one type are, each twice, and those of other types are not, is no chance.
    """
    asked = [
        p
        for p in facts.asked_at(address)
        if p.transport == "udp" and p.rung == "servers" and p.qtype in _DROPPED and p.qname.is_subdomain(facts.domain)
    ]
    if not any(p.answered for p in facts.asked_at(address) if p.transport == "udp" and p.rung == "servers"):
        return ()
    silent = {p.qtype: p for p in reversed(asked) if p.outcome is Outcome.SILENT and p.tries > 1}
    return tuple(probe for kind, probe in silent.items() if not any(p.answered for p in asked if p.qtype == kind))


def _fails(probe: Probe, plan: Plan, dropped: set[tuple[Name, RdataType]]) -> bool:
    if probe.transport != "udp" or probe.qtype in _OTHER_CHECKS or not probe.qname.is_subdomain(plan.domain):
        return False
    apex: bool = probe.qname == plan.domain
    if not probe.answered:
        return probe.outcome is Outcome.SILENT and (probe.qname, probe.qtype) in dropped
    if probe.rcode == dns.rcode.NXDOMAIN:
        return apex
    return bool(probe.rcode != dns.rcode.NOERROR or (apex and not probe.aa))


def _what(probe: Probe) -> str:
    if not probe.answered:
        return "no answer"
    return "no authority" if probe.rcode == dns.rcode.NOERROR else dns.rcode.to_text(probe.rcode or dns.rcode.NOERROR)
