"""The moves that faults are made of: whom to break, what to publish, how long to wait for the effect."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType
from dns.rdtypes.ANY.MX import MX

from mailname.lab.zone_edit import added, without
from mailname.zone.text import read_records

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dns.name import Name

    from mailname.lab.lab import Lab
    from mailname.lab.name_server import LabNameServer
    from mailname.plan.model import MailHost
    from mailname.server.config import ServerConfig
    from mailname.server.network import Endpoint, IPAddress
    from mailname.wire.tsig import Key
    from mailname.zone import Zone


def victim(lab: Lab) -> LabNameServer:
    """Return the server to break: the one aimed at, or else a secondary, so that the others' content stays as planned."""
    return lab.aim.server or (lab.secondaries[0] if lab.secondaries else lab.primary)


def victim_endpoints(lab: Lab) -> tuple[Endpoint, ...]:
    """Return where the server to break listens, in the address family that was aimed at."""
    return tuple(at for at in victim(lab).config.listen if lab.aim.version in (None, at.address.version))


def first_secondary(lab: Lab) -> LabNameServer:
    """Return the secondary to break: the one aimed at, or else the first."""
    return lab.aim.server if lab.aim.server in lab.secondaries else lab.secondaries[0]


def first_mail_host(lab: Lab) -> MailHost:
    """Return the preferred mail host."""
    hosts: tuple[MailHost, ...] = lab.plan.mail_hosts
    return min(hosts, key=lambda host: host.preference)


def addresses_of(server: LabNameServer) -> tuple[IPAddress, ...]:
    """Return where a server listens."""
    return tuple(at.address for at in server.config.listen)


def planned_zone(lab: Lab) -> Zone:
    """Return the zone as the plan means it."""
    return lab.desired(lab.serial_now)[0]


def mx_rdata(preference: int, host: Name) -> MX:
    """Return the data of an MX record."""
    return MX(RdataClass.IN, RdataType.MX, preference, host)


def with_mx_to(lab: Lab, zone: Zone, host: MailHost, target: Name) -> Zone:
    """Let the MX of one mail host name another target; the other mail hosts stay."""
    apex = lab.plan.domain
    rrset = zone.rrset(apex, RdataType.MX)
    kept = [cast("MX", rdata) for rdata in rrset.rdatas] if rrset else []
    zone = without(zone, apex, RdataType.MX)
    for mx in kept:
        zone = added(zone, apex, mx_rdata(mx.preference, target if mx.exchange == host.name else mx.exchange))
    return zone


async def restart(lab: Lab, server: LabNameServer) -> None:
    """Start a server again as it was, and let it settle."""
    await server.restart()
    await lab.wait_for_secondaries()


async def publish(lab: Lab, zone: Zone) -> None:
    """Publish this zone in place of the plan's, and let it arrive everywhere."""
    await lab.publish(zone)
    await lab.wait_for_secondaries()


async def publish_while_down(lab: Lab, server: LabNameServer, primary: ServerConfig, secondary: ServerConfig) -> None:
    """Publish with the broken configurations; the secondary, started again, asks for the new version at once and fails."""
    await server.stop()
    await lab.primary.restart(primary)
    await lab.publish()
    await server.start(secondary)
    await wait_for_failure(lab, server)
    await lab.wait_for_secondaries(but=(server,))


async def wait_for_failure(lab: Lab, server: LabNameServer) -> None:
    """Wait until a secondary has tried to fetch the zone, in vain."""

    def has_failed() -> bool:
        status = server.zone_status(lab.plan.domain)
        return bool(status.get("last_failure")) and not status.get("busy")

    await lab.until(has_failed)


def with_key(config: ServerConfig, key: Key, peers: Iterable[IPAddress]) -> ServerConfig:
    """Let a server sign what it says to some peers with a key."""
    meant = frozenset(peers)
    zones = tuple(
        replace(
            zone,
            primaries=tuple(replace(peer, key=key.name) if peer.address in meant else peer for peer in zone.primaries),
            secondaries=tuple(replace(peer, key=key.name) if peer.address in meant else peer for peer in zone.secondaries),
        )
        for zone in config.zones
    )
    return replace(config, zones=zones, keys={**config.keys, key.name: key})


def rewritten(lab: Lab, text: str, *gone: tuple[Name, RdataType]) -> Zone:
    """Return the planned zone without some RRsets and with some lines of zone-file text more."""
    zone = planned_zone(lab)
    for owner, rdtype in gone:
        zone = without(zone, owner, rdtype)
    for record in read_records(text, "fault", lab.plan.domain, default_ttl=3600).records:
        zone = added(zone, record.owner, record.rdata)
    return zone
