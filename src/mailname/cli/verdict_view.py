"""How a verdict looks on a terminal: the ladder rung by rung, then the one cause with its fix and evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.rcode
from dns.rdatatype import RdataType
from rich.markup import escape
from rich.text import Text

from mailname.checks.facts import RUNGS, Outcome
from mailname.checks.finding import CODES
from mailname.checks.judge import CHECKS
from mailname.checks.observe_parents import referral_in
from mailname.checks.reading import delegation_in, parent_answers, sights
from mailname.cli.console import print_prose

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from mailname.checks import Cause, Facts, Finding, Verdict
    from mailname.checks.candidates import Choice
    from mailname.checks.facts import Probe
    from mailname.checks.reading import Sight
    from mailname.plan import Plan

_RUNG_OF = {code: check.rung for check in CHECKS for code in check.codes}
_COLOURS = {"well": "green", "fragile": "yellow", "broken": "red", "unknown": "magenta"}
SENTENCES = {
    "well": "{domain} is well: its mail finds its way.",
    "fragile": "{domain} is fragile: mail arrives, and something is wrong.",
    "broken": "{domain} is broken: mail does not arrive.",
    "unknown": "We could not find out whether {domain} is well.",
}
TITLES = {
    "resolver": "resolver",
    "root": "root",
    "tld": "registry",
    "servers": "name servers",
    "control": "on the spot",
    "zone": "zone and plan",
    "mail": "mail host",
}
ONE_OF = "One of these, the likelier first"
PROVEN = "Proven: judged again with this mended, it and what follows from it are gone."
_MOST_EVIDENCE = 3


def print_verdict(console: Console, plan: Plan, facts: Facts, verdict: Verdict) -> None:
    """Print the ladder, the verdict and its cause. Wraps at the console's width; says the same without colours."""
    if facts.asked is not None:
        print_prose(
            console, escape(f"{_spoken(facts.asked)} is a name in the zone {_spoken(facts.domain)}, which is looked at here.")
        )
        console.print()
    for rung in RUNGS:
        _print_rung(console, rung, plan, facts, verdict)
    console.print()
    colour = _COLOURS[verdict.verdict]
    domain = plan.domain.to_text(omit_final_dot=True)
    print_prose(console, f"[bold {colour}]{escape(SENTENCES[verdict.verdict].format(domain=domain))}[/]")
    if verdict.cause:
        _print_cause(console, verdict.cause, colour)
    for other in verdict.also:
        print_prose(console, "[bold]Independent of that[/]")
        _print_cause(console, other, "yellow")
    for note in verdict.notes:
        print_prose(console, f"[bold]Note[/] {note.code} {escape(note.says)} {escape(note.fix)}")
    if verdict.notes:
        console.print()
    blocked = f", {len(verdict.blocked)} checks could not be made" if verdict.blocked else ""
    print_prose(console, f"[dim]{verdict.queries} questions in {verdict.seconds:.2f} s{blocked}[/]")


def rung_lines(rung: str, plan: Plan, facts: Facts) -> list[str]:
    """Return what was seen at one rung, a line for each server; none where it was not asked."""
    return list(_LINES[rung](plan, facts)) if facts.asks(rung) else []


def _print_rung(console: Console, rung: str, plan: Plan, facts: Facts, verdict: Verdict) -> None:
    lines = rung_lines(rung, plan, facts)
    found = [finding for finding in verdict.findings if _place(finding) == rung]
    if not lines and not found:
        mark, says = "[dim]-[/]", "[dim]not asked[/]"
    elif found:
        mark, says = "[red]✗[/]", f"[red]{escape(', '.join(dict.fromkeys(finding.code for finding in found)))}[/]"
    else:
        mark, says = "[green]✓[/]", ""
    print_prose(console, f"{mark} [bold]{TITLES[rung]}[/] {says}".rstrip())
    for line in lines:
        print_prose(console, f"[dim]{escape(line)}[/]", 4)


def _place(finding: Finding) -> str:
    """Return the rung on which a finding is shown; what is wrong in the zone stands with the zone."""
    if finding.code.startswith(("ZONE", "MX", "SERIAL")):
        return "zone"
    if finding.code.startswith("XFER"):
        return "control"
    return _RUNG_OF[finding.code]


def _print_cause(console: Console, cause: Cause, colour: str) -> None:
    """Print one cause. Without a frame, so that the line to type can be copied as it stands; that line is never wrapped."""
    finding = cause.finding
    console.print()
    print_prose(console, f"[bold {colour}]{finding.code}[/] [bold]{escape(CODES[finding.code])}[/]")
    print_prose(console, escape(finding.says), 2, hang=0)
    console.print()
    print_prose(console, f"[bold]Where[/]  {escape(finding.where)}", 2, hang=7)
    print_prose(console, f"[bold]Fix[/]    {escape(finding.fix)}", 2, hang=7)
    if finding.command:
        console.print(Text("  ") + Text("Type", "bold") + Text("   ") + Text(finding.command, "bold cyan"), soft_wrap=True)
    if cause.choice:
        _print_choice(console, cause.choice)
    for piece in finding.evidence[:_MOST_EVIDENCE]:
        console.print()
        print_prose(console, f"[dim]{escape(f'{piece.question} @ {piece.server}')}[/]", 2)
        for line in piece.answer.splitlines():
            print_prose(console, f"[dim]{escape(line)}[/]", 4)
    if cause.explains:
        console.print("\n  [bold]This explains[/]")
        for effect in cause.explains:
            print_prose(console, f"{effect.code} {escape(effect.says)}", 4)
    if cause.proven:
        console.print()
        print_prose(console, f"[dim]{PROVEN}[/]", 2)
    console.print()


def _print_choice(console: Console, choice: Choice) -> None:
    """Print what it may be, and the probe that decides."""
    console.print()
    print_prose(console, f"[bold]{ONE_OF}[/]", 2)
    for number, one in enumerate(choice.candidates, 1):
        print_prose(console, escape(f"{number}. {one.says} {one.speaks}".rstrip()), 4, hang=3)
        print_prose(console, f"[dim]{escape(f'{one.where}: {one.fix}')}[/]", 7, hang=0)
    print_prose(console, f"[bold]Which[/]  {escape(choice.tells)}", 2, hang=7)
    if choice.command:
        console.print(Text("  ") + Text("Type", "bold") + Text("   ") + Text(choice.command, "bold cyan"), soft_wrap=True)


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
        yield f"{_spoken(probe.server)} ({probe.address}): {says}"


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


_LINES = {
    "resolver": _resolver_lines,
    "root": _root_lines,
    "tld": _tld_lines,
    "servers": _server_lines,
    "control": _control_lines,
    "zone": _zone_lines,
    "mail": _mail_lines,
}
