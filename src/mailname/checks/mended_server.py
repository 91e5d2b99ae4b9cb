"""What a name server would answer after a fix on it, and what its secondaries would then fetch."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import dns.rcode
from dns.rdatatype import RdataType

from mailname.checks.mended_facts import Mended, changed, refusing, serving
from mailname.checks.mended_mail import greeting
from mailname.checks.observe_servers import FOREIGN
from mailname.checks.plan_differs import differences
from mailname.checks.reading import sights, source_of_truth

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from dns.name import Name

    from mailname.checks.facts import Facts, Probe
    from mailname.checks.finding import Finding
    from mailname.checks.reading import Sight
    from mailname.server.network import IPAddress

# The words of a failed transfer that end when the primary can be reached again, and when it serves the zone again.
_UNREACHED = frozenset(
    {"connection-refused", "timeout", "timeout-tcp", "timeout-udp", "reset", "unreachable", "stalled", "too-slow"}
)
_NOT_SERVED = frozenset({"refused", "notauth", "servfail", "no-zone", "primary-expired", "not-authoritative"})
_WELL: Mapping[str, Any] = {
    "state": "serving",
    "busy": False,
    "last_failure": None,
    "problem": None,
    "refused": [],
    "records": None,
}


def reachable(now: Mended, finding: Finding) -> Mended:
    """Let a server answer, by UDP and TCP."""
    mended = _served(now, finding, _UNREACHED)
    return Mended(mended.plan, greeting(mended.facts, finding.addresses))


def loaded(now: Mended, finding: Finding) -> Mended:
    """Let a server serve the zone."""
    return _served(now, finding, _NOT_SERVED)


def copied(now: Mended, finding: Finding) -> Mended:
    """Let a secondary fetch what the primary has."""
    addresses = _all_of(now, finding)
    model = _model(now, addresses)
    facts = serving(now.facts, addresses, model, _serial(model))
    return Mended(now.plan, _well(facts, {finding.server} if finding.server else set(), addresses))


def published_again(now: Mended, finding: Finding) -> Mended:
    """Let the primary serve what is meant under a serial that is newer than all, and every secondary that serves fetch it."""
    del finding
    all_seen = sights(now.plan, now.facts)
    serials = [sight.serial for sight in all_seen if sight.serial is not None]
    newest = serials[0] if serials else None
    for serial in serials:
        if newest is not None and serial.is_newer_than(newest):
            newest = serial
    addresses = {sight.address for sight in all_seen if sight.serial is not None}
    primary = next((sight for sight in all_seen if sight.address in addresses and sight.server.role == "primary"), None)
    others = addresses - ({primary.address} if primary else set())
    facts = serving(now.facts, others, primary, 0)
    truth = source_of_truth(now.plan, facts)
    keys = set(differences(facts, truth)) if truth and facts.planned else set()

    def change(probe: Probe) -> Probe:
        if probe.rung != "servers" or probe.address not in addresses or newest is None:
            return probe
        answer = probe.answer
        if (probe.qname, probe.qtype) in keys:
            answer = tuple(one for one in facts.expected if (one.owner, one.rdtype) == (probe.qname, probe.qtype))
        answer = tuple(
            replace(one, rdata=one.rdata.replace(serial=int(newest))) if one.rdtype == RdataType.SOA else one for one in answer
        )
        return replace(probe, answer=answer)

    return Mended(now.plan, _well(changed(facts, change), {server.name for server in now.plan.name_servers}, addresses))


def zone_loaded_on_primary(now: Mended, finding: Finding) -> Mended:
    """Let the primary load the zone that is meant."""
    mended = published_again(now, finding) if not finding.addresses else _served(now, finding, _NOT_SERVED)
    facts = replace(mended.facts, zone_file=None)
    return Mended(mended.plan, _well(facts, {finding.server} if finding.server else set(), ()))


def by_tcp(now: Mended, finding: Finding) -> Mended:
    """Open TCP: what is answered by UDP is answered by TCP."""
    addresses = set(finding.addresses)

    def change(probe: Probe) -> Probe | None:
        if probe.rung != "servers" or probe.address not in addresses or probe.transport != "tcp":
            return probe
        same = now.facts.probe(probe.address, "udp", probe.qname, probe.qtype)
        if same is None or not same.answered:
            return refusing(probe) if probe.qtype == RdataType.AXFR else None
        return replace(same, transport="tcp")

    return _replicated(Mended(now.plan, changed(now.facts, change)), finding, _UNREACHED)


def by_udp(now: Mended, finding: Finding) -> Mended:
    """Open UDP: a server that can be asked by TCP is asked by UDP, and hears NOTIFY."""
    return _served(now, finding, _UNREACHED)


def without_recursion(now: Mended, finding: Finding) -> Mended:
    """Let a server refuse foreign names."""
    return _refusing(now, finding, lambda probe: probe.qname == FOREIGN)


def without_open_transfer(now: Mended, finding: Finding) -> Mended:
    """Let a server refuse us the transfer."""
    return _refusing(now, finding, lambda probe: probe.qtype == RdataType.AXFR)


def with_edns(now: Mended, finding: Finding) -> Mended:
    """Let a server answer what is asked with EDNS."""
    addresses = set(finding.addresses)
    return Mended(now.plan, changed(now.facts, lambda p: replace(p, edns=True) if p.address in addresses else p))


def _refusing(now: Mended, finding: Finding, those: Callable[[Probe], bool]) -> Mended:
    addresses = set(finding.addresses)
    return Mended(now.plan, changed(now.facts, lambda p: refusing(p) if p.address in addresses and those(p) else p))


def _served(now: Mended, finding: Finding, ends: frozenset[str]) -> Mended:
    addresses = set(finding.addresses)
    model = _model(now, addresses)
    facts = serving(now.facts, addresses, model, _serial(model) or _any_serial(now))
    facts = _well(facts, {finding.server} if finding.server else set(), addresses)
    return _replicated(Mended(now.plan, facts), finding, ends)


def _replicated(now: Mended, finding: Finding, ends: frozenset[str]) -> Mended:
    """After a fix on the primary: secondaries whose copy is old or gone fetch it, unless something else stands in their way."""
    if finding.server != now.plan.primary.name:
        return now
    for server in now.plan.secondaries:
        status = now.facts.status(server.name) or {}
        failure = status.get("last_failure")
        if failure and str(failure.get("reason")) not in ends:
            continue
        seen = [sight for sight in sights(now.plan, now.facts) if sight.server == server and sight.soa is not None]
        behind = {s.address for s in seen if s.serial is not None or (s.soa and s.soa.rcode == dns.rcode.SERVFAIL)}
        model = _model(now, behind)
        if model is not None and model.server.role == "primary":
            facts = serving(now.facts, behind, model, 0)
            now = Mended(now.plan, _well(facts, {server.name}, ()))
    return now


def _all_of(now: Mended, finding: Finding) -> set[IPAddress]:
    """Return all addresses at which a server answers: they serve one copy."""
    found = {sight.address for sight in sights(now.plan, now.facts) if sight.server.name == finding.server and sight.soa}
    return found | set(finding.addresses)


def _model(now: Mended, but: Collection[IPAddress]) -> Sight | None:
    """Return whom the others follow: the primary where it serves, else whoever does."""
    serving_now = [s for s in sights(now.plan, now.facts) if s.serial is not None and s.address not in but]
    return min(serving_now, key=lambda sight: sight.server.role != "primary", default=None)


def _serial(model: Sight | None) -> int:
    return int(model.serial) if model is not None and model.serial is not None else 0


def _any_serial(now: Mended) -> int:
    serials = [int(sight.serial) for sight in sights(now.plan, now.facts) if sight.serial is not None]
    return max(serials, default=1)


def _well(facts: Facts, servers: Collection[Name], addresses: Collection[IPAddress]) -> Facts:
    """Let these servers say that all is well, and nobody that he refused one of these addresses."""
    gone = {str(address) for address in addresses}

    def status(server: Name, says: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        if says is None:
            return None
        if server in servers:
            return {**says, **_WELL}
        return {**says, "refused": [one for one in says.get("refused") or () if one["from"] not in gone]}

    return replace(facts, control=tuple(replace(fact, status=status(fact.server, fact.status)) for fact in facts.control))
