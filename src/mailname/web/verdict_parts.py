"""A verdict as the parts of a page: each cause with where, fix and the line to type, the map, and what was seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailname.checks.facts import RUNGS
from mailname.checks.finding import CODES
from mailname.checks.wording import spoken
from mailname.view.delegation_hops import hops
from mailname.view.delegation_map import draw
from mailname.view.ladder_lines import TITLES, rung_lines
from mailname.view.verdict_doing import look_again, own_letters, to_enter
from mailname.view.verdict_sentence import sentence

if TYPE_CHECKING:
    from mailname.checks import Cause, Facts, Finding, Verdict
    from mailname.checks.candidates import Choice
    from mailname.checks.finding import Evidence
    from mailname.plan import Plan
    from mailname.view.html_text import Html

SIGNS = {"well": "✓", "fragile": "!", "broken": "✕", "unknown": "?"}
_MOST_EVIDENCE = 6


@dataclass(frozen=True, slots=True)
class CausePart:
    """One cause."""

    is_the_cause: bool
    finding: Finding
    title: str
    enter: tuple[str, ...]
    again: str
    explains: tuple[Finding, ...]
    evidence: tuple[Evidence, ...]
    choice: Choice | None
    proven: bool


@dataclass(frozen=True, slots=True)
class VerdictParts:
    """All that the page shows of one check."""

    state: str
    sign: str
    sentence: str
    letters: str
    causes: tuple[CausePart, ...]
    notes: tuple[Finding, ...]
    map: Html
    seen: tuple[tuple[str, tuple[str, ...]], ...]


def parts(plan: Plan, facts: Facts, verdict: Verdict) -> VerdictParts:
    """Take a verdict apart."""
    domain = spoken(plan.domain)
    return VerdictParts(
        verdict.verdict,
        SIGNS[verdict.verdict],
        sentence(plan, facts, verdict),
        own_letters(domain),
        tuple(_cause(one, verdict, plan, facts) for one in (verdict.cause, *verdict.also) if one is not None),
        verdict.notes,
        draw(hops(plan, facts, verdict), f"The delegation of {domain}"),
        tuple((TITLES[rung], tuple(rung_lines(rung, plan, facts))) for rung in RUNGS),
    )


def _cause(cause: Cause, verdict: Verdict, plan: Plan, facts: Facts) -> CausePart:
    finding = cause.finding
    return CausePart(
        cause is verdict.cause,
        finding,
        CODES[finding.code],
        to_enter(plan, facts, finding),
        look_again(finding),
        cause.explains,
        finding.evidence[:_MOST_EVIDENCE],
        cause.choice,
        cause.proven,
    )
