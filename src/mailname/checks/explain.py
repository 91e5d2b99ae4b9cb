"""From findings to one cause: whatever another finding explains is folded beneath it; what is left are the causes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from mailname.checks.arrival import mail_arrives
from mailname.checks.blocked import Blocked, blocked
from mailname.checks.facts import Outcome
from mailname.checks.finding import CODES, Severity
from mailname.checks.reading import sights

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mailname.checks.candidates import Choice
    from mailname.checks.facts import Facts
    from mailname.checks.finding import Finding
    from mailname.plan import Plan

SCHEMA = "mailname.check/1"
WEIGHT = {severity: weight for weight, severity in enumerate(Severity)}
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


class Verdict(NamedTuple):
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
    causes: list[Cause] = []
    if any(finding.severity is not Severity.NOTE for finding in found):
        # What explains and proves is half of the check's code: who has nothing to explain does not wait for its import.
        from mailname.checks.causes import causes_of

        causes = sorted(causes_of(plan, facts, found), key=_rank)
    return Verdict(
        verdict=_verdict(plan, facts, found),
        cause=causes[0] if causes else None,
        also=tuple(causes[1:]),
        findings=found,
        blocked=blocked(plan, facts, found),
        queries=facts.queries,
        seconds=facts.seconds,
    )


def _rank(cause: Cause) -> tuple[int, bool, int, int]:
    """Order causes: the worst first, what harms the domain itself, then the one nearest the root, or that explains most."""
    code = cause.finding.code
    return WEIGHT[cause.finding.severity], code in _HARMS_OTHERS, _DEPTH[code], -len(cause.explains)


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
