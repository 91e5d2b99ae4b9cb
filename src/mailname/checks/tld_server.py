"""TLD-03: one of several servers of the zone above the domain is mute, or broken; the others carry it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.rcode
from dns.rdatatype import RdataType

from mailname.checks.facts import Outcome
from mailname.checks.finding import Finding, Severity, evidence_of
from mailname.checks.reading import is_out_of_reach
from mailname.checks.wording import dig, listed, spoken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dns.name import Name

    from mailname.checks.facts import Facts, Probe
    from mailname.plan import Plan

_USEFUL = (dns.rcode.NOERROR, dns.rcode.NXDOMAIN)


def tld_servers_answer(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Note those servers of the lowest zone above the domain that answer nothing useful at any address, while others do."""
    asked = [p for p in facts.at_rung("tld") if p.qtype == RdataType.NS and not is_out_of_reach(facts, p.address)]
    lowest = max((probe.zone for probe in asked), key=len, default=plan.domain)
    by_server: dict[Name, list[Probe]] = {}
    for probe in asked:
        if probe.zone == lowest:
            by_server.setdefault(probe.server, []).append(probe)
    broken = {name: probes[0] for name, probes in by_server.items() if not any(map(_is_useful, probes))}
    if not broken or len(broken) == len(by_server):
        return  # where no one answers it is TLD-01
    said = listed(f"{spoken(name)} ({probe.address}) {_said(probe)}" for name, probe in sorted(broken.items()))
    first = broken[min(broken)]
    yield Finding(
        "TLD-03",
        Severity.NOTE,
        f"{len(broken)} of {len(by_server)} servers of {spoken(lowest)} {'is' if len(broken) == 1 else 'are'} of no use from"
        f" here: {said}; resolvers ask the others, and lose a moment.",
        "wait",
        f"Nothing for you to do: the registry of {spoken(lowest)} has to mend it, or the way from here to it is cut.",
        dig(first.address, plan.domain, "NS"),
        tuple(evidence_of(probe) for probe in broken.values()),
        addresses=tuple(probe.address for probe in broken.values()),
    )


def _is_useful(probe: Probe) -> bool:
    return probe.answered and probe.rcode in _USEFUL


def _said(probe: Probe) -> str:
    if probe.answered and probe.rcode is not None:
        return f"answers {dns.rcode.to_text(probe.rcode)}"
    refused = probe.outcome is Outcome.REFUSED
    return "refuses connections to port 53" if refused else "does not answer"
