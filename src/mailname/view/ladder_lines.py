"""What was seen at each rung, a line for each server, and which findings stand there; for terminal and page alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.rcode
from dns.rdatatype import RdataType

from mailname.checks.facts import Outcome
from mailname.checks.finding import Severity
from mailname.checks.judge import CHECKS
from mailname.checks.observe_parents import referral_in
from mailname.checks.reading import delegation_in, parent_answers, sights

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dns.name import Name

    from mailname.checks import Facts, Finding, Verdict
    from mailname.checks.facts import Probe
    from mailname.checks.rdap import RegistrationFact
    from mailname.checks.reading import Sight
    from mailname.plan import Plan
    from mailname.server.network import IPAddress

_RUNG_OF = {code: check.rung for check in CHECKS for code in check.codes}
ONE_OF = "One of these, the likelier first"
PROVEN = "Proven: judged again with this mended, it and what follows from it are gone."
TITLES = {
    "resolver": "resolver",
    "root": "root",
    "tld": "registry",
    "servers": "name servers",
    "control": "on the spot",
    "zone": "zone and plan",
    "mail": "mail host",
}


def rung_of(finding: Finding) -> str:
    """Return the rung on which a finding is shown; what is wrong in the zone stands with the zone."""
    if finding.code.startswith(("ZONE", "MX", "SERIAL", "SOA", "POL", "SIG")):
        return "zone"
    if finding.code.startswith("XFER"):
        return "control"
    return _RUNG_OF[finding.code]


def codes_at(rung: str, plan: Plan, facts: Facts, verdict: Verdict) -> list[tuple[str, list[str]]]:
    """Return the lines of a rung, each with the codes of what is wrong with the very server that it tells of."""
    lines = rung_lines(rung, plan, facts)
    about: list[tuple[Name, IPAddress]] = []
    if rung == "servers":
        about = [(sight.server.name, sight.address) for sight in sights(plan, facts)]
    elif rung == "mail":
        about = [(visit.host, visit.address) for visit in facts.mail]
    if not about or rung not in _OF_ONE_SERVER:
        return [(line, []) for line in lines]
    return [
        (line, list(dict.fromkeys(f.code for f in verdict.findings if _is_about(f, rung, name, address))))
        for line, (name, address) in zip(lines, about, strict=True)
    ]


def _is_about(finding: Finding, rung: str, name: Name, address: IPAddress) -> bool:
    here = finding.code.startswith(_OF_ONE_SERVER[rung]) and finding.severity is not Severity.NOTE
    return here and finding.server == name and (not finding.addresses or address in finding.addresses)


def rung_lines(rung: str, plan: Plan, facts: Facts) -> list[str]:
    """Return what was seen at one rung, a line for each server; none where it was not asked."""
    return list(_LINES[rung](plan, facts)) if facts.asks(rung) else []


def _resolver_lines(plan: Plan, facts: Facts) -> Iterator[str]:
    for probe in facts.at_rung("resolver"):
        if probe.qname == plan.domain and probe.qtype == RdataType.MX:
            yield f"{probe.address}: MX {_answer(probe, plan.domain.to_text())}"


def _root_lines(plan: Plan, facts: Facts) -> Iterator[str]:
    del plan
    for probe in facts.at_rung("root"):
        referral = referral_in(probe)
        says = f"refers to {_spoken(referral.zone)}" if referral else _status(probe)
        yield f"{_spoken(probe.server)} ({probe.address}): {says}"


def _tld_lines(plan: Plan, facts: Facts) -> Iterator[str]:
    judged = parent_answers(facts)
    for probe in facts.at_rung("tld"):
        if probe.qtype != RdataType.NS:
            continue
        known = delegation_in(probe, plan.domain) if probe in judged else None
        if known:
            hosts = (f"{_spoken(name)} {' '.join(sorted(map(str, glue)))}".rstrip() for name, glue in sorted(known.glue.items()))
            says = ", ".join(hosts)
        elif referral := referral_in(probe):
            says = f"refers to {_spoken(referral.zone)}"
        else:
            says = _status(probe)
        # No try: nobody was asked, this is the delegation as it is going to be.
        yield f"{_spoken(probe.server)} ({probe.address}): {says}" if probe.tries else f"as it is going to be: {says}"
    if facts.registration is not None:
        yield f"registration, by {facts.registration.url}: {_registration(facts.registration)}"


def _registration(told: RegistrationFact) -> str:
    if told.problem:
        return f"not known ({told.problem})"
    until = f"until {told.ends:%Y-%m-%d}" if told.ends else "no end is told"
    return ", ".join(filter(None, (" and ".join(told.status), until, told.registrar)))


def _server_lines(plan: Plan, facts: Facts) -> Iterator[str]:
    for sight in sights(plan, facts):
        yield f"{_spoken(sight.server.name)} {sight.address}, {sight.server.role}: {_state(sight)}"


def _state(sight: Sight) -> str:
    if sight.udp is None and sight.tcp is None:
        return "no way there from here"
    ways = " ".join(
        f"{title} {'ok' if outcome is Outcome.ANSWER else 'closed' if outcome is Outcome.REFUSED else 'no answer'}"
        for title, outcome in (("UDP", sight.udp), ("TCP", sight.tcp))
        if outcome is not None
    )
    if sight.serial is not None:
        return f"{ways}, serial {sight.serial}"
    return f"{ways}, {_status(sight.soa)}" if sight.soa else ways


def _control_lines(plan: Plan, facts: Facts) -> Iterator[str]:
    del plan
    for fact in facts.control:
        name = _spoken(fact.server)
        if fact.status is None:
            yield f"{name}: {fact.problem}"
        else:
            yield f"{name}: {fact.status['state']}, serial {fact.status['serial']}"


def _zone_lines(plan: Plan, facts: Facts) -> Iterator[str]:
    for sight in sights(plan, facts):
        probe = facts.probe(sight.address, "udp", plan.domain, RdataType.MX)
        if sight.serial is not None and sight.server.role == "primary" and probe and probe.answered:
            yield f"served by {_spoken(sight.server.name)}: MX {_answer(probe, plan.domain.to_text())}"
            break
    if facts.zone_file:
        fact = facts.zone_file
        problem = fact.problem.removeprefix(f"{fact.file}:")  # which begins with line and column then
        yield f"{fact.file}:{problem}" if fact.problem else f"{fact.file}: {len(fact.records)} records"


def _mail_lines(plan: Plan, facts: Facts) -> Iterator[str]:
    del plan
    for visit in facts.mail:
        heard = visit.banner or {Outcome.REFUSED: "closed", Outcome.SILENT: "no answer"}.get(visit.outcome, visit.outcome.value)
        yield f"{_spoken(visit.host)} ({visit.address}), port {visit.port}: {heard}"


def _answer(probe: Probe, owner: str) -> str:
    found = [str(r.rdata) for r in probe.answer if r.owner.to_text() == owner and r.rdtype == probe.qtype]
    return ", ".join(found) or _status(probe)


def _status(probe: Probe) -> str:
    if not probe.answered:
        return {Outcome.SILENT: "no answer", Outcome.REFUSED: "closed"}.get(probe.outcome, probe.outcome.value)
    rcode = probe.rcode if probe.rcode is not None else dns.rcode.NOERROR
    return dns.rcode.to_text(rcode) if rcode != dns.rcode.NOERROR else "none"


def _spoken(name: object) -> str:
    return str(name).rstrip(".") or "."


_OF_ONE_SERVER = {"servers": ("NS", "XFER", "SERIAL", "DELEG"), "mail": ("MAIL",)}
_LINES = {
    "resolver": _resolver_lines,
    "root": _root_lines,
    "tld": _tld_lines,
    "servers": _server_lines,
    "control": _control_lines,
    "zone": _zone_lines,
    "mail": _mail_lines,
}
