"""From the root down to the servers that delegate the domain: the walk that every resolver makes (RFC 1034 section 5.3.3)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING

import dns.name
import dns.rcode
from dns.rdatatype import RdataType

from mailname.checks.asking import Addressee
from mailname.server.network import Endpoint

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from dns.name import Name
    from dns.rdata import Rdata

    from mailname.checks.asking import Asker
    from mailname.checks.facts import Probe
    from mailname.server.network import IPAddress

    Resolve = Callable[[Name], Awaitable[tuple[IPAddress, ...]]]

_ROOTS_AT_FIRST = 3  # thirteen say the same; the others are asked only when these do not answer


@dataclass(frozen=True, slots=True)
class Referral:
    """Where a zone's servers are, as the zone above tells it."""

    zone: Name
    servers: Mapping[Name, tuple[IPAddress, ...]] = field(default_factory=dict)


def referral_in(probe: Probe) -> Referral | None:
    """Return the delegation that an answer holds, at or above its question's name and below the zone that was asked."""
    sections = probe.authority if not probe.answer else (*probe.answer, *probe.authority)
    for record in sections:
        if record.rdtype != RdataType.NS or not probe.qname.is_subdomain(record.owner):
            continue
        if record.owner == probe.zone or not record.owner.is_subdomain(probe.zone):
            continue
        names = [r.rdata.target for r in sections if r.rdtype == RdataType.NS and r.owner == record.owner]  # type: ignore[attr-defined]  # NS
        return Referral(record.owner, {name: glue_in(probe, name) for name in names})
    return None


def glue_in(probe: Probe, name: Name) -> tuple[IPAddress, ...]:
    """Return the addresses of one name in the additional section."""
    return tuple(
        ip_address(record.rdata.address)  # type: ignore[attr-defined]  # A and AAAA
        for record in probe.additional
        if record.owner == name and record.rdtype in (RdataType.A, RdataType.AAAA)
    )


def ds_at_parent(probes: Iterable[Probe], domain: Name) -> tuple[Probe, tuple[Rdata, ...]] | None:
    """Return the DS records that a server of the parent gave, and its answer; None where there are none."""
    for probe in probes:
        found = probe.rdatas(domain, RdataType.DS) if probe.rung == "tld" and probe.qtype == RdataType.DS else ()
        if found:
            return probe, found
    return None


async def walk_from_root(asker: Asker, domain: Name, resolve: Resolve) -> Referral | None:
    """Ask the root, then each zone below it, until one delegates the domain. Returns the delegation, if there is one."""
    hints = asker.world.root_hints
    waves = [[(name, addresses[:1]) for name, addresses in hints[:_ROOTS_AT_FIRST]], list(hints)]
    for wave in waves:
        probes = await _ask_all(asker, "root", dns.name.root, wave, domain)
        if any(probe.answered for probe in probes):
            below = next((found for probe in probes if (found := referral_in(probe))), None)
            return await walk_below(asker, below, domain, resolve) if below else None
    return None


async def walk_below(asker: Asker, start: Referral, domain: Name, resolve: Resolve) -> Referral | None:
    """Ask the servers of a zone above the domain, and of those it refers to, until one delegates the domain."""
    referral = start
    while referral.zone != domain:
        servers = [(name, found or await resolve(name)) for name, found in referral.servers.items()]
        probes = await _ask_all(asker, "tld", referral.zone, [(name, found[:1]) for name, found in servers], domain)
        if not any(probe.answered for probe in probes):  # perhaps only the first family's addresses are out of reach
            probes = await _ask_all(asker, "tld", referral.zone, [(name, found[1:]) for name, found in servers], domain)
        below = next((found for probe in probes if (found := referral_in(probe))), None)
        if below is None:
            return None
        if below.zone == domain:  # the parent holds the DS too (RFC 4035 section 2.4)
            await asyncio.gather(
                *(asker.ask(Addressee("tld", p.zone, p.server, p.endpoint), domain, RdataType.DS) for p in probes if p.answered)
            )
        referral = below
    return referral


async def parent_by_resolver(asker: Asker, resolver: Endpoint, domain: Name, resolve: Resolve) -> Referral | None:
    """Find the servers of the zone above the domain in the resolver's memory, for a look that starts below the root."""
    whom = Addressee("resolver", dns.name.root, dns.name.from_text("resolver."), resolver)
    zone = domain
    while zone != dns.name.root:
        zone = zone.parent()
        probe = await asker.ask(whom, zone, RdataType.NS, recurse=True)
        names = [rdata.target for rdata in probe.rdatas(zone, RdataType.NS)]  # type: ignore[attr-defined]  # NS
        if names:
            addresses = await asyncio.gather(*(resolve(name) for name in names))
            return Referral(zone, dict(zip(names, addresses, strict=True)))
    return None


async def _ask_all(
    asker: Asker, rung: str, zone: Name, servers: list[tuple[Name, tuple[IPAddress, ...]]], domain: Name
) -> list[Probe]:
    return await asyncio.gather(
        *(
            asker.ask(Addressee(rung, zone, name, Endpoint(address)), domain, RdataType.NS)
            for name, addresses in servers
            for address in addresses
        )
    )
