"""What the facts say, once and for all checks: who is reached, who is loaded, what the parent has. No finding is made here."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, NamedTuple

import dns.name
import dns.rcode
from dns.rdatatype import RdataType

from mailname.checks.facts import Outcome
from mailname.checks.observe_parents import referral_in
from mailname.checks.remembered import remembered
from mailname.zone.serial import Serial

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dns.name import Name
    from dns.rdata import Rdata

    from mailname.checks.facts import Facts, Probe
    from mailname.plan import NameServer, Plan
    from mailname.server.network import IPAddress


class Delegation(NamedTuple):
    """What one of the parent's servers says of the domain.

    Attributes:
        glue: name server -> the addresses beside it; empty where there is none.

    """

    probe: Probe
    glue: Mapping[Name, frozenset[IPAddress]]

    @property
    def names(self) -> frozenset[Name]:
        """The name servers that the parent lists."""
        return frozenset(self.glue)

    def glue_inside(self, domain: Name) -> frozenset[tuple[Name, frozenset[IPAddress]]]:
        """Return the name servers inside the domain with their glue, without which nobody would find them."""
        return frozenset((name, glue) for name, glue in self.glue.items() if name.is_subdomain(domain))

    def is_as_planned(self, plan: Plan) -> bool:
        """Tell whether names and glue are those of the plan."""
        if self.names != frozenset(server.name for server in plan.name_servers):
            return False
        return all(
            self.glue[server.name] == frozenset(server.addresses)
            for server in plan.name_servers
            if server.name.is_subdomain(plan.domain)
        )


class Sight(NamedTuple):
    """One address of one of the plan's name servers, as seen from here.

    Attributes:
        udp, tcp: what became of the questions over each transport; None when it could not be tried from here.
        soa: the answer to the SOA question, over UDP or else over TCP.
        elsewhere: an answer to a question that is not about the domain: somebody is there.

    """

    server: NameServer
    address: IPAddress
    udp: Outcome | None
    tcp: Outcome | None
    soa: Probe | None
    elsewhere: Probe | None = None

    @property
    def is_down(self) -> bool:
        """Whether nothing about the domain was answered, over UDP or TCP."""
        return self.udp not in (None, Outcome.ANSWER) and self.tcp not in (None, Outcome.ANSWER)

    @property
    def serial(self) -> Serial | None:
        """The serial that it serves with authority."""
        if self.soa is None or self.soa.rcode != dns.rcode.NOERROR or not self.soa.aa:
            return None
        found = self.soa.rdatas(self.soa.qname, RdataType.SOA)
        return Serial(found[0].serial) if found else None  # type: ignore[attr-defined]  # SOA


@remembered
def root_answers(facts: Facts) -> tuple[Probe, ...]:
    """Return the root servers' useful answers: a referral, or the news that there is no such name."""
    return tuple(p for p in facts.at_rung("root") if p.answered and (referral_in(p) or p.rcode == dns.rcode.NXDOMAIN))


@remembered
def parent_answers(facts: Facts) -> tuple[Probe, ...]:
    """Return the answers of the servers that delegate the domain, or deny it; not those that refer on to another parent."""
    found = []
    for probe in facts.at_rung("tld"):
        if probe.qtype != RdataType.NS or not probe.answered or probe.rcode not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            continue
        referral = referral_in(probe)
        if referral is None or referral.zone == facts.domain:
            found.append(probe)
    return tuple(found)


def delegation_in(probe: Probe, domain: Name) -> Delegation | None:
    """Return the domain's delegation from one answer of the parent; None when the parent denies the domain."""
    referral = referral_in(probe)
    if referral is None or referral.zone != domain:
        return None
    return Delegation(probe, {name: frozenset(glue) for name, glue in referral.servers.items()})


@remembered
def delegations(facts: Facts) -> tuple[Delegation, ...]:
    """Return what each of the parent's servers says of the domain, where it knows it."""
    found = (delegation_in(probe, facts.domain) for probe in parent_answers(facts))
    return tuple(delegation for delegation in found if delegation)


@remembered
def delegation(plan: Plan, facts: Facts) -> Delegation | None:
    """Return the delegation to judge: one that is as planned, if any server has it, since the others will follow."""
    found = delegations(facts)
    return next((one for one in found if one.is_as_planned(plan)), found[0] if found else None)


@remembered
def addresses_of(server: NameServer, facts: Facts) -> tuple[IPAddress, ...]:
    """Return where a name server should be: the plan's addresses; for one elsewhere, those at which it was asked."""
    if server.addresses:
        return server.addresses
    return tuple(dict.fromkeys(probe.address for probe in facts.at_rung("servers") if probe.server == server.name))


@remembered
def sights(plan: Plan, facts: Facts) -> tuple[Sight, ...]:
    """Return how each address of each of the plan's name servers looks from here."""
    lost = _families_out_of_reach(facts)
    found = []
    for server in plan.name_servers:
        for address in addresses_of(server, facts):
            udp = None if address.version in lost else _transport(facts, address, "udp")
            tcp = None if address.version in lost else _transport(facts, address, "tcp")
            probes = (facts.probe(address, transport, plan.domain, RdataType.SOA) for transport in ("udp", "tcp"))
            soa = next((probe for probe in probes if probe and probe.answered), None)
            elsewhere = next((p for p in facts.asked_at(address) if p.answered and not p.qname.is_subdomain(plan.domain)), None)
            found.append(Sight(server, address, udp, tcp, soa, elsewhere))
    return tuple(found)


@remembered
def _families_out_of_reach(facts: Facts) -> frozenset[int]:
    """Return the address families of which every single address was unreachable: this machine lacks them, not the domain."""
    tried: dict[int, set[bool]] = {}
    outcomes = [(probe.address.version, probe.outcome) for probe in facts.probes]
    outcomes += [(visit.address.version, visit.outcome) for visit in facts.mail]
    for version, outcome in outcomes:
        tried.setdefault(version, set()).add(outcome is Outcome.UNREACHABLE)
    others_work = any(False in seen for seen in tried.values())
    return frozenset(version for version, seen in tried.items() if seen == {True} and (others_work or len(tried) == 1))


def is_out_of_reach(facts: Facts, address: IPAddress) -> bool:
    """Tell whether this machine lacks the address's family altogether."""
    return address.version in _families_out_of_reach(facts)


def _transport(facts: Facts, address: IPAddress, transport: str) -> Outcome | None:
    """Tell what became of the questions about the domain; a server may answer others and be silent about this one."""
    asked = [probe for probe in facts.asked_at(address) if probe.transport == transport]
    outcomes = [probe.outcome for probe in asked if probe.qname.is_subdomain(facts.domain)]
    if Outcome.ANSWER in outcomes:
        return Outcome.ANSWER
    return outcomes[0] if outcomes else None


@remembered
def sight_of(plan: Plan, facts: Facts, name: Name) -> Sight | None:
    """Return the best sight of one name server: an address at which it serves the zone, else one that answers."""
    found = [sight for sight in sights(plan, facts) if sight.server.name == name]
    found.sort(key=lambda sight: (sight.serial is None, sight.soa is None, not facts.is_asked_whole(sight.address)))
    return found[0] if found else None


@remembered
def source_of_truth(plan: Plan, facts: Facts) -> Sight | None:
    """Return the server whose data are judged: the primary, or else the one with the newest version."""
    serving = [sight for sight in sights(plan, facts) if sight.serial is not None]
    serving.sort(key=lambda sight: not facts.is_asked_whole(sight.address))
    for sight in serving:
        if sight.server.role == "primary":
            return sight
    best = None
    for sight in serving:
        if best is None or (sight.serial and best.serial and sight.serial.is_newer_than(best.serial)):
            best = sight
    return best


def served(facts: Facts, address: IPAddress, owner: Name, rdtype: RdataType) -> tuple[Rdata, ...] | None:
    """Return one RRset as an address serves it; empty when it says there is none, None when it did not say."""
    probe = facts.probe(address, "udp", owner, rdtype)
    if probe is None or not probe.answered or probe.rcode not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN) or not probe.aa:
        return None
    return probe.rdatas(owner, rdtype)


class HostSight(NamedTuple):
    """What is known of a host that an MX or NS record names.

    Attributes:
        addresses: None when nobody could say.
        alias: the name that it is an alias of.
        probes: the answers this rests on.

    """

    addresses: tuple[IPAddress, ...] | None
    alias: Name | None
    probes: tuple[Probe, ...]


@remembered
def host_sight(plan: Plan, facts: Facts, host: Name) -> HostSight:
    """Look a host up in the facts: names of the domain at the source of truth, others through the resolver."""
    kinds = (RdataType.A, RdataType.AAAA)
    if host.is_subdomain(plan.domain):
        truth = source_of_truth(plan, facts)
        found = [facts.probe(truth.address, "udp", host, kind) for kind in kinds] if truth else []
        probes = tuple(p for p in found if p and p.answered and p.aa)
        if not any(p.answer for p in probes) and any(p and p.outcome is Outcome.SILENT for p in found):
            return HostSight(None, None, probes)  # the address may be what it was silent about
    else:
        probes = tuple(p for p in facts.at_rung("resolver") if p.qname == host and p.qtype in kinds and p.answered)
    usable = tuple(p for p in probes if p.rcode in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN))
    if not usable:
        return HostSight(None, None, probes)
    records = [record for probe in usable for record in probe.answer]
    alias = next((r.rdata.target for r in records if r.rdtype == RdataType.CNAME and r.owner == host), None)  # type: ignore[attr-defined]  # CNAME
    addresses = tuple(ip_address(r.rdata.to_text()) for r in records if r.rdtype in kinds)
    return HostSight(addresses, alias, usable)


@remembered
def mail_exchangers(plan: Plan, facts: Facts) -> tuple[Name, ...] | None:
    """Return the hosts that the served MX names, the preferred first; None when no server could say."""
    truth = source_of_truth(plan, facts)
    found = served(facts, truth.address, plan.domain, RdataType.MX) if truth else None
    if found is None:
        return None
    return tuple(rdata.exchange for rdata in sorted(found, key=lambda rdata: rdata.preference))  # type: ignore[attr-defined]  # MX


def plans_no_mail(facts: Facts) -> bool:
    """Tell whether the plan means that no mail is taken: no MX at all, or a null MX (RFC 7505)."""
    return all(rdata.exchange == dns.name.root for rdata in facts.expects(facts.domain, RdataType.MX))  # type: ignore[attr-defined]  # MX
