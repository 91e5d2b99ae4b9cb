"""Small changes to a zone, as a person with an editor makes them; each returns a new zone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dns.rdatatype import RdataType

from mailname.zone import Serial, Zone, ZoneBuilder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dns.name import Name
    from dns.rdata import Rdata


def raised(zone: Zone, serial: Serial) -> Zone:
    """Return the zone with this serial and the same content."""
    builder = ZoneBuilder(zone.apex)
    for rrset in zone.rrsets():
        for rdata in rrset.rdatas:
            is_soa = rrset.rdtype == RdataType.SOA
            builder.add(rrset.owner, rrset.ttl, rdata.replace(serial=serial.value) if is_soa else rdata)
    return builder.build()


def with_timers(zone: Zone, **seconds: int) -> Zone:
    """Return the zone with other numbers in its SOA: ``refresh``, ``retry``, ``expire``, ``minimum``."""
    builder = ZoneBuilder(zone.apex)
    for rrset in zone.rrsets():
        for rdata in rrset.rdatas:
            builder.add(rrset.owner, rrset.ttl, rdata.replace(**seconds) if rrset.rdtype == RdataType.SOA else rdata)
    return builder.build()


def without(zone: Zone, owner: Name, rdtype: RdataType) -> Zone:
    """Return the zone without one RRset."""
    builder = ZoneBuilder(zone.apex)
    for rrset in zone.rrsets():
        if (rrset.owner, rrset.rdtype) != (owner, rdtype):
            for rdata in rrset.rdatas:
                builder.add(rrset.owner, rrset.ttl, rdata)
    return builder.build()


def replaced(zone: Zone, owner: Name, rdatas: Sequence[Rdata]) -> Zone:
    """Return the zone with one RRset's data in place of those that it has."""
    builder = ZoneBuilder(zone.apex)
    for rrset in zone.rrsets():
        found = rdatas if (rrset.owner, rrset.rdtype) == (owner, rdatas[0].rdtype) else rrset.rdatas
        for rdata in found:
            builder.add(rrset.owner, rrset.ttl, rdata)
    return builder.build()


def added(zone: Zone, owner: Name, rdata: Rdata) -> Zone:
    """Return the zone with one more record, which takes the TTL of the apex's NS records."""
    builder = ZoneBuilder(zone.apex)
    for rrset in zone.rrsets():
        for known in rrset.rdatas:
            builder.add(rrset.owner, rrset.ttl, known)
    ns = zone.rrset(zone.apex, RdataType.NS)
    builder.add(owner, ns.ttl if ns else zone.soa.ttl, rdata)
    return builder.build()
