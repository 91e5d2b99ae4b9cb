"""The hosts that a plan names, and where each of them is in the lab's world."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from dns.rdatatype import RdataType

from mailname.plan import expand
from mailname.zone import Serial

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dns.name import Name

    from mailname.plan import MailHost, Plan
    from mailname.server.network import IPAddress

_ADDRESSES = (RdataType.A, RdataType.AAAA)


def all_hosts(plan: Plan) -> tuple[tuple[Name, tuple[IPAddress, ...]], ...]:
    """Return every host that the plan names, with the addresses that it gives there."""
    servers = tuple((server.name, server.addresses) for server in plan.name_servers)
    return servers + tuple((host.name, host.addresses) for host in plan.mail_hosts)


def taken_addresses(plan: Plan) -> frozenset[IPAddress]:
    """Return the addresses that the lab must leave to the plan."""
    return frozenset([*plan.website, *(address for _, addresses in all_hosts(plan) for address in addresses)])


def foreign_hosts(plan: Plan, spare: Iterable[IPAddress]) -> dict[Name, tuple[IPAddress, ...]]:
    """Return the plan's hosts outside the domain. One whose addresses the plan does not know gets a spare one."""
    hosts: dict[Name, tuple[IPAddress, ...]] = {}
    for name, addresses in all_hosts(plan):
        if not plan.holds(name):
            hosts[name] = tuple(dict.fromkeys((*hosts.get(name, ()), *addresses)))
    unused = iter(spare)
    return {name: addresses or (next(unused),) for name, addresses in hosts.items()}


def mail_addresses(plan: Plan, host: MailHost, foreign: dict[Name, tuple[IPAddress, ...]]) -> tuple[IPAddress, ...]:
    """Return where a mail host is: what the zone says of one in the domain, what the lab says of another."""
    if host.name in foreign:
        return foreign[host.name]
    zone = expand(plan, Serial(0))
    rrsets = (zone.lookup(host.name, rdtype).rrset for rdtype in _ADDRESSES)
    found = [rrset for rrset in rrsets if rrset is not None and rrset.rdtype in _ADDRESSES]
    return tuple(ip_address(rdata.to_text()) for rrset in found for rdata in rrset.rdatas)
