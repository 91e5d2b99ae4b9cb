"""From findings to one cause: whatever another finding explains is folded beneath it; what is left are the causes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from mailname.checks.arrival import mail_arrives
from mailname.checks.blocked import Blocked, blocked
from mailname.checks.candidates import choice_of
from mailname.checks.facts import Outcome
from mailname.checks.finding import CODES, Severity
from mailname.checks.proof import Claim, proven
from mailname.checks.reading import sights
from mailname.checks.rules import RULES, Pair
from mailname.checks.wording import listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mailname.checks.candidates import Choice
    from mailname.checks.facts import Facts
    from mailname.checks.finding import Finding
    from mailname.plan import Plan

SCHEMA = "mailname.check/1"
_WEIGHT = {severity: weight for weight, severity in enumerate(Severity)}
_HARMS_OTHERS = frozenset({"NS-07", "NS-08"})  # open to everybody; the domain's own answers are right
_DEPTH = {code: depth for depth, code in enumerate(CODES)}
# With these, what we see tells of our network or of the registry's, not of the domain.
_CANNOT_TELL = frozenset({"ROOT-01", "TLD-01"})


@dataclass(frozen=True, slots=True)
class Cause:
    """A finding that nothing else explains, and what it explains itself.

    Attributes:
        proven: whether it and what it explains are gone when its fix is applied to the facts and all is judged again.
        choice: what it may be, where what was seen fits more than one thing.

    """

    finding: Finding
    explains: tuple[Finding, ...] = ()
    proven: bool = False
    choice: Choice | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as the cause of a verdict."""
        choice = self.choice.to_json() if self.choice else None
        return {**self.finding.cause_to_json(), "proven": self.proven, "choice": choice}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The one sentence about the domain, and why.

    Attributes:
        verdict: ``well``; ``fragile`` (mail still arrives and something is wrong); ``broken`` (it does not); ``unknown``.
        cause: the cause that matters most, None when all is well.
        also: causes that have nothing to do with it.
        blocked: checks that could not be made.

    """

    verdict: Literal["well", "fragile", "broken", "unknown"]
    cause: Cause | None
    also: tuple[Cause, ...]
    findings: tuple[Finding, ...]
    blocked: tuple[Blocked, ...]
    queries: int
    seconds: float

    @property
    def notes(self) -> tuple[Finding, ...]:
        """What is worth a word and harms nobody today."""
        return tuple(finding for finding in self.findings if finding.severity is Severity.NOTE)

    def to_json(self) -> dict[str, Any]:
        """Return the verdict as one JSON document."""
        return {
            "schema": SCHEMA,
            "verdict": self.verdict,
            "cause": self.cause.to_json() if self.cause else None,
            "also": [cause.to_json() for cause in self.also],
            "findings": [finding.to_json() for finding in self.findings],
            "blocked": [one.to_json() for one in self.blocked],
            "queries": self.queries,
            "seconds": self.seconds,
        }


def explain(plan: Plan, facts: Facts, findings: Iterable[Finding]) -> Verdict:
    """Find the one cause, fold what it explains beneath it, and set the independent ones apart."""
    found = tuple(findings)
    causes = sorted(_causes(plan, facts, found), key=_rank)
    return Verdict(
        verdict=_verdict(plan, facts, found),
        cause=causes[0] if causes else None,
        also=tuple(causes[1:]),
        findings=found,
        blocked=blocked(plan, facts, found),
        queries=facts.queries,
        seconds=facts.seconds,
    )


def _causes(plan: Plan, facts: Facts, found: tuple[Finding, ...]) -> list[Cause]:
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
    first = min(same, key=lambda finding: _WEIGHT[finding.severity])
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


def _rank(cause: Cause) -> tuple[int, bool, int, int]:
    """Order causes: the worst first, what harms the domain itself, then the one nearest the root, or that explains most."""
    code = cause.finding.code
    return _WEIGHT[cause.finding.severity], code in _HARMS_OTHERS, _DEPTH[code], -len(cause.explains)


def _verdict(plan: Plan, facts: Facts, found: tuple[Finding, ...]) -> Literal["well", "fragile", "broken", "unknown"]:
    if any(finding.code in _CANNOT_TELL for finding in found) or _saw_nothing(plan, facts, found):
        return "unknown"
    if all(finding.severity is Severity.NOTE for finding in found):
        return "well"
    return "fragile" if mail_arrives(plan, facts) else "broken"


def _saw_nothing(plan: Plan, facts: Facts, found: tuple[Finding, ...]) -> bool:
    """Tell whether no name server could be tried from here at all, for want of its address family."""
    if not facts.asks("servers"):
        return not facts.mail
    seen = sights(plan, facts)
    if not seen:  # without a plan, no address of any name server came to light
        return not found
    return all(sight.udp in (None, Outcome.UNREACHABLE) and sight.tcp is None for sight in seen)
