"""NS-07: an authoritative server that resolves names for strangers is used to attack others (RFC 5358)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.rcode
from dns.rdatatype import RdataType

from mailname.checks.finding import Finding, Severity, evidence_of
from mailname.checks.observe_servers import FOREIGN
from mailname.checks.reading import sights
from mailname.checks.wording import spoken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailname.checks.facts import Facts, Probe
    from mailname.plan import Plan


def _resolves(probe: Probe) -> bool:
    """Tell whether a server looks for such a name elsewhere; who refuses does not, whatever the flag says.

    Without the flag (RA, RFC 1035 section 4.1.1) it is known by what it found: the name's address, or that there is none.
    """
    if probe.ra:
        return probe.rcode in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN, dns.rcode.SERVFAIL)
    return probe.answered and not probe.aa and (bool(probe.answer) or probe.rcode == dns.rcode.NXDOMAIN)


def open_recursion(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Find servers that resolve a name which is none of their business, or try to where they reach nobody."""
    for sight in sights(plan, facts):
        probe = facts.probe(sight.address, "udp", FOREIGN, RdataType.A)
        if probe is None or not _resolves(probe):
            continue
        resolved = probe.rcode == dns.rcode.NOERROR and probe.answer
        how = "it answered" if resolved else "it took the question (RA)" if probe.ra else "it looked in vain"
        name = spoken(sight.server.name)
        yield Finding(
            "NS-07",
            Severity.FRAGILE,
            f"{name} ({sight.address}) resolves foreign names for everyone: {how} for {spoken(FOREIGN)}.",
            f"configuration on {name}",
            f"Turn recursion off on {name}; run the machine's own resolver on loopback only.",
            f"dig @{sight.address} {spoken(FOREIGN)} A",
            (evidence_of(probe),),
            server=sight.server.name,
            addresses=(sight.address,),
        )
