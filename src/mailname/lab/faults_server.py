"""Faults at one name server: the program, its configuration, or the packet filter in front of it."""

from __future__ import annotations

import struct
from dataclasses import replace
from ipaddress import ip_network
from typing import TYPE_CHECKING

from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType

from mailname.checks.observe_edns import UNKNOWN_OPTION
from mailname.lab.authority import Authority
from mailname.lab.breaking import addresses_of, first_secondary, planned_zone, restart, victim, victim_endpoints, wait_for_failure
from mailname.lab.fault import fault
from mailname.lab.resolver import Resolver
from mailname.server.network import Endpoint

if TYPE_CHECKING:
    from mailname.lab.lab import Lab


_MX = struct.pack("!xHH", RdataType.MX, RdataClass.IN)  # after the root label, which ends the name
_UNKNOWN_OPTION = struct.pack("!HH", UNKNOWN_OPTION, 0)


@fault("NS-01", "The name server program on one machine has stopped.")
async def server_down(lab: Lab) -> None:
    """Stop a server."""
    await victim(lab).stop()


@fault("NS-02", "A packet filter in front of one name server drops TCP to port 53; UDP passes.")
async def tcp_blocked(lab: Lab) -> None:
    """Silence one server's TCP port."""
    for at in victim_endpoints(lab):
        lab.network.paths.silence(at, "tcp")
    await restart(lab, victim(lab))


@fault("NS-03", "A packet filter in front of one name server drops UDP to port 53; TCP passes.")
async def udp_blocked(lab: Lab) -> None:
    """Silence one server's UDP port."""
    for at in victim_endpoints(lab):
        lab.network.paths.silence(at, "udp")
    await restart(lab, victim(lab))


@fault("NS-04", "One name server runs without the zone in its configuration.")
async def zone_not_loaded(lab: Lab) -> None:
    """Take the zones out of one server's configuration."""
    server = victim(lab)
    await server.restart(replace(server.config, zones=()))


@fault("NS-05", "A secondary could not reach the primary for so long that its copy of the zone expired.", "secondary")
async def secondary_expired(lab: Lab) -> None:
    """Cut a secondary off from the primary, and let its time run past the SOA's expire."""
    server = first_secondary(lab)
    lab.network.paths.cut(addresses_of(server), addresses_of(lab.primary), "udp", "tcp")
    server.clock.move(lab.plan.soa.expire + 1.0)
    await lab.until(lambda: server.zone_status(lab.plan.domain).get("state") == "expired")


@fault("NS-01", "A packet filter in front of one name server drops everything to port 53.")
async def port_53_blocked(lab: Lab) -> None:
    """Silence one server's UDP and TCP ports."""
    for at in victim_endpoints(lab):
        lab.network.paths.silence(at, "udp")
        lab.network.paths.silence(at, "tcp")
    await restart(lab, victim(lab))


@fault("NS-01", "All name servers have stopped.")
async def all_servers_down(lab: Lab) -> None:
    """Stop every server."""
    for server in lab.name_servers.values():
        await server.stop()


@fault("NS-08", "One name server lets everybody transfer the zone.")
async def transfer_open(lab: Lab) -> None:
    """Allow transfers to all addresses."""
    server = victim(lab)
    everybody = (ip_network("0.0.0.0/0"), ip_network("::/0"))
    await server.restart(
        replace(server.config, zones=tuple(replace(one, allow_transfer=everybody) for one in server.config.zones))
    )


@fault("NS-06", "In the place of one name server a resolver answers: it has the data, and no authority.")
async def resolver_in_its_place(lab: Lab) -> None:
    """Stop a server, and let a resolver listen at its addresses."""
    server = victim(lab)
    await server.stop()
    for at in server.config.listen:
        await lab.run(Resolver(lab.network, Endpoint(at.address), lab.internet.root_hints))


@fault("NS-09", "The zone file on the primary was edited by hand, and has a mistake: the zone is not loaded any more.")
async def zone_file_broken(lab: Lab) -> None:
    """Write a line that is no record, and reload."""
    file = lab.zone_file
    file.write_text(file.read_text(encoding="utf-8") + "www IN A 192.0.2.1.2\n", encoding="utf-8")
    await lab.primary.reload()


@fault("SERIAL-02", "The primary was restored from an old backup: its serial is lower than the secondary's.", "secondary")
async def primary_restored(lab: Lab) -> None:
    """Publish twice, then start the primary anew with the zone file of before, and without what it remembers."""
    before = lab.zone_file.read_text(encoding="utf-8")
    serial = lab.serial_now
    await lab.publish()
    await lab.wait_for_secondaries()
    await lab.primary.stop()
    lab.zone_file.write_text(before, encoding="utf-8")
    await lab.primary.start(replace(lab.primary.config, state=lab.folder / "restored"))
    lab.serial = serial


@fault("NS-11", "One name server has two addresses, and answers over UDP from the other one.")
async def answers_from_elsewhere(lab: Lab) -> None:
    """Stop a server, and let one listen at its addresses that has the zone and sends from another port and address."""
    server = victim(lab)
    await server.stop()
    stand_in = Authority(lab.network, server.config.listen, answers_from=Endpoint(lab.addresses.provider, 5300))
    stand_in.put(planned_zone(lab))
    await lab.run(stand_in)


@fault("NS-12", "A packet filter in front of one name server drops messages with an EDNS option that it does not know.")
async def unknown_options_dropped(lab: Lab) -> None:
    """Stop a server, and let one listen at its addresses that has the zone and is asked through such a filter."""
    server = victim(lab)
    await server.stop()
    stand_in = Authority(lab.network, server.config.listen)
    stand_in.passes = lambda wire: _UNKNOWN_OPTION not in wire
    stand_in.put(planned_zone(lab))
    await lab.run(stand_in)


@fault("NS-07", "One name server resolves foreign names for everybody, and does not say so (RA).")
async def recursion_without_flag(lab: Lab) -> None:
    """Stop a server, and let one listen at its addresses that has the zone and hands other questions to a resolver."""
    server = victim(lab)
    await server.stop()
    stand_in = Authority(lab.network, server.config.listen)
    stand_in.foreign = Resolver(lab.network, server.config.listen[0], lab.internet.root_hints).resolve
    stand_in.put(planned_zone(lab))
    await lab.run(stand_in)


@fault("NS-13", "A packet filter in front of one name server drops questions for the MX.")
async def mx_questions_dropped(lab: Lab) -> None:
    """Stop a server, and let one listen at its addresses that has the zone and is asked through such a filter."""
    server, filtered = victim(lab), victim_endpoints(lab)
    await server.stop()
    for at in server.config.listen:
        stand_in = Authority(lab.network, (at,))
        if at in filtered:
            stand_in.passes = lambda wire: _MX not in wire
        stand_in.put(planned_zone(lab))
        await lab.run(stand_in)


@fault("XFER-05", "A secondary has not reached the primary for most of a copy's life, and still answers.", "secondary")
async def secondary_cut_off(lab: Lab) -> None:
    """Cut a secondary off from the primary, and let three quarters of the SOA's expire pass."""
    server = first_secondary(lab)
    lab.network.paths.cut(addresses_of(server), addresses_of(lab.primary), "udp", "tcp")
    server.clock.move(lab.plan.soa.expire * 0.75)
    await wait_for_failure(lab, server)
