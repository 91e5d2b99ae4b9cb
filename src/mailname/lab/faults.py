"""The faults that a rehearsal can inject: each breaks one thing, as it breaks in real life, and names the cause to be found.

A fault acts on the world (registry, paths, configuration files, zone content), never on what a server answers. Those of
replication publish a new version after the break, so that the secondary is truly behind.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from ipaddress import IPv6Address
from typing import TYPE_CHECKING, Literal, cast

import dns.name
from dns.name import Name
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType
from dns.rdtypes.ANY.MX import MX

from mailname.errors import HostError
from mailname.lab.zone_edit import added, raised, without
from mailname.wire.tsig_key import make_key

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from mailname.lab.lab import Lab
    from mailname.lab.name_server import LabNameServer
    from mailname.plan import Plan
    from mailname.plan.model import MailHost
    from mailname.server.config import ServerConfig
    from mailname.server.network import IPAddress
    from mailname.wire.tsig_key import Key
    from mailname.zone import Zone

    Break = Callable[[Lab], Awaitable[None]]

Need = Literal["glue", "secondary", "mail host"]

# From 2001:2::/48, which RFC 5180 sets aside for benchmarks: nobody in the lab has it.
NOBODY6 = IPv6Address("2001:2::53")


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to break the world.

    Attributes:
        name: what ``--break`` calls it.
        cause: the code of the cause that the check must find.
        says: what happened, in one sentence.
        inject: does it, and waits until it has had its effect.
        needs: what the plan must have, or it cannot break this way.

    """

    name: str
    cause: str
    says: str
    inject: Break
    needs: tuple[Need, ...] = ()

    def refuse(self, plan: Plan) -> None:
        """Raise HostError when this plan has nothing that could break this way."""
        for need in self.needs:
            if not _HAS[need](plan):
                problem = f"the fault '{self.name}' cannot be injected: {_LACKS[need]}"
                raise HostError(problem, remedy="See the others: mailname rehearse --list-faults", step="break")


FAULTS: dict[str, Fault] = {}


_HAS: dict[Need, Callable[[Plan], bool]] = {
    "glue": lambda plan: any(server.name.is_subdomain(plan.domain) for server in plan.name_servers),
    "secondary": lambda plan: bool(plan.secondaries),
    "mail host": lambda plan: bool(plan.mail_hosts),
}
_LACKS: dict[Need, str] = {
    "glue": "no name server of this plan is in the domain, so none needs glue",
    "secondary": "this plan has no secondary",
    "mail host": "this plan has no mail host",
}


def _fault(cause: str, says: str, *needs: Need) -> Callable[[Break], Break]:
    """Enter a function as the fault of its name, which ``needs`` this of a plan."""

    def enter(inject: Break) -> Break:
        name = inject.__name__.replace("_", "-")
        FAULTS[name] = Fault(name, cause, says, inject, needs)
        return inject

    return enter


def find_fault(name: str) -> Fault:
    """Return a fault by its name.

    Raises:
        HostError: there is none of that name; with the nearest one.

    """
    if name in FAULTS:
        return FAULTS[name]
    import difflib

    close = difflib.get_close_matches(name, FAULTS, n=1)
    raise HostError(
        f"there is no fault '{name}'",
        remedy=f"Did you mean '{close[0]}'?" if close else "See them all: mailname rehearse --list-faults",
        step="break",
    )


# At the registrar.


@_fault(
    "DELEG-02",
    "The registrar has the name servers' names, but no host record with their addresses: the TLD gives no glue.",
    "glue",
)
async def glue_missing(lab: Lab) -> None:
    """Take all glue away."""
    entry = lab.wanted_registration()
    lab.register(replace(entry, glue=()))


@_fault(
    "DELEG-03",
    "The registrar has a wrong address for one name server: the glue leads to a machine that is none of ours.",
    "glue",
)
async def glue_wrong(lab: Lab) -> None:
    """Replace the addresses of the first name server that has glue."""
    entry = lab.wanted_registration()
    host, right = entry.glue[0]
    wrong = [lab.addresses.nobody if address.version == 4 else NOBODY6 for address in right]
    lab.register(entry.with_glue(host, tuple(dict.fromkeys(wrong))))


@_fault("DELEG-04", "The registrar's list of name servers is not the zone's: one name was never entered.")
async def ns_set_differs(lab: Lab) -> None:
    """Leave the last name server out at the registrar; where there is one only, add one that the zone does not have."""
    entry = lab.wanted_registration()
    if len(entry.name_servers) == 1:
        extra = Name((b"old-provider", *lab.plan.domain.labels))
        addresses = lab.plan.primary.addresses
        lab.register(replace(entry, name_servers=(*entry.name_servers, extra), glue=(*entry.glue, (extra, addresses))))
        return
    *kept, left_out = entry.name_servers
    lab.register(replace(entry, name_servers=tuple(kept)).with_glue(left_out, ()))


@_fault("DELEG-01", "The domain is not registered: the registration has expired, or was never finished.")
async def not_registered(lab: Lab) -> None:
    """Delete the domain at the registry."""
    lab.internet.registry.delete(lab.plan.domain)
    lab.internet.publish()


# At one name server.


@_fault("NS-01", "The name server program on one machine has stopped.")
async def server_down(lab: Lab) -> None:
    """Stop a server."""
    await _victim(lab).stop()


@_fault("NS-02", "A packet filter in front of one name server drops TCP to port 53; UDP passes.")
async def tcp_blocked(lab: Lab) -> None:
    """Silence one server's TCP port."""
    server = _victim(lab)
    for at in server.config.listen:
        lab.network.paths.silence(at, "tcp")
    await _restart(lab, server)


@_fault("NS-03", "A packet filter in front of one name server drops UDP to port 53; TCP passes.")
async def udp_blocked(lab: Lab) -> None:
    """Silence one server's UDP port."""
    server = _victim(lab)
    for at in server.config.listen:
        lab.network.paths.silence(at, "udp")
    await _restart(lab, server)


@_fault("NS-04", "One name server runs without the zone in its configuration.")
async def zone_not_loaded(lab: Lab) -> None:
    """Take the zones out of one server's configuration."""
    server = _victim(lab)
    await server.restart(replace(server.config, zones=()))


@_fault("NS-05", "A secondary could not reach the primary for so long that its copy of the zone expired.", "secondary")
async def secondary_expired(lab: Lab) -> None:
    """Cut a secondary off from the primary, and let its time run past the SOA's expire."""
    server = _secondary(lab)
    lab.network.paths.cut(_addresses(server), _addresses(lab.primary), "udp", "tcp")
    server.clock.move(lab.plan.soa.expire + 1.0)
    await lab.until(lambda: server.zone_status(lab.plan.domain).get("state") == "expired")


# Between the name servers.


@_fault(
    "XFER-01",
    "The primary does not allow the secondary to transfer: its address is missing in the primary's list.",
    "secondary",
)
async def transfer_refused(lab: Lab) -> None:
    """Take the secondary out of the primary's list, then publish."""
    server = _secondary(lab)
    forgotten = frozenset(_addresses(server))
    zones = tuple(
        replace(zone, secondaries=tuple(peer for peer in zone.secondaries if peer.address not in forgotten))
        for zone in lab.primary.config.zones
    )
    await _publish_while_down(lab, server, replace(lab.primary.config, zones=zones), server.config)


@_fault("XFER-02", "The secondary's TSIG key is not the primary's: same name, other secret.", "secondary")
async def wrong_key(lab: Lab) -> None:
    """Give both servers a key of the same name with different secrets, then publish."""
    server = _secondary(lab)
    configured = lab.plan.transfer_key
    name = configured.name if configured is not None else Name((b"transfer", *lab.plan.domain.labels))
    algorithm = configured.algorithm if configured is not None else "hmac-sha256"
    others = frozenset(_addresses(server))
    right = lab.primary.config.keys.get(name) or make_key(name, algorithm)
    primary = _with_key(lab.primary.config, right, others)
    secondary = _with_key(server.config, make_key(name, algorithm), frozenset(_addresses(lab.primary)))
    await _publish_while_down(lab, server, primary, secondary)


@_fault("XFER-03", "NOTIFY does not reach the secondary: it asks by itself only when its refresh time comes.", "secondary")
async def notify_lost(lab: Lab) -> None:
    """Drop UDP from the primary to a secondary, then publish."""
    server = _secondary(lab)
    lab.network.paths.cut(_addresses(lab.primary), _addresses(server), "udp")
    await lab.publish()
    await lab.wait_for_secondaries(but=(server,))


@_fault(
    "XFER-04",
    "A packet filter drops TCP from the secondary to the primary: NOTIFY and the SOA pass, the transfer does not.",
    "secondary",
)
async def transfer_tcp_blocked(lab: Lab) -> None:
    """Drop TCP from a secondary to the primary, then publish."""
    server = _secondary(lab)
    lab.network.paths.cut(_addresses(server), _addresses(lab.primary), "tcp")
    await lab.publish()
    await _wait_for_failure(lab, server)


@_fault(
    "SERIAL-01",
    "The zone file was edited by hand and its serial was not raised: the secondary has no reason to fetch it.",
    "secondary",
    "mail host",
)
async def serial_not_raised(lab: Lab) -> None:
    """Publish an older preference of the MX, then put the plan's content under the same serial."""
    host = _first_mail_host(lab)
    now = lab.desired(lab.serial_now)[0]
    older = added(without(now, lab.plan.domain, RdataType.MX), lab.plan.domain, _mx(host.preference + 10, host.name))
    await lab.publish(older)
    await lab.wait_for_secondaries()
    await lab.load((raised(now, lab.serial_now),))


# In the zone, and at the mail host.


@_fault("MX-01", "The zone was published without an MX record.", "mail host")
async def mx_missing(lab: Lab) -> None:
    """Publish the zone without its MX."""
    await _publish(lab, without(_zone(lab), lab.plan.domain, RdataType.MX))


@_fault("MX-02", "The MX names a host that has no address.", "mail host")
async def mx_no_address(lab: Lab) -> None:
    """Take the preferred mail host's addresses away; where others need them, let the MX name a host that has none."""
    host = _first_mail_host(lab)
    zone = _zone(lab)
    is_name_server = any(server.name == host.name for server in lab.plan.name_servers)
    if host.name.is_subdomain(lab.plan.domain) and host.name != lab.plan.domain and not is_name_server:
        for rdtype in (RdataType.A, RdataType.AAAA, RdataType.CNAME):
            zone = without(zone, host.name, rdtype)
        await _publish(lab, zone)
        return
    nowhere = Name((b"nowhere", *lab.plan.domain.labels))
    await _publish(lab, _with_mx_to(lab, zone, host, nowhere))


@_fault("MAIL-01", "The mail server program has stopped: nobody listens on port 25.", "mail host")
async def mail_host_down(lab: Lab) -> None:
    """Stop what listens at the preferred mail host's addresses."""
    host = _first_mail_host(lab)
    for address in lab.mail_addresses(host):
        await lab.mail_hosts[address].stop()
        for at in lab.mail_hosts[address].at:
            lab.network.reserve(at)


@_fault("ZONE-01", "In the zone file the MX's target lost its trailing dot: the domain was appended to it again.", "mail host")
async def trailing_dot(lab: Lab) -> None:
    """Publish the zone with an MX to HOST.DOMAIN.DOMAIN."""
    host = _first_mail_host(lab)
    doubled = host.name.relativize(dns.name.root).derelativize(lab.plan.domain)
    await _publish(lab, _with_mx_to(lab, _zone(lab), host, doubled))


def _victim(lab: Lab) -> LabNameServer:
    """Return the server to break: a secondary, so that the others' content stays as planned."""
    return lab.secondaries[0] if lab.secondaries else lab.primary


def _secondary(lab: Lab) -> LabNameServer:
    return lab.secondaries[0]


def _first_mail_host(lab: Lab) -> MailHost:
    hosts: tuple[MailHost, ...] = lab.plan.mail_hosts
    return min(hosts, key=lambda host: host.preference)


def _addresses(server: LabNameServer) -> tuple[IPAddress, ...]:
    return tuple(at.address for at in server.config.listen)


def _zone(lab: Lab) -> Zone:
    return lab.desired(lab.serial_now)[0]


def _mx(preference: int, host: Name) -> MX:
    return MX(RdataClass.IN, RdataType.MX, preference, host)


def _with_mx_to(lab: Lab, zone: Zone, host: MailHost, target: Name) -> Zone:
    """Let the MX of one mail host name another target; the other mail hosts stay."""
    apex = lab.plan.domain
    rrset = zone.rrset(apex, RdataType.MX)
    kept = [cast("MX", rdata) for rdata in rrset.rdatas] if rrset else []
    zone = without(zone, apex, RdataType.MX)
    for mx in kept:
        zone = added(zone, apex, _mx(mx.preference, target if mx.exchange == host.name else mx.exchange))
    return zone


async def _restart(lab: Lab, server: LabNameServer) -> None:
    """Start a server again as it was, and let it settle."""
    await server.restart()
    await lab.wait_for_secondaries()


async def _publish(lab: Lab, zone: Zone) -> None:
    await lab.publish(zone)
    await lab.wait_for_secondaries()


async def _publish_while_down(lab: Lab, server: LabNameServer, primary: ServerConfig, secondary: ServerConfig) -> None:
    """Publish with the broken configurations; the secondary, started again, asks for the new version at once and fails."""
    await server.stop()
    await lab.primary.restart(primary)
    await lab.publish()
    await server.start(secondary)
    await _wait_for_failure(lab, server)
    await lab.wait_for_secondaries(but=(server,))


async def _wait_for_failure(lab: Lab, server: LabNameServer) -> None:
    def has_failed() -> bool:
        status = server.zone_status(lab.plan.domain)
        return bool(status.get("last_failure")) and not status.get("busy")

    await lab.until(has_failed)


def _with_key(config: ServerConfig, key: Key, peers: Iterable[IPAddress]) -> ServerConfig:
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
