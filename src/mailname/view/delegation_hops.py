"""The way a letter's sender goes, hop by hop: root, TLD, each name server, the MX, each mail host, and how each hop is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import dns.name
import dns.rcode
from dns.rdatatype import RdataType

from mailname.checks.facts import Outcome
from mailname.checks.finding import Severity
from mailname.checks.mail_host import visits
from mailname.checks.reading import delegations, mail_exchangers, parent_answers, root_answers, sights
from mailname.checks.wording import spoken

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mailname.checks import Facts, Finding, Verdict
    from mailname.checks.facts import MailProbe
    from mailname.checks.reading import Sight
    from mailname.plan import Plan

State = Literal["well", "fragile", "broken", "unknown"]
Rung = Literal["root", "tld", "server", "mx", "mail"]

_AT_THE_ROOT = ("ROOT-01", "TLD-02")
_AT_THE_SERVER = ("NS", "XFER", "SERIAL")
_NO_ANSWER = {Outcome.REFUSED: "port closed", Outcome.SILENT: "no answer", Outcome.UNREACHABLE: "no way there from here"}


@dataclass(frozen=True, slots=True)
class Hop:
    """One hop.

    Attributes:
        state: how it is; ``unknown`` when it was not looked at, or nothing can be said of it.
        code: the finding that is shown here.
        is_cause: whether that is the one cause.

    """

    rung: Rung
    title: str
    detail: str
    state: State
    code: str = ""
    is_cause: bool = False


def hops(plan: Plan, facts: Facts, verdict: Verdict) -> tuple[Hop, ...]:
    """Return the hops from the root down. Each finding is shown at one rung."""
    return tuple(_hops(plan, facts, verdict))


def _hops(plan: Plan, facts: Facts, verdict: Verdict) -> Iterator[Hop]:
    found = verdict.findings
    root = [one for one in found if one.code in _AT_THE_ROOT]
    asked = len(list(facts.at_rung("root")))
    answered = len(root_answers(facts))
    yield _hop(
        "root", "root", f"{answered} of {asked} asked answer" if asked else "not asked", root, verdict, seen=bool(answered)
    )
    parent = [one for one in found if one.code.startswith(("DELEG", "TLD")) and one.code not in _AT_THE_ROOT]
    answers = parent_answers(facts)
    zone = spoken(answers[0].zone if answers else plan.domain.parent()) or "."
    names = sorted({spoken(name) for one in delegations(facts) for name in one.names})
    yield _hop("tld", zone, f"refers to {', '.join(names)}" if names else "no delegation seen", parent, verdict, seen=bool(names))
    for sight in sights(plan, facts):
        here = [one for one in found if one.code.startswith(_AT_THE_SERVER) and _is_about(one, sight)]
        detail = f"{sight.address}, {state_of(sight)}"
        yield _hop("server", spoken(sight.server.name), detail, here, verdict, seen=sight.serial is not None)
    yield from _strangers(plan, facts, verdict)
    zone_found = [one for one in found if one.code.startswith(("MX", "ZONE", "SOA", "POL"))]
    hosts = mail_exchangers(plan, facts)
    yield _hop("mx", f"MX of {spoken(plan.domain)}", _mx_says(hosts), zone_found, verdict, seen=hosts is not None)
    for host, made in visits(plan, facts).items():
        for visit in made:
            about = [
                one
                for one in found
                if one.code.startswith("MAIL") and one.server == host and (not one.addresses or visit.address in one.addresses)
            ]
            yield _hop("mail", spoken(host), f"{visit.address}: {_greeting(visit)}", about, verdict, seen=visit.takes_mail)


def _strangers(plan: Plan, facts: Facts, verdict: Verdict) -> Iterator[Hop]:
    """Return the addresses to which only the parent sends people."""
    known = {sight.address for sight in sights(plan, facts)}
    for one in delegations(facts)[:1]:
        for name, glue in sorted(one.glue.items()):
            for address in sorted(glue - known, key=str):
                about = [f for f in verdict.findings if address in f.addresses and f.code.startswith("DELEG")]
                probe = facts.probe(address, "udp", plan.domain, RdataType.SOA)
                serves = bool(probe and probe.answered and probe.aa and probe.rcode == dns.rcode.NOERROR)
                says = "serves the zone" if serves else "does not serve the zone" if probe and probe.answered else "no answer"
                yield _hop("server", spoken(name), f"{address}, by the glue: {says}", about, verdict, seen=serves)


def _hop(rung: Rung, title: str, detail: str, found: Iterable[Finding], verdict: Verdict, *, seen: bool) -> Hop:
    wrong = [one for one in found if one.severity is not Severity.NOTE]
    causes = {cause.finding.code for cause in verdict.also}
    first = verdict.cause.finding if verdict.cause else None
    cause = next((one for one in wrong if first and one.code == first.code), None)
    shown = cause or next((one for one in wrong if one.code in causes), wrong[0] if wrong else None)
    if shown is None:
        return Hop(rung, title, detail, "well" if seen else "unknown")
    dead = any(one.severity is Severity.DEAD for one in wrong)
    return Hop(rung, title, detail, "broken" if dead or not seen else "fragile", shown.code, cause is not None)


def _is_about(finding: Finding, sight: Sight) -> bool:
    if finding.server is None and not finding.addresses:
        return False
    return finding.server in (None, sight.server.name) and (not finding.addresses or sight.address in finding.addresses)


def state_of(sight: Sight) -> str:
    """Say in a few words how one address of a name server answers."""
    if sight.udp is None and sight.tcp is None:
        return "no way there from here"
    if sight.udp is sight.tcp and sight.udp is not Outcome.ANSWER and sight.udp is not None:
        return f"UDP and TCP {_NO_ANSWER.get(sight.udp, sight.udp.value)}"
    ways = ", ".join(
        f"{title} {'answers' if outcome is Outcome.ANSWER else _NO_ANSWER.get(outcome, outcome.value)}"
        for title, outcome in (("UDP", sight.udp), ("TCP", sight.tcp))
        if outcome is not None
    )
    if sight.serial is not None:
        silent = sight.udp != Outcome.ANSWER or sight.tcp != Outcome.ANSWER
        return f"{ways}, serial {sight.serial}" if silent else f"serial {sight.serial}"
    return f"{ways}, does not serve the zone" if sight.soa else ways


def _mx_says(hosts: tuple[dns.name.Name, ...] | None) -> str:
    if hosts is None:
        return "nobody could say"
    if hosts == (dns.name.root,):
        return "takes no mail (null MX)"
    return ", ".join(map(spoken, hosts)) or "none"


def _greeting(visit: MailProbe) -> str:
    if visit.banner:
        return f"port {visit.port} says {visit.banner[:3]}"
    return "connects, no greeting" if visit.connected else _NO_ANSWER.get(visit.outcome, visit.outcome.value)
