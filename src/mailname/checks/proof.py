"""A cause is proven by applying the fix it claims to the facts and judging again.

What a cause claims to explain and what is then still found is no consequence of it: it is told as a cause of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mailname.checks.finding import Severity
from mailname.checks.judge import judge
from mailname.checks.mended import mended

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mailname.checks.facts import Facts
    from mailname.checks.finding import Finding
    from mailname.plan import Plan


@dataclass(frozen=True, slots=True)
class Claim:
    """Findings of one code that nothing else explains, and what they explain by the rules.

    Attributes:
        proven: whether all of it is gone when they are mended and all is judged again.

    """

    same: tuple[Finding, ...]
    explains: tuple[Finding, ...] = ()
    proven: bool = False


def proven(plan: Plan, facts: Facts, claims: Iterable[Claim]) -> list[Claim]:
    """Return the claims, each with whether it was proven; what none of them explains after all is a claim of its own."""
    claimed = _without_false_effects(plan, facts, list(claims))
    whole = _still_found(plan, facts, [one for claim in claimed for one in claim.same]) if claimed else set()
    if len(claimed) == 1:
        return [replace(claimed[0], proven=not whole & _keys((*claimed[0].same, *claimed[0].explains)))]
    # An effect of two causes is gone only when both are mended; of the others each cause is asked alone.
    shared = {key for claim in claimed for key in _keys(claim.explains) if _count(claimed, key) > 1}
    done = []
    for claim in claimed:
        alone = _still_found(plan, facts, claim.same)
        own = _keys((*claim.same, *claim.explains))
        done.append(replace(claim, proven=not alone & (own - shared) and not whole & own & shared))
    return done


def _without_false_effects(plan: Plan, facts: Facts, claims: list[Claim]) -> list[Claim]:
    """Take from each claim what is still found when everything that explains it is mended."""
    for _ in range(sum(len(claim.explains) for claim in claims)):
        left = _still_found(plan, facts, [one for claim in claims for one in claim.same])
        false = [one for claim in claims for one in claim.explains if _key(one) in left]
        if not false:
            break
        code = false[0].code
        own = tuple(dict.fromkeys(one for one in false if one.code == code))
        claims = [replace(claim, explains=tuple(one for one in claim.explains if one not in own)) for claim in claims]
        claims = _beside(claims, own)
    return claims


def _beside(claims: list[Claim], own: tuple[Finding, ...]) -> list[Claim]:
    """Add what nothing explains after all: to the claim of its code, since that is the same fault at another server."""
    code = own[0].code
    if not any(claim.same[0].code == code for claim in claims):
        return [*claims, Claim(own)]
    return [replace(claim, same=(*claim.same, *own)) if claim.same[0].code == code else claim for claim in claims]


def _still_found(plan: Plan, facts: Facts, causes: Iterable[Finding]) -> set[tuple[str, str]]:
    then = mended(plan, facts, causes)
    return _keys(one for one in judge(then.plan, then.facts) if one.severity is not Severity.NOTE)


def _count(claims: list[Claim], key: tuple[str, str]) -> int:
    return sum(key in _keys(claim.explains) for claim in claims)


def _keys(findings: Iterable[Finding]) -> set[tuple[str, str]]:
    return set(map(_key, findings))


def _key(finding: Finding) -> tuple[str, str]:
    return finding.code, str(finding.server)
