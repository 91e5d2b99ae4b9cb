"""The registry of one TLD: what registrars entered, and the TLD zone that follows from it.

The zone is made anew from the entries on every change, as registries do; so a fault at the registrar ("forgot the glue") is an
entry that differs, never a zone that was bent by hand.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dns.name import Name
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType
from dns.rdtypes.ANY.NS import NS
from dns.rdtypes.ANY.PTR import PTR
from dns.rdtypes.ANY.SOA import SOA
from dns.rdtypes.IN.A import A
from dns.rdtypes.IN.AAAA import AAAA

from mailname.zone import Zone, ZoneBuilder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dns.rdata import Rdata

    from mailname.server.network import IPAddress

# Seconds. A delegation may be remembered for an hour, as at most gTLDs; that a name is missing, for a minute.
TTL = 3600
NEGATIVE_TTL = 60

Hosts = tuple[tuple[Name, tuple["IPAddress", ...]], ...]


@dataclass(frozen=True, slots=True)
class Registration:
    """What stands at the registrar for one domain: name servers in order, addresses of those that need glue, DS records."""

    domain: Name
    name_servers: tuple[Name, ...]
    glue: Hosts = ()
    ds: tuple[Rdata, ...] = ()

    def with_glue(self, host: Name, addresses: tuple[IPAddress, ...]) -> Registration:
        """Return the entry with other addresses for one host; none means no glue."""
        glue = tuple((name, addresses if name == host else known) for name, known in self.glue)
        return replace(self, glue=tuple((name, known) for name, known in glue if known))


class Registry:
    """Holds the registrations of one TLD and makes its zone."""

    def __init__(self, apex: Name, servers: Hosts, hosts: Hosts = ()) -> None:
        """Set up a TLD.

        Args:
            apex: the TLD, or the root: its registrations are the TLDs.
            servers: the name servers of the zone itself.
            hosts: further names with addresses that stand in the zone itself.

        """
        self.apex = apex
        self.servers = servers
        self._hosts = hosts
        self._entries: dict[Name, Registration] = {}
        self._pointers: dict[Name, Name] = {}
        self._serial = 0

    def entry(self, domain: Name) -> Registration | None:
        """Return what is registered for a domain."""
        return self._entries.get(domain)

    def register(self, entry: Registration) -> None:
        """Enter a domain, or change its entry."""
        self._entries[entry.domain] = entry

    def delete(self, domain: Name) -> None:
        """Take a domain out."""
        self._entries.pop(domain, None)

    def point(self, owner: Name, target: Name | None) -> None:
        """Let an address's reverse name point to a host, or to none."""
        if target is None:
            self._pointers.pop(owner, None)
        else:
            self._pointers[owner] = target

    def zone(self) -> Zone:
        """Make the zone of all entries, with a serial above the last one's."""
        self._serial += 1
        builder = ZoneBuilder(self.apex)
        builder.add(self.apex, TTL, _soa(self.apex, self.servers[0][0], self._serial))
        for server, _ in self.servers:
            builder.add(self.apex, TTL, NS(RdataClass.IN, RdataType.NS, server))
        for host, addresses in (*self.servers, *self._hosts):
            for address in addresses:
                builder.add(host, TTL, address_rdata(address))
        for owner, target in self._pointers.items():
            if not any(owner.is_subdomain(apex) for apex in self._entries):
                builder.add(owner, TTL, PTR(RdataClass.IN, RdataType.PTR, target))
        for entry in self._entries.values():
            for server in entry.name_servers:
                builder.add(entry.domain, TTL, NS(RdataClass.IN, RdataType.NS, server))
            for ds in entry.ds:
                builder.add(entry.domain, TTL, ds)
            for host, addresses in entry.glue:
                for address in addresses:
                    builder.add(host, TTL, address_rdata(address))
        return builder.build()


def address_rdata(address: IPAddress) -> Rdata:
    """Return the A or AAAA record's data for an address."""
    if address.version == 4:
        return A(RdataClass.IN, RdataType.A, str(address))
    return AAAA(RdataClass.IN, RdataType.AAAA, str(address))


def host_zone(apex: Name, server: Name, hosts: Mapping[Name, tuple[IPAddress, ...]]) -> Zone:
    """Make a small zone that holds nothing but hosts: one name server, which is among the hosts."""
    builder = ZoneBuilder(apex)
    builder.add(apex, TTL, _soa(apex, server, 1))
    builder.add(apex, TTL, NS(RdataClass.IN, RdataType.NS, server))
    for host, addresses in hosts.items():
        for address in addresses:
            builder.add(host, TTL, address_rdata(address))
    return builder.build()


def _soa(apex: Name, mname: Name, serial: int) -> SOA:
    rname = Name((b"hostmaster", *apex.labels))
    return SOA(RdataClass.IN, RdataType.SOA, mname, rname, serial, 14400, 3600, 604800, NEGATIVE_TTL)
