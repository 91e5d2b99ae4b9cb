"""NS-12: a name server must leave aside what it does not know of EDNS, or whoever asks with something new hears nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.rcode

from mailname.checks.facts import EDNS_OPTIONS, EDNS_VERSION
from mailname.checks.finding import Finding, Severity, evidence_of
from mailname.checks.observe_edns import BIG_BUFFER, UNKNOWN_OPTION
from mailname.checks.reading import sights
from mailname.checks.wording import dig, spoken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailname.checks.facts import Facts, Probe
    from mailname.plan import Plan
    from mailname.server.network import IPAddress


def follows_edns(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Find servers that drop or refuse unknown options; note those that do not answer BADVERS to a version to come."""
    for sight in sights(plan, facts):
        option, version = (_asked(facts, sight.address, rung) for rung in (EDNS_OPTIONS, EDNS_VERSION))
        serves = sight.serial is not None
        if option is not None and serves and not (option.answered and option.rcode == dns.rcode.NOERROR):
            probe, severity = option, Severity.FRAGILE
            says = f"{_became(option)} questions with an EDNS option that it does not know, which it should leave aside"
            extra = [f"+bufsize={BIG_BUFFER}", f"+ednsopt={UNKNOWN_OPTION}"]
        elif version is not None and not (version.answered and version.rcode == dns.rcode.BADVERS):
            probe, severity = version, Severity.NOTE
            says = f"{_became(version)} questions with EDNS version 1, where BADVERS belongs"
            extra = ["+edns=1", "+noednsneg"]
        else:
            continue
        name = spoken(sight.server.name)
        yield Finding(
            "NS-12",
            severity,
            f"{name} ({sight.address}) {says}.",
            f"configuration on {name}, or the firewall in front of it",
            f"Let the packet filter in front of {name} pass DNS messages whatever their EDNS says, or bring its name server up"
            " to date.",
            dig(sight.address, plan.domain, "SOA", *extra),
            (evidence_of(probe),),
            server=sight.server.name,
            addresses=(sight.address,),
        )


def _asked(facts: Facts, address: IPAddress, rung: str) -> Probe | None:
    return next((probe for probe in facts.at_rung(rung) if probe.address == address), None)


def _became(probe: Probe) -> str:
    """Say what became of such questions."""
    if not probe.answered or probe.rcode is None:
        return "does not answer"
    return f"answers {dns.rcode.to_text(probe.rcode)} to"
