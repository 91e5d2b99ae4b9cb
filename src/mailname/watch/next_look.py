"""When to look again: as often as what was seen can change, by its TTLs and the SOA's timers. Pure.

While all is well nothing that resolvers see changes sooner than the shortest TTL in sight, and no secondary asks sooner than
refresh. While something is wrong, secondaries ask again after retry, so we look as often. Bounded on both sides, and spread out
by the domain's name, so that a thousand domains are not looked at in the same second.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, cast

from dns.rdatatype import RdataType

from mailname.checks.reading import parent_answers, sights
from mailname.checks.travel import remembered_for

if TYPE_CHECKING:
    from dns.rdtypes.ANY.SOA import SOA

    from mailname.checks import Facts, Verdict
    from mailname.plan import Plan

WELL = (300.0, 3600.0)  # seconds between two looks, at least and at most
NOT_WELL = (60.0, 900.0)
_TYPES = (RdataType.NS, RdataType.MX, RdataType.A, RdataType.AAAA)


def next_look(plan: Plan, facts: Facts, verdict: Verdict, waits: float | None = None) -> float:
    """Return the seconds until the next look.

    Args:
        plan: what is watched.
        facts: what the last look saw.
        verdict: what it found.
        waits: seconds after which a look may bring a word that is waited for.

    """
    refresh, retry = _timers(plan, facts)
    ttls = [one for one in (*_served(facts), *(remembered_for(probe, plan.domain) for probe in parent_answers(facts))) if one]
    timer, (least, most) = (refresh, WELL) if verdict.verdict == "well" else (retry, NOT_WELL)
    seconds = min(max(min([timer, *ttls]), least), most)
    # A tenth at most, and never later: what is waited for may come at once.
    seconds *= 1 - zlib.crc32(str(plan.domain).encode()) % 1000 / 10_000
    return seconds if waits is None else min(seconds, waits)


def _timers(plan: Plan, facts: Facts) -> tuple[float, float]:
    for sight in sights(plan, facts):
        if sight.soa is not None and sight.serial is not None:
            soa = cast("SOA", sight.soa.rdatas(sight.soa.qname, RdataType.SOA)[0])
            return float(soa.refresh), float(soa.retry)
    return float(plan.soa.refresh), float(plan.soa.retry)


def _served(facts: Facts) -> list[int]:
    return [record.ttl for probe in facts.at_rung("servers") for record in probe.answer if record.rdtype in _TYPES]
