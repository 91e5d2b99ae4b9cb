"""Which findings are causes, and what each of them explains: by the rules, and then by proof."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mailname.checks.candidates import choice_of
from mailname.checks.explain import WEIGHT, Cause
from mailname.checks.finding import Severity
from mailname.checks.proof import Claim, proven
from mailname.checks.rules import RULES, Pair
from mailname.checks.wording import listed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mailname.checks.facts import Facts
    from mailname.checks.finding import Finding
    from mailname.plan import Plan


def causes_of(plan: Plan, facts: Facts, found: tuple[Finding, ...]) -> list[Cause]:
    """Return what no other finding explains, one cause for all findings of one code, in no order. Notes are no causes."""
    reasons = {effect: [cause for cause in found if _explains(cause, effect, plan, facts)] for effect in found}
    roots = [finding for finding in found if not reasons[finding] and finding.severity is not Severity.NOTE]
    by_code: dict[str, list[Finding]] = {}
    for root in roots:
        by_code.setdefault(root.code, []).append(root)
    claims = [
        Claim(tuple(same), tuple(f for f in found if f not in same and any(_leads_to(one, f, reasons) for one in same)))
        for same in by_code.values()
    ]
    return [_cause(plan, facts, claim) for claim in proven(plan, facts, claims)]


def _cause(plan: Plan, facts: Facts, claim: Claim) -> Cause:
    """Tell what a claim is; where one candidate is left, the finding says it."""
    finding, choice = _merged(claim.same), choice_of(plan, facts, claim.same)
    if choice is not None and len(choice.candidates) == 1:
        only, choice = choice.candidates[0], None
        says = " ".join(dict.fromkeys((finding.says, only.speaks, only.says)))
        finding = replace(finding, says=says.strip().replace("  ", " "), where=only.where, fix=only.fix)
    return Cause(finding, claim.explains, claim.proven, choice)


def _explains(cause: Finding, effect: Finding, plan: Plan, facts: Facts) -> bool:
    pair = Pair(cause, effect, plan, facts)
    return cause is not effect and any(rule.holds(pair) for rule in RULES)


def _leads_to(cause: Finding, effect: Finding, reasons: Mapping[Finding, list[Finding]]) -> bool:
    """Tell whether a chain of reasons leads from the effect up to the cause."""
    seen: set[Finding] = set()
    waiting = [effect]
    while waiting:
        one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        if cause in reasons[one]:
            return True
        waiting += reasons[one]
    return False


def _merged(same: Sequence[Finding]) -> Finding:
    """Tell one fault at several servers as one cause."""
    first = min(same, key=lambda finding: WEIGHT[finding.severity])
    if len(same) == 1:
        return first
    return replace(
        first,
        says=" ".join(finding.says for finding in same),
        where=listed(dict.fromkeys(finding.where for finding in same)),
        fix=" ".join(dict.fromkeys(finding.fix for finding in same)),
        evidence=tuple(piece for finding in same for piece in finding.evidence),
        server=None,
        addresses=tuple(dict.fromkeys(address for finding in same for address in finding.addresses)),
    )
