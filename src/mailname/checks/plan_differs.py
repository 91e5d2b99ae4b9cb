"""ZONE-02: is what is served what the plan means? Mostly: it was not published yet, or somebody edited the zone by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dns.rdatatype import RdataType

from mailname.checks.finding import Finding, Severity, evidence_of
from mailname.checks.reading import served, source_of_truth
from mailname.checks.wording import listed, plan_file, spoken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dns.name import Name
    from dns.rdata import Rdata

    from mailname.checks.facts import Facts
    from mailname.checks.reading import Sight
    from mailname.plan import Plan

_COMPARED = (RdataType.SOA, RdataType.NS, RdataType.MX, RdataType.A, RdataType.AAAA, RdataType.TXT)


def differences(facts: Facts, truth: Sight) -> list[tuple[Name, RdataType]]:
    """Return owner and type of the RRsets that a server serves otherwise than planned, of those that it was asked."""
    found = []
    for probe in facts.at_rung("servers"):
        if probe.address != truth.address or probe.transport != "udp" or not probe.qname.is_subdomain(facts.domain):
            continue
        expected = facts.expects(probe.qname, probe.qtype)
        if not expected and probe.qtype not in _COMPARED:
            continue
        rdatas = served(facts, truth.address, probe.qname, probe.qtype)
        if rdatas is not None and _without_serial(rdatas) != _without_serial(expected):
            found.append((probe.qname, probe.qtype))
    return found


def _without_serial(rdatas: tuple[Rdata, ...]) -> frozenset[Rdata]:
    return frozenset(r.replace(serial=0) if r.rdtype == RdataType.SOA else r for r in rdatas)


def plan_differs(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Find RRsets that are served otherwise than the plan means them."""
    truth = source_of_truth(plan, facts)
    if truth is None:
        return
    found = differences(facts, truth)
    if not found:
        return
    owner, rdtype = found[0]
    now = served(facts, truth.address, owner, rdtype) or ()
    wanted = facts.expects(owner, rdtype)
    more = [f"{kind.name} of {spoken(name)}" for name, kind in found[1:4]]
    others = f"; {listed(more)} differ{'s' if len(more) == 1 else ''} too." if more else "."
    probes = [facts.probe(truth.address, "udp", name, kind) for name, kind in found[:3]]
    yield Finding(
        "ZONE-02",
        Severity.FRAGILE,
        f"{spoken(truth.server.name)} ({truth.address}) serves {rdtype.name} of {spoken(owner)} as {_shown(now)},"
        f" where the plan has {_shown(wanted)}{others}",
        f"zone file on {spoken(plan.primary.name)}",
        "Publish the plan; or, if the served zone is right, write it into the plan.",
        f"mailname publish {plan_file(plan.domain)}",
        tuple(evidence_of(probe) for probe in probes if probe),
        server=truth.server.name,
        addresses=(truth.address,),
    )


def _shown(rdatas: tuple[Rdata, ...]) -> str:
    return listed(sorted(f'"{rdata}"' for rdata in rdatas)) or "nothing"
