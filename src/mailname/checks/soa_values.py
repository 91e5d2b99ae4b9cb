"""SOA-01 and SOA-02: the SOA's numbers must not contradict each other, and its first name must be a server of the zone."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from dns.rdatatype import RdataType

from mailname.checks.finding import Finding, Severity, evidence_of
from mailname.checks.reading import host_sight, served, source_of_truth
from mailname.checks.wording import duration, listed, plan_file, spoken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dns.rdtypes.ANY.SOA import SOA

    from mailname.checks.facts import Facts
    from mailname.checks.finding import Evidence
    from mailname.plan import Plan

_SHORTEST_EXPIRE = 86_400  # a weekend without the primary must not take the zone away; a day is the least
_LONGEST_MINIMUM = 86_400  # RFC 2308 section 5: a day, or a name that is new stays unknown for longer


def _soa(plan: Plan, facts: Facts) -> tuple[SOA, tuple[Evidence, ...]] | None:
    truth = source_of_truth(plan, facts)
    found = served(facts, truth.address, plan.domain, RdataType.SOA) if truth else None
    if truth is None or not found:
        return None
    probe = facts.probe(truth.address, "udp", plan.domain, RdataType.SOA)
    return cast("SOA", found[0]), (evidence_of(probe),) if probe else ()


def contradictions(soa: SOA) -> list[str]:
    """Return what is wrong with a SOA's timers (RFC 1912 section 2.2), a few words for each; mostly nothing."""
    wrong = []
    if soa.retry >= soa.refresh:
        wrong.append(f"retry ({duration(soa.retry)}) is not shorter than refresh ({duration(soa.refresh)})")
    if soa.expire <= soa.refresh + soa.retry:
        wrong.append(f"expire ({duration(soa.expire)}) is over before a failed refresh is tried again")
    elif soa.expire < _SHORTEST_EXPIRE:
        wrong.append(f"the secondaries give up after {duration(soa.expire)} without the primary (expire)")
    if soa.minimum > _LONGEST_MINIMUM:
        wrong.append(f"a name that is missing is remembered as missing for {duration(soa.minimum)} (minimum)")
    return wrong


def soa_timers(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Find timers with which a short failure takes the zone from the secondaries, or with which news travels for days."""
    if (known := _soa(plan, facts)) is None or not (wrong := contradictions(known[0])):
        return
    soa, evidence = known
    planned = facts.expects(plan.domain, RdataType.SOA)
    in_plan = bool(planned) and contradictions(cast("SOA", planned[0]))
    yield Finding(
        "SOA-01",
        Severity.FRAGILE,
        f"The timers in the SOA of {spoken(plan.domain)} do not fit together: {listed(wrong)}.",
        "plan" if in_plan else f"zone file on {spoken(plan.primary.name)}",
        f"{'Correct [soa] in the plan' if in_plan else 'Publish the plan, whose timers fit'}:"
        f" refresh {soa.refresh}, retry {soa.retry}, expire {soa.expire}, minimum {soa.minimum} seconds now;"
        " 14400, 3600, 1209600 and 1800 serve most.",
        f"mailname publish {plan_file(plan.domain)}",
        evidence,
    )


def soa_master(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Note that the SOA's MNAME leads nowhere: who looks for the primary by it finds nobody."""
    if (known := _soa(plan, facts)) is None:
        return
    master = known[0].mname
    if any(server.name == master for server in plan.name_servers) or not master.is_subdomain(plan.domain):
        return  # a primary outside the domain, or hidden, is the owner's affair
    if host_sight(plan, facts, master).addresses != ():
        return
    yield Finding(
        "SOA-02",
        Severity.NOTE,
        f"The SOA of {spoken(plan.domain)} names {spoken(master)} as its primary (MNAME), which has no address.",
        f"zone file on {spoken(plan.primary.name)}",
        f"Publish the plan, which names {spoken(plan.primary.name)}.",
        f"mailname publish {plan_file(plan.domain)}",
        known[1],
    )
