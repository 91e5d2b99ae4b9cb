"""A change at the registrar on its way: which of the parent's servers have it, and until when caches may give the old answer.

Pure: what was seen and when goes in, what to say and when to ask again comes out. A cache that asked a server at the last moment
at which it had the old delegation keeps that for its TTL (RFC 2181 section 8), or a denial for its negative TTL (RFC 2308
section 5).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from dns.rdatatype import RdataType

from mailname.checks.observe_parents import Referral
from mailname.checks.reading import delegation_in, parent_answers
from mailname.checks.wording import clock_time, duration, listed, spoken

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from dns.name import Name

    from mailname.checks.facts import Facts, Probe
    from mailname.plan import Plan

SHORTEST, LONGEST = 10.0, 300.0  # seconds between two polls
_PART = 30  # of the TTL that is seen: a registry with an hour's TTL is asked every two minutes


@dataclass(frozen=True, slots=True)
class Station:
    """How far the change has come, at one moment.

    Attributes:
        ready: the servers that have it; late: those that do not; silent: those that did not say.
        everywhere: when the last cache forgets the old answer; None where the old answer was never seen.
        ttl: seconds that the delegation is remembered now.
        again: seconds after which to ask again; 0 when the change has arrived.

    """

    at: datetime
    zone: Name
    ready: tuple[Probe, ...]
    late: tuple[Probe, ...]
    silent: tuple[Probe, ...]
    everywhere: datetime | None
    ttl: int
    again: float

    @property
    def arrived(self) -> bool:
        """Whether every server that answers has it."""
        return bool(self.ready) and not self.late

    def says(self) -> str:
        """Tell it in a sentence or two."""
        count = len(self.ready) + len(self.late)
        mute = f" {_named(self.silent)} did not answer." if self.silent else ""
        if not count:
            return f"{clock_time(self.at)}: nobody above the domain answered; asked again in {duration(self.again)}."
        if self.late:
            has = f"{len(self.ready)} of {count} servers of {spoken(self.zone)} have the plan's delegation"
            old = (
                f" The TTL of their old answer runs out at {clock_time(self.everywhere)} at the earliest."
                if self.everywhere
                else ""
            )
            again = f"Asked again in {duration(self.again)}, at {clock_time(self.at + timedelta(seconds=self.again))}."
            return f"{clock_time(self.at)}: {has}; {_named(self.late)} not yet.{mute}{old} {again}"
        has = f"{'both' if count == 2 else f'all {count}'} servers of {spoken(self.zone)} that answer have the plan's delegation"
        return f"{clock_time(self.at)}: {has}.{mute} {self._caches()}"

    def _caches(self) -> str:
        if self.everywhere is None:
            return (
                "The old answer was not seen any more; who asked before the change forgets it within"
                f" {duration(self.ttl)}, if its TTL was the same."
            )
        left = (self.everywhere - self.at).total_seconds()
        if left <= 0:
            return "No cache can have the old answer any more."
        until = f"until {clock_time(self.everywhere)}, {duration(left)} from now"
        return f"Caches may give the old answer {until}; then it is seen everywhere."


@dataclass(slots=True)
class Travel:
    """Follows one change."""

    plan: Plan
    _old_until: datetime | None = field(default=None)

    def note(self, facts: Facts) -> Station:
        """Take in what the parent's servers said at one moment (``facts.at``)."""
        answers = parent_answers(facts)
        asked = list(facts.at_rung("tld"))
        zone = max((probe.zone for probe in asked), key=len, default=facts.domain.parent())
        ready: list[Probe] = []
        late: list[Probe] = []
        for probe in answers:
            one = delegation_in(probe, self.plan.domain)
            (ready if one is not None and one.is_as_planned(self.plan) else late).append(probe)
        for probe in late:
            until = facts.at + timedelta(seconds=remembered_for(probe, self.plan.domain))
            self._old_until = max(self._old_until or until, until)
        silent = [probe for probe in asked if probe.zone == zone and not probe.answered]
        ttl = max((remembered_for(probe, self.plan.domain) for probe in ready or late), default=0)
        waiting = bool(late) or not ready
        again = min(max(ttl / _PART, SHORTEST), LONGEST) if waiting else 0.0
        return Station(facts.at, zone, tuple(ready), tuple(late), tuple(silent), self._old_until, ttl, again)


def remembered_for(probe: Probe, domain: Name) -> int:
    """Return the seconds that a cache keeps this answer of the parent: the delegation with its glue, or its denial."""
    sections = (*probe.answer, *probe.authority)
    names = [record for record in sections if record.rdtype == RdataType.NS and record.owner == domain]
    if names:
        return max(record.ttl for record in (*names, *probe.additional))
    denial = [record for record in sections if record.rdtype == RdataType.SOA]
    return min((min(record.ttl, int(record.rdata.to_text().rsplit(None, 1)[1])) for record in denial), default=0)


def parents_of(probes: Iterable[Probe], zone: Name) -> Referral:
    """Return the servers of the parent that were asked, to ask them again without the walk."""
    return Referral(zone, {probe.server: (probe.address,) for probe in probes if probe.rung == "tld" and probe.zone == zone})


def _named(probes: tuple[Probe, ...]) -> str:
    return listed(f"{spoken(probe.server)} ({probe.address})" for probe in probes)
