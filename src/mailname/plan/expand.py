"""From a plan to its zones: the forward zone, and the reverse zones where the address space is one's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import dns.reversename
from dns.rdataclass import IN
from dns.rdatatype import RdataType
from dns.rdtypes.ANY.NS import NS
from dns.rdtypes.ANY.PTR import PTR
from dns.rdtypes.ANY.SOA import SOA
from dns.rdtypes.IN.A import A
from dns.rdtypes.IN.AAAA import AAAA

from mailname.mail.mx import mx
from mailname.plan.prefixes import reverse_apex
from mailname.plan.user_records import read_rdata, read_type
from mailname.zone import Serial, Zone, ZoneBuilder
from mailname.zone.text import read_records

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dns.name import Name

    from mailname.plan.address import IPAddress
    from mailname.plan.model import Plan, ReverseZone


def expand(plan: Plan, serial: Serial) -> Zone:
    """Return the forward zone that a plan means, with this serial."""
    ttls = _Ttls({(one.name, one.type): one.ttl for one in plan.other_ttls}, plan.ttl)
    builder = _begin(plan, plan.domain, serial, ttls)
    _add_addresses(builder, plan.domain, ttls, plan.website)
    for host in sorted(plan.mail_hosts, key=lambda host: host.preference):
        builder.add(plan.domain, ttls.of(plan.domain, "MX"), mx(host.preference, host.name))
    for named, addresses in _hosts(plan):
        if plan.holds(named):
            _add_addresses(builder, named, ttls, addresses)
    for record in plan.records:
        rdtype = read_type(record.type)
        for data in record.data:
            ttl = plan.ttl if record.ttl is None else record.ttl
            builder.add(record.name, ttl, read_rdata(rdtype, data, plan.domain))
    for entry in read_records(plan.zone_text, "zone_text", plan.domain, default_ttl=plan.ttl).records:
        builder.add(entry.owner, entry.ttl, entry.rdata)
    return builder.build()


def expand_all(plan: Plan, serial: Serial) -> tuple[Zone, ...]:
    """Return the forward zone and, in the plan's order, the reverse zones."""
    return (expand(plan, serial), *(_reverse(plan, zone, serial) for zone in plan.reverse_zones))


def pointers(plan: Plan) -> dict[IPAddress, Name]:
    """Return the one name that each address of the plan points back to.

    A mail host's name wins over a name server's, and that over the domain's: other mail servers compare the PTR with the name
    that the mail host greets with.
    """
    found: dict[IPAddress, Name] = {}
    mail_hosts_first = sorted(_hosts(plan), key=lambda host: host[0] not in {mail.name for mail in plan.mail_hosts})
    for name, addresses in mail_hosts_first:
        for address in addresses:
            found.setdefault(address, name)
    for address in plan.website:
        found.setdefault(address, plan.domain)
    return found


def _hosts(plan: Plan) -> list[tuple[Name, tuple[IPAddress, ...]]]:
    servers = [(server.name, server.addresses) for server in plan.name_servers]
    return servers + [(host.name, host.addresses) for host in plan.mail_hosts]


@dataclass(frozen=True, slots=True)
class _Ttls:
    """The TTLs of what the plan's own tables make."""

    others: Mapping[tuple[Name, str], int]
    usual: int

    def of(self, owner: Name, rdtype: str) -> int:
        return self.others.get((owner, rdtype), self.usual)


def _begin(plan: Plan, apex: Name, serial: Serial, ttls: _Ttls) -> ZoneBuilder:
    """Start a zone with SOA and NS; the MNAME is the primary (RFC 1035 section 3.3.13)."""
    builder = ZoneBuilder(apex)
    soa = plan.soa
    builder.add(
        apex,
        ttls.of(apex, "SOA"),
        SOA(
            IN,
            RdataType.SOA,
            plan.primary.name,
            plan.rname,
            int(serial),
            soa.refresh,
            soa.retry,
            soa.expire,
            soa.minimum,
        ),
    )
    for server in plan.name_servers:
        builder.add(apex, ttls.of(apex, "NS"), NS(IN, RdataType.NS, server.name))
    return builder


def _add_addresses(builder: ZoneBuilder, owner: Name, ttls: _Ttls, addresses: Iterable[IPAddress]) -> None:
    for address in addresses:
        if address.version == 4:
            builder.add(owner, ttls.of(owner, "A"), A(IN, RdataType.A, str(address)))
        else:
            builder.add(owner, ttls.of(owner, "AAAA"), AAAA(IN, RdataType.AAAA, str(address)))


def _reverse(plan: Plan, zone: ReverseZone, serial: Serial) -> Zone:
    builder = _begin(plan, reverse_apex(zone.prefix), serial, _Ttls({}, plan.ttl))
    pointed = {address: name for address, name in pointers(plan).items() if address in zone.prefix}
    pointed |= {pointer.address: pointer.name for pointer in zone.ptr}
    for address in sorted(pointed, key=int):
        builder.add(dns.reversename.from_address(str(address)), plan.ttl, PTR(IN, RdataType.PTR, pointed[address]))
    return builder.build()
