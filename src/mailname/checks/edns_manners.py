"""NS-12: a name server must leave aside what it does not know of EDNS, or whoever asks with something new hears nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.rcode

from mailname.checks.facts import EDNS_OPTIONS, EDNS_VERSION
from mailname.checks.finding import Finding, Severity, evidence_of
from mailname.checks.observe_edns import BIG_BUFFER, UNKNOWN_OPTION
from mailname.checks.reading import sights
from mailname.checks.wording import dig, listed, spoken

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mailname.checks.facts import Facts, Probe
    from mailname.plan import NameServer, Plan
    from mailname.server.network import IPAddress


def follows_edns(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Find servers that drop or refuse unknown options; note, all in one, those without BADVERS to a version to come."""
    of_tomorrow: list[tuple[NameServer, Probe]] = []
    for sight in sights(plan, facts):
        option, version = (_asked(facts, sight.address, rung) for rung in (EDNS_OPTIONS, EDNS_VERSION))
        serves = sight.serial is not None
        if option is not None and serves and not (option.answered and option.rcode == dns.rcode.NOERROR):
            what = "questions with an EDNS option that it does not know, which it should leave aside"
            extra = f"+bufsize={BIG_BUFFER}", f"+ednsopt={UNKNOWN_OPTION}"
            yield _finding(plan, Severity.FRAGILE, what, extra, [(sight.server, option)])
        elif version is not None and not (version.answered and version.rcode == dns.rcode.BADVERS):
            of_tomorrow.append((sight.server, version))
    if of_tomorrow:
        what = "questions with EDNS version 1, where BADVERS belongs"
        yield _finding(plan, Severity.NOTE, what, ("+edns=1", "+noednsneg"), of_tomorrow)


def _finding(
    plan: Plan, severity: Severity, what: str, extra: tuple[str, ...], seen: Sequence[tuple[NameServer, Probe]]
) -> Finding:
    """Tell what became of some questions at all servers of which it is to be told."""
    alike: dict[str, dict[NameServer, list[IPAddress]]] = {}
    for server, probe in seen:
        alike.setdefault(_became(probe), {}).setdefault(server, []).append(probe.address)
    says = "; ".join(f"{_called(same)} {became if len(same) == 1 else _of_many(became)}" for became, same in alike.items())
    servers = dict.fromkeys(server.name for server, _ in seen)
    named = listed(map(spoken, servers))
    one = len(servers) == 1
    return Finding(
        "NS-12",
        severity,
        f"{says} {what}.",
        f"configuration on {named}, or the firewall in front of {'it' if one else 'them'}",
        f"Let the packet filter in front of {named} pass DNS messages whatever their EDNS says, or bring"
        f" {'its name server' if one else 'the name servers'} up to date.",
        dig(seen[0][1].address, plan.domain, "SOA", *extra),
        tuple(evidence_of(probe) for _, probe in seen),
        server=seen[0][0].name if one else None,
        addresses=tuple(probe.address for _, probe in seen),
    )


def _called(servers: Mapping[NameServer, Sequence[IPAddress]]) -> str:
    return listed(f"{spoken(server.name)} ({', '.join(map(str, addresses))})" for server, addresses in servers.items())


def _asked(facts: Facts, address: IPAddress, rung: str) -> Probe | None:
    return next((probe for probe in facts.at_rung(rung) if probe.address == address), None)


def _became(probe: Probe) -> str:
    """Say what became of such questions at one server."""
    if not probe.answered or probe.rcode is None:
        return "does not answer"
    return f"answers {dns.rcode.to_text(probe.rcode)} to"


def _of_many(became: str) -> str:
    """Say the same of several servers."""
    return became.replace("does not", "do not").replace("answers", "answer")
