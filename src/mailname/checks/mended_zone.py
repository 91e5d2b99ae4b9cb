"""What the zone would say after a fix in it: only what the fix is about changes, so that another edit stays in sight."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address
from typing import TYPE_CHECKING, cast

import dns.name
import dns.rdata
import dns.rdataclass
from dns.rdatatype import RdataType

from mailname.checks.facts import Record
from mailname.checks.mail_policy import is_policy
from mailname.checks.mended_facts import Mended, answering, as_planned, changed
from mailname.checks.observe_servers import relatives
from mailname.checks.plan_differs import differences
from mailname.checks.reading import sights, source_of_truth

if TYPE_CHECKING:
    from collections.abc import Callable

    from dns.name import Name
    from dns.rdtypes.ANY.MX import MX
    from dns.rdtypes.ANY.SOA import SOA

    from mailname.checks.facts import Probe
    from mailname.checks.finding import Finding
    from mailname.server.network import IPAddress

_ADDRESSES = (RdataType.A, RdataType.AAAA)
_FITTING = {"refresh": 14400, "retry": 3600, "expire": 1209600, "minimum": 1800}


def as_published(now: Mended, finding: Finding) -> Mended:
    """Publish: whatever differs from the plan is as planned."""
    del finding
    truth = source_of_truth(now.plan, now.facts)
    keys = set(differences(now.facts, truth)) if truth and now.facts.planned else set()
    return _edited(now, lambda probe: _planned(now, probe) if (probe.qname, probe.qtype) in keys else probe)


def mx_as_planned(now: Mended, finding: Finding) -> Mended:
    """Write the MX as it is meant; without a plan, leave out what cannot be one."""
    domain = now.facts.domain
    if now.facts.planned:
        return _edited(now, lambda p: _planned(now, p) if (p.qname, p.qtype) == (domain, RdataType.MX) else p)

    def kept(probe: Probe) -> Probe | None:
        if (probe.qname, probe.qtype) != (domain, RdataType.MX):
            return probe
        found = cast("tuple[MX, ...]", probe.rdatas(domain, RdataType.MX))
        good = [one for one in found if one.exchange not in (dns.name.root, finding.server)]
        return answering(probe, good) if good else None

    return _edited(now, kept)


def host_has_address(now: Mended, finding: Finding) -> Mended:
    """Give the host that is named an address of its own: the plan's, or else any."""
    host = finding.server
    if host is None:
        return now
    keys = {(now.facts.domain, RdataType.MX), (now.facts.domain, RdataType.NS)} if now.facts.planned else set()
    others = set(relatives(host, now.facts.domain)) if host.is_subdomain(now.facts.domain) else set()
    address = _some_address(now)
    shorter = next((other for other in others if len(other) < len(host)), None)

    def change(probe: Probe) -> Probe:
        if finding.code == "ZONE-01" and not now.facts.planned and shorter is not None:
            probe = _renamed(probe, host, shorter)
        if (probe.qname, probe.qtype) in keys or (probe.qname in others and probe.qtype in _ADDRESSES and now.facts.planned):
            return _planned(now, probe) if probe.rung == "servers" else probe
        if probe.qname != host or probe.qtype not in _ADDRESSES or not probe.answered:
            return probe
        if now.facts.planned and probe.rung == "servers":
            return _planned(now, probe)
        return _addressed(probe, address)

    facts = _edited(now, change).facts
    return Mended(now.plan, changed(facts, lambda probe: change(probe) if probe.rung == "resolver" else probe))


def timers_fit(now: Mended, finding: Finding) -> Mended:
    """Write timers that fit together, into the plan as well."""
    del finding
    fitting = {RdataType.SOA: _FITTING}

    def fitted(record: Record) -> Record:
        return replace(record, rdata=record.rdata.replace(**fitting.get(record.rdtype, {})))

    mended = _edited(now, lambda probe: replace(probe, answer=tuple(map(fitted, probe.answer))))
    return Mended(now.plan, replace(mended.facts, expected=tuple(map(fitted, now.facts.expected))))


def policy_withdrawn(now: Mended, finding: Finding) -> Mended:
    """Take the TXT records of the policy away, from the plan as well."""
    domain = now.facts.domain

    def is_meant(owner: Name, rdtype: RdataType) -> bool:
        return rdtype == RdataType.TXT and owner.is_subdomain(domain) and is_policy(finding.code, owner, domain)

    mended = _edited(now, lambda probe: answering(probe, ()) if is_meant(probe.qname, probe.qtype) else probe)
    kept = tuple(record for record in now.facts.expected if not is_meant(record.owner, record.rdtype))
    return Mended(now.plan, replace(mended.facts, expected=kept))


def apart(now: Mended, finding: Finding) -> Mended:
    """Put the last name server on a machine of its own, everywhere."""
    del finding
    moved = now.plan.name_servers[-1]
    fresh = {4: ip_address("192.0.2.254"), 6: ip_address("2001:db8::fe")}
    addresses = tuple(dict.fromkeys(fresh[address.version] for address in moved.addresses))
    servers = (*now.plan.name_servers[:-1], replace(moved, addresses=addresses))
    plan = replace(now.plan, name_servers=servers)

    def record(one: Record) -> Record:
        if one.owner != moved.name or one.rdtype not in _ADDRESSES:
            return one
        return Record(one.owner, one.ttl, _rdata(fresh[4 if one.rdtype == RdataType.A else 6]))

    def records(of: tuple[Record, ...]) -> tuple[Record, ...]:
        return tuple(dict.fromkeys(map(record, of)))

    facts = changed(
        now.facts,
        lambda p: replace(p, answer=records(p.answer), authority=records(p.authority), additional=records(p.additional)),
    )
    there = [p for p in facts.at_rung("servers") if p.address in moved.addresses]
    here = tuple(replace(p, server=moved.name, address=fresh[p.address.version]) for p in there)
    return Mended(plan, replace(facts, probes=(*facts.probes, *here), expected=records(facts.expected)))


def _edited(now: Mended, change: Callable[[Probe], Probe | None]) -> Mended:
    """Change what is served under the serial that is judged: the primary's zone, and every copy of it."""
    truth = source_of_truth(now.plan, now.facts)
    if truth is None:
        return now
    same = {sight.address for sight in sights(now.plan, now.facts) if sight.serial == truth.serial}

    def edit(probe: Probe) -> Probe | None:
        return change(probe) if probe.rung == "servers" and probe.address in same and probe.answered else probe

    return Mended(now.plan, changed(now.facts, edit))


def _planned(now: Mended, probe: Probe) -> Probe:
    soa = cast("tuple[SOA, ...]", probe.rdatas(probe.qname, RdataType.SOA))
    return as_planned(now.facts, probe, soa[0].serial if soa else 0)


def _renamed(probe: Probe, old: Name, new: Name) -> Probe:
    """Let MX and NS records name another host."""

    def record(one: Record) -> Record:
        member = {RdataType.MX: "exchange", RdataType.NS: "target"}.get(one.rdtype)
        named = member is not None and getattr(one.rdata, member) == old
        return replace(one, rdata=one.rdata.replace(**{str(member): new})) if named else one

    return replace(probe, answer=tuple(map(record, probe.answer)))


def _some_address(now: Mended) -> IPAddress:
    found = [sight.address for sight in sights(now.plan, now.facts)]
    return found[0] if found else ip_address("192.0.2.254")


def _addressed(probe: Probe, address: IPAddress) -> Probe:
    fits = (probe.qtype == RdataType.A) == (address.version == 4)
    return replace(answering(probe, [_rdata(address)] if fits else ()), aa=probe.aa, ra=probe.ra)


def _rdata(address: IPAddress) -> dns.rdata.Rdata:
    kind = RdataType.A if address.version == 4 else RdataType.AAAA
    return dns.rdata.from_text(dns.rdataclass.IN, kind, str(address))
