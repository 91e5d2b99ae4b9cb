"""A domain without a plan: what its owner seems to mean, made from the facts alone, so that the same checks can judge it.

The zone's own NS records name the servers, or the parent's where no server serves the zone; the SOA's MNAME is the primary
when it is one of them, else the server with the newest version (a hidden primary is then no concern of ours). Nothing is
expected of the zone's contents but what is served.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, cast

import dns.name
import dns.rcode
from dns.rdatatype import RdataType

from mailname.checks.observe_parents import referral_in
from mailname.checks.remembered import remembered
from mailname.checks.seen_plan import SeenMailHost, SeenPlan, SeenServer, SeenSoa
from mailname.zone.serial import Serial

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dns.name import Name
    from dns.rdtypes.ANY.MX import MX
    from dns.rdtypes.ANY.NS import NS
    from dns.rdtypes.ANY.SOA import SOA

    from mailname.checks.facts import Facts, Probe, Record
    from mailname.plan import Plan
    from mailname.server.network import IPAddress

_ADDRESSES = (RdataType.A, RdataType.AAAA)


@remembered
def plan_as_seen(facts: Facts) -> Plan:
    """Describe the domain as it was found. A domain of which nothing was found has one name server without an address."""
    best = _best(facts)
    names = _name_servers(facts, best)
    primary = _primary(names, best)
    servers = tuple(
        SeenServer(
            name=name,
            addresses=addresses_seen(facts, name, best),
            role="primary" if name == primary else "secondary",
        )
        for name in names
    )
    hosts = tuple(SeenMailHost(mx.exchange, mx.preference) for mx in _mx(facts, best))
    return cast("Plan", SeenPlan(facts.domain, servers, hosts, _timers(best)))


def expected_as_seen(facts: Facts) -> tuple[Record, ...]:
    """Return what the best server serves of the domain: without a plan nothing else can be expected."""
    best = _best(facts)
    if best is None:
        return ()
    return tuple(
        dict.fromkeys(
            record
            for probe in _answers(facts)
            if probe.address == best.address
            for record in probe.answer
            if record.owner.is_subdomain(facts.domain)
        )
    )


def addresses_seen(facts: Facts, name: Name, best: Probe | None = None) -> tuple[IPAddress, ...]:
    """Return where a name server is: by the zone if its name stands in it, else by the resolver; failing that, by the glue.

    Where its name is an alias the glue goes first: that is where resolvers ask, and it is no fault of its own.
    """
    if name.is_subdomain(facts.domain):
        answers = [p for p in _answers(facts) if best and p.address == best.address and p.qname == name]
    else:
        answers = [p for p in facts.at_rung("resolver") if p.qname == name and p.qtype in _ADDRESSES]
    found = [record for probe in answers for record in probe.answer if record.rdtype in _ADDRESSES]
    own, of_alias = ([ip_address(r.rdata.to_text()) for r in found if (r.owner == name) is mine] for mine in (True, False))
    glue = [address for referral in _delegations(facts) for address in referral.get(name, ())]
    return tuple(dict.fromkeys(own or glue or of_alias))


def _answers(facts: Facts) -> Iterator[Probe]:
    """Iterate over what the domain's servers say with authority over UDP, or over TCP where UDP was silent."""
    for probe in facts.at_rung("servers"):
        if probe.answered and probe.aa and probe.rcode in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            yield probe


@remembered
def _delegations(facts: Facts) -> tuple[dict[Name, tuple[IPAddress, ...]], ...]:
    found = (referral_in(probe) for probe in facts.at_rung("tld") if probe.answered)
    return tuple(dict(referral.servers) for referral in found if referral is not None and referral.zone == facts.domain)


@remembered
def _best(facts: Facts) -> Probe | None:
    """Return the SOA answer of the server whose data are taken for what is meant: the MNAME's, or else the newest."""
    newest: Probe | None = None
    serving = [p for p in _answers(facts) if p.qname == facts.domain and p.rdatas(facts.domain, RdataType.SOA)]
    serving.sort(key=lambda probe: not facts.is_asked_whole(probe.address))
    for probe in serving:
        if newest is None or _serial(probe).is_newer_than(_serial(newest)):
            newest = probe
    if newest is None:
        return None
    mname = _soa(newest).mname
    return next((probe for probe in serving if probe.server == mname), newest)


def _mx(facts: Facts, best: Probe | None) -> tuple[MX, ...]:
    """Return the MX records; none for a null MX (RFC 7505)."""
    probe = facts.probe(best.address, "udp", facts.domain, RdataType.MX) if best else None
    found = cast("tuple[MX, ...]", probe.rdatas(facts.domain, RdataType.MX) if probe else ())
    return tuple(mx for mx in found if mx.exchange != dns.name.root)


def _name_servers(facts: Facts, best: Probe | None) -> tuple[Name, ...]:
    """Return the zone's name servers as it lists them itself, else as the parent does, in the order received."""
    apex = facts.probe(best.address, "udp", facts.domain, RdataType.NS) if best else None
    own = cast("tuple[NS, ...]", apex.rdatas(facts.domain, RdataType.NS) if apex and apex.aa else ())
    names = [ns.target for ns in own] or [name for one in _delegations(facts) for name in one]
    return tuple(dict.fromkeys(names)) or (facts.domain,)


def _primary(names: tuple[Name, ...], best: Probe | None) -> Name:
    if best is None:
        return names[0]
    mname = _soa(best).mname
    return next((name for name in (mname, best.server) if name in names), names[0])


def _soa(probe: Probe) -> SOA:
    return cast("SOA", probe.rdatas(probe.qname, RdataType.SOA)[0])


def _serial(probe: Probe) -> Serial:
    return Serial(_soa(probe).serial)


def _timers(best: Probe | None) -> SeenSoa:
    if best is None:
        return SeenSoa()
    soa = _soa(best)
    return SeenSoa(soa.refresh, soa.retry, soa.expire, soa.minimum)
