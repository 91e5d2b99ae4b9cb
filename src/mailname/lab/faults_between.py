"""Faults between the name servers. Each publishes after the break, so that the secondary is truly behind."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dns.name import Name
from dns.rdatatype import RdataType

from mailname.lab.breaking import (
    addresses_of,
    first_mail_host,
    first_secondary,
    mx_rdata,
    publish_while_down,
    wait_for_failure,
    with_key,
)
from mailname.lab.fault import fault
from mailname.lab.zone_edit import added, raised, without
from mailname.wire.tsig_key import make_key

if TYPE_CHECKING:
    from mailname.lab.lab import Lab


@fault(
    "XFER-01",
    "The primary does not allow the secondary to transfer: its address is missing in the primary's list.",
    "secondary",
)
async def transfer_refused(lab: Lab) -> None:
    """Take the secondary out of the primary's list, then publish."""
    server = first_secondary(lab)
    forgotten = frozenset(addresses_of(server))
    zones = tuple(
        replace(zone, secondaries=tuple(peer for peer in zone.secondaries if peer.address not in forgotten))
        for zone in lab.primary.config.zones
    )
    await publish_while_down(lab, server, replace(lab.primary.config, zones=zones), server.config)


@fault("XFER-02", "The secondary's TSIG key is not the primary's: same name, other secret.", "secondary")
async def wrong_key(lab: Lab) -> None:
    """Give both servers a key of the same name with different secrets, then publish."""
    server = first_secondary(lab)
    configured = lab.plan.transfer_key
    name = configured.name if configured is not None else Name((b"transfer", *lab.plan.domain.labels))
    algorithm = configured.algorithm if configured is not None else "hmac-sha256"
    others = frozenset(addresses_of(server))
    right = lab.primary.config.keys.get(name) or make_key(name, algorithm)
    primary = with_key(lab.primary.config, right, others)
    secondary = with_key(server.config, make_key(name, algorithm), frozenset(addresses_of(lab.primary)))
    await publish_while_down(lab, server, primary, secondary)


@fault("XFER-03", "NOTIFY does not reach the secondary: it asks by itself only when its refresh time comes.", "secondary")
async def notify_lost(lab: Lab) -> None:
    """Drop UDP from the primary to a secondary, then publish."""
    server = first_secondary(lab)
    lab.network.paths.cut(addresses_of(lab.primary), addresses_of(server), "udp")
    await lab.primary.restart()  # a socket that is open already would be let through
    await lab.publish()
    await lab.wait_for_secondaries(but=(server,))


@fault(
    "XFER-04",
    "A packet filter drops TCP from the secondary to the primary: NOTIFY and the SOA pass, the transfer does not.",
    "secondary",
)
async def transfer_tcp_blocked(lab: Lab) -> None:
    """Drop TCP from a secondary to the primary, then publish."""
    server = first_secondary(lab)
    lab.network.paths.cut(addresses_of(server), addresses_of(lab.primary), "tcp")
    await server.restart()  # a connection that is open already would be let through
    await lab.publish()
    await wait_for_failure(lab, server)


@fault(
    "SERIAL-01",
    "The zone file was edited by hand and its serial was not raised: the secondary has no reason to fetch it.",
    "secondary",
    "mail host",
)
async def serial_not_raised(lab: Lab) -> None:
    """Publish an older preference of the MX, then put the plan's content under the same serial."""
    host = first_mail_host(lab)
    now = lab.desired(lab.serial_now)[0]
    older = added(without(now, lab.plan.domain, RdataType.MX), lab.plan.domain, mx_rdata(host.preference + 10, host.name))
    await lab.publish(older)
    await lab.wait_for_secondaries()
    await lab.load((raised(now, lab.serial_now),))


@fault("XFER-02", "The secondary signs with a key of another name than the primary's.", "secondary")
async def key_of_another_name(lab: Lab) -> None:
    """Give both servers a key, each under its own name, then publish."""
    server = first_secondary(lab)
    right = make_key(Name((b"ours", *lab.plan.domain.labels)))
    wrong = make_key(Name((b"theirs", *lab.plan.domain.labels)))
    primary = with_key(lab.primary.config, right, addresses_of(server))
    await publish_while_down(lab, server, primary, with_key(server.config, wrong, addresses_of(lab.primary)))


@fault("XFER-01", "The secondary does not sign, and the primary gives the zone to who signs.", "secondary")
async def key_forgotten(lab: Lab) -> None:
    """Give the primary a key alone, then publish."""
    server = first_secondary(lab)
    key = make_key(Name((b"forgotten", *lab.plan.domain.labels)))
    zones = tuple(
        replace(zone, primaries=tuple(replace(peer, key=None) for peer in zone.primaries)) for zone in server.config.zones
    )
    primary = with_key(lab.primary.config, key, addresses_of(server))
    await publish_while_down(lab, server, primary, replace(server.config, zones=zones))


@fault("XFER-06", "The clock of the secondary is an hour ahead: its signatures are too young for the primary.", "secondary")
async def clock_ahead(lab: Lab) -> None:
    """Give both servers the same key, move one clock, then publish."""
    server = first_secondary(lab)
    key = make_key(Name((b"timed", *lab.plan.domain.labels)))
    primary = with_key(lab.primary.config, key, addresses_of(server))
    server.clock.move(3600.0)
    await publish_while_down(lab, server, primary, with_key(server.config, key, addresses_of(lab.primary)))


@fault("XFER-05", "The secondary asks at an address where no primary is: the primary has moved, and nobody told it.", "secondary")
async def primary_elsewhere(lab: Lab) -> None:
    """Let the secondary ask where nobody is, then publish."""
    server = first_secondary(lab)
    zones = tuple(
        replace(zone, primaries=tuple(replace(peer, address=lab.addresses.nobody) for peer in zone.primaries[:1]))
        for zone in server.config.zones
    )
    await publish_while_down(lab, server, lab.primary.config, replace(server.config, zones=zones))
