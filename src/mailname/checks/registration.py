"""REG-01 and REG-02: a registration that is on hold is taken out of the TLD's zone, and one that ends will be (RFC 9083)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from mailname.checks.finding import Evidence, Finding, Severity
from mailname.checks.reading import delegations
from mailname.checks.wording import duration, listed, spoken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailname.checks.facts import Facts
    from mailname.checks.rdap import RegistrationFact
    from mailname.plan import Plan

SOON = timedelta(days=30)
# RFC 8056 section 2; some servers keep EPP's own spelling.
_HOLDS = {"client hold": "registrar", "clienthold": "registrar", "server hold": "registry", "serverhold": "registry"}
_ENDS = {"redemption period": "its redemption period", "pending delete": "the last days before it is deleted"}


def on_hold(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Find a domain that registrar or registry have put on hold, or that is about to be deleted."""
    if (told := facts.registration) is None:
        return
    domain = spoken(plan.domain)
    holds = [one for one in told.status if one in _HOLDS]
    ending = [one for one in told.status if one in _ENDS]
    by = told.registrar or "the registrar"
    if holds:
        who = "registry" if all(_HOLDS[one] == "registry" for one in holds) else "registrar"
        says = f"The {who} has put {domain} on hold ({listed(holds)}): it is taken out of its parent zone, whatever is delegated."
        fix = f"Ask {by} why: an invoice, a contact address that was not confirmed, a dispute; they lift the hold."
    elif ending:
        says = f"{domain} is in {_ENDS[ending[0]]} ({listed(ending)}): it is taken out of its parent zone."
        fix = f"Ask {by} to restore it, which costs a fee, before it is deleted."
    else:
        return
    severity = Severity.FRAGILE if delegations(facts) else Severity.DEAD
    yield Finding("REG-01", severity, says, "registrar", fix, f"curl -s {told.url}", (_evidence(told),))


def registration_ends(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Find a registration that has ended, or ends within a month."""
    told = facts.registration
    if told is None or told.ends is None or (left := told.ends - facts.at) >= SOON:
        return
    day = told.ends.date().isoformat()
    over = left < timedelta()
    when = f"ended on {day}" if over else f"ends on {day}, in {duration(left.total_seconds())}"
    yield Finding(
        "REG-02",
        Severity.DEAD if over and not delegations(facts) else Severity.FRAGILE,
        f"The registration of {spoken(plan.domain)} {when}{'' if over else ', if nobody renews it'}.",
        "registrar",
        f"Renew the domain at {told.registrar or 'the registrar'}, and see that it is renewed by itself next year.",
        f"curl -s {told.url}",
        (_evidence(told),),
    )


def _evidence(told: RegistrationFact) -> Evidence:
    lines = [f"status: {listed(told.status)}"] if told.status else []
    lines += [f"expiration: {told.ends.isoformat()}"] if told.ends else []
    lines += [f"registrar: {told.registrar}"] if told.registrar else []
    return Evidence("registry's RDAP server", told.url, "\n".join(lines))
