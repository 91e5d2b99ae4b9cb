"""SERIAL-01 and SERIAL-02: every server must hold the version that its serial says (RFC 1982)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dns.rdatatype import RdataType

from mailname.checks.finding import Finding, Severity, evidence_of
from mailname.checks.reading import served, sight_of, sights
from mailname.checks.wording import plan_file, spoken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dns.name import Name

    from mailname.checks.facts import Facts
    from mailname.checks.finding import Evidence
    from mailname.checks.reading import Sight
    from mailname.plan import Plan


def serial_not_raised(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Find secondaries that hold other data than the primary under the same serial."""
    primary = sight_of(plan, facts, plan.primary.name)
    if primary is None or primary.serial is None:
        return
    for server in plan.secondaries:
        sight = sight_of(plan, facts, server.name)
        if sight is None or sight.serial != primary.serial:
            continue
        differing = _first_difference(facts, primary, sight)
        counts = [(facts.status(one.server.name) or {}).get("records") for one in (primary, sight)]
        if differing is None and (None in counts or counts[0] == counts[1]):
            continue
        what = (
            f"different {differing[1].name} records of {spoken(differing[0])}" if differing else "a different number of records"
        )
        yield Finding(
            "SERIAL-01",
            Severity.FRAGILE,
            f"{spoken(primary.server.name)} ({primary.address}) and {spoken(server.name)} ({sight.address}) serve {what}"
            f" under the same serial {primary.serial}: the zone changed and its serial did not, so no secondary fetches it.",
            f"zone file on {spoken(primary.server.name)}",
            "Publish again: it raises the serial, and the secondaries fetch the zone.",
            f"mailname publish {plan_file(plan.domain)}",
            _evidence(facts, [primary, sight], *(differing or (plan.domain, RdataType.SOA))),
            server=server.name,
            addresses=(sight.address,),
        )


def _first_difference(facts: Facts, one: Sight, other: Sight) -> tuple[Name, RdataType] | None:
    for probe in facts.at_rung("servers"):
        if probe.address != one.address or probe.transport != "udp":
            continue
        ours = served(facts, one.address, probe.qname, probe.qtype)
        theirs = served(facts, other.address, probe.qname, probe.qtype)
        if ours is not None and theirs is not None and ours != theirs and frozenset(ours) != frozenset(theirs):
            return probe.qname, probe.qtype
    return None


def primary_older(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Find secondaries that are ahead of the primary: they will never fetch what it has now."""
    primary = sight_of(plan, facts, plan.primary.name)
    if primary is None or primary.serial is None:
        return
    for sight in sights(plan, facts):
        if sight.server.role == "primary" or sight.serial is None or not sight.serial.is_newer_than(primary.serial):
            continue
        yield Finding(
            "SERIAL-02",
            Severity.FRAGILE,
            f"{spoken(sight.server.name)} ({sight.address}) has serial {sight.serial}, newer than {primary.serial} on the primary"
            f" {spoken(primary.server.name)}: it will not fetch the zone any more.",
            f"zone file on {spoken(primary.server.name)}",
            f"Publish with a serial above {sight.serial}; the command takes the highest that any server holds.",
            f"mailname publish {plan_file(plan.domain)}",
            _evidence(facts, [primary, sight], plan.domain, RdataType.SOA),
            server=sight.server.name,
            addresses=(sight.address,),
        )


def _evidence(facts: Facts, of: list[Sight], owner: Name, rdtype: RdataType) -> tuple[Evidence, ...]:
    keys = [(sight, kind) for sight in of for kind in dict.fromkeys((RdataType.SOA, rdtype))]
    probes = [facts.probe(sight.address, "udp", owner if kind == rdtype else facts.domain, kind) for sight, kind in keys]
    return tuple(evidence_of(probe) for probe in probes if probe)
