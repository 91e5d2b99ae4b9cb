"""From the root down to the servers that delegate the domain: the walk that every resolver makes (RFC 1034 section 5.3.3)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, NamedTuple

import dns.name
from dns.rdatatype import RdataType

from mailname.checks.asking import Addressee

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from dns.name import Name
    from dns.rdata import Rdata

    from mailname.checks.asking import Asker
    from mailname.checks.facts import Probe
    from mailname.server.network import Endpoint, IPAddress

    Resolve = Callable[[Name], Awaitable[tuple[IPAddress, ...]]]
    Servers = list[tuple[Name, tuple[IPAddress, ...]]]

_ROOTS_AT_FIRST = 3  # thirteen say the same; the others are asked only when these do not answer


class Referral(NamedTuple):
    """Where a zone's servers are, as the zone above tells it."""

    zone: Name
    servers: Mapping[Name, tuple[IPAddress, ...]] = field(default_factory=dict)


@lru_cache(maxsize=256)
def referral_in(probe: Probe) -> Referral | None:
    """Return the delegation that an answer holds, at or above its question's name and below the zone that was asked."""
    sections = probe.authority if not probe.answer else (*probe.answer, *probe.authority)
    for record in sections:
        if record.rdata.rdtype != RdataType.NS or not probe.qname.is_subdomain(record.owner):
            continue
        if record.owner == probe.zone or not record.owner.is_subdomain(probe.zone):
            continue
        names = [r.rdata.target for r in sections if r.rdata.rdtype == RdataType.NS and r.owner == record.owner]  # type: ignore[attr-defined]  # NS
        return Referral(record.owner, {name: glue_in(probe, name) for name in names})
    return None


def zone_that_denies(probe: Probe) -> Name | None:
    """Return the zone that denies the name, by its SOA, where it is one below the zone that was asked; else None.

    A server that has both, as the root servers had arpa, answers from the lower one without a referral (RFC 1034 section 4.3.2).
    """
    owners = (
        (record.owner for record in probe.authority if record.rdtype == RdataType.SOA) if probe.aa and not probe.answer else ()
    )
    return next(
        (o for o in owners if o != probe.zone and o.is_subdomain(probe.zone) and probe.qname.parent().is_subdomain(o)), None
    )


def glue_in(probe: Probe, name: Name) -> tuple[IPAddress, ...]:
    """Return the addresses of one name in the additional section."""
    return tuple(
        ip_address(record.rdata.to_text())
        for record in probe.additional
        if record.rdata.rdtype in (RdataType.A, RdataType.AAAA) and record.owner == name
    )


def ds_at_parent(probes: Iterable[Probe], domain: Name) -> tuple[Probe, tuple[Rdata, ...]] | None:
    """Return the DS records that a server of the parent gave, and its answer; None where there are none."""
    for probe in probes:
        found = probe.rdatas(domain, RdataType.DS) if probe.rung == "tld" and probe.qtype == RdataType.DS else ()
        if found:
            return probe, found
    return None


@dataclass(slots=True)
class Walk:
    """One walk down to the domain. It goes on with the first useful answer; those that come later are facts as well.

    Attributes:
        resolve: gives the addresses of a name server whose parent gives none.
        found: told of the domain's delegation, as each of the parent's servers gives it.
        signed: told that one of them has a DS for the domain.
        most: how many of a zone's servers are asked.

    """

    asker: Asker
    domain: Name
    resolve: Resolve
    found: Callable[[Referral], Awaitable[None]]
    signed: Callable[[], Awaitable[None]]
    most: int | None = None
    _begun: set[Name] = field(default_factory=set)

    async def from_root(self) -> None:
        """Ask the root, then each zone below it, until one delegates the domain."""
        hints = self.asker.world.root_hints
        first = [(name, self.asker.wanted(addresses)[:1]) for name, addresses in hints[:_ROOTS_AT_FIRST]]
        await self._ask("root", dns.name.root, [first, list(hints)])

    async def below(self, start: Referral) -> None:
        """Ask the servers of a zone above the domain, and of those it refers to, until one delegates the domain."""
        if start.zone in self._begun:
            return
        self._begun.add(start.zone)
        servers = [
            (name, self.asker.wanted(addresses or await self.resolve(name)))
            for name, addresses in list(start.servers.items())[: self.most]
        ]
        # Perhaps only the first family's addresses are out of reach, so the others are kept for later.
        await self._ask("tld", start.zone, [[(name, all_of[:1]) for name, all_of in servers], servers])

    async def _ask(self, rung: str, zone: Name, waves: list[Servers]) -> None:
        """Ask each wave of servers at once; a later wave only where nobody of the first has answered in one try's time."""
        answered = asyncio.Event()
        asked: set[IPAddress] = set()
        async with asyncio.TaskGroup() as group:
            tasks: list[asyncio.Task[None]] = []
            for wave in waves:
                for name, addresses in wave:
                    for address in self.asker.wanted(addresses):
                        if address not in asked:
                            asked.add(address)
                            tasks.append(group.create_task(self._one(rung, zone, name, address, answered)))
                await _until_heard(answered, tasks, self.asker.world.timeout)
                if answered.is_set():
                    return

    async def _one(self, rung: str, zone: Name, server: Name, address: IPAddress, answered: asyncio.Event) -> None:
        whom = Addressee(rung, zone, server, self.asker.at(address))
        probe = await self.asker.ask(whom, self.domain, RdataType.NS)
        if not probe.answered:
            return
        answered.set()
        if (referral := referral_in(probe)) is None:
            if (lower := zone_that_denies(probe)) is not None:
                self.asker.probes.append(replace(probe, rung="tld", zone=lower))
            return
        if referral.zone == self.domain:
            await asyncio.gather(self.found(referral), self._look_for_ds(whom))
        else:
            await self.below(referral)

    async def _look_for_ds(self, parent: Addressee) -> None:
        """Ask the parent's server for the DS, too, which it alone has (RFC 4035 section 2.4)."""
        probe = await self.asker.ask(parent, self.domain, RdataType.DS)
        if probe.rdatas(self.domain, RdataType.DS):
            await self.signed()


async def _until_heard(answered: asyncio.Event, tasks: list[asyncio.Task[None]], timeout: float) -> None:
    """Wait until somebody has answered, all have been given up, or the time is over; the tasks go on."""
    heard = asyncio.ensure_future(answered.wait())
    loop = asyncio.get_running_loop()
    ends = loop.time() + timeout
    try:
        while not answered.is_set() and (going := [task for task in tasks if not task.done()]) and loop.time() < ends:
            await asyncio.wait([heard, *going], timeout=ends - loop.time(), return_when=asyncio.FIRST_COMPLETED)
    finally:
        heard.cancel()


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
