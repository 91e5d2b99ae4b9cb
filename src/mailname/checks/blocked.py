"""Checks that could not be made because of what was found above them: they are blocked, not failed, and not passed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mailname.checks.finding import Severity
from mailname.checks.judge import checks_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dns.name import Name

    from mailname.checks.facts import Facts
    from mailname.checks.finding import Finding
    from mailname.checks.judge import Check
    from mailname.plan import Plan


class Blocked(NamedTuple):
    """A check that could not be made.

    Attributes:
        code: what it would have looked for.
        about: the name server that it would have been made for; None for the domain.
        needs: the code that was found instead; empty when the check's rung was not asked.

    """

    code: str
    about: Name | None
    needs: str

    def to_json(self) -> dict[str, str | None]:
        """Return it as JSON values."""
        return {"check": self.code, "about": self.about.to_text() if self.about else None, "needs": self.needs or None}


def blocked(plan: Plan, facts: Facts, findings: Iterable[Finding]) -> tuple[Blocked, ...]:
    """Return the checks that these findings, or a look that began lower, made impossible."""
    found = tuple(findings)
    failed = {(finding.code, finding.server) for finding in found}
    return tuple(
        one for check in checks_for(facts) for one in _of(check, plan, facts, found) if (one.code, one.about) not in failed
    )


def _of(check: Check, plan: Plan, facts: Facts, findings: tuple[Finding, ...]) -> Iterator[Blocked]:
    if not facts.asks(check.rung):
        yield from (Blocked(code, None, "") for code in check.codes)
    elif check.for_each_server:
        for server in plan.name_servers:
            reason = _first(check, (finding for finding in findings if finding.server == server.name))
            if reason:
                yield from (Blocked(code, server.name, reason) for code in check.codes)
    else:
        # A check on the domain is blocked by what stops the whole domain, not by one server of several.
        reason = _first(check, (f for f in findings if f.server is None or f.severity is Severity.DEAD))
        if reason:
            yield from (Blocked(code, None, reason) for code in check.codes)


def _first(check: Check, findings: Iterable[Finding]) -> str:
    return next((finding.code for finding in findings if finding.code in check.needs), "")
