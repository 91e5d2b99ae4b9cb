"""Look at any domain, without a plan: what to ask next follows from what was answered.

The parent says who the name servers are, these say who the others and the mail hosts are, and so on until nothing new is named.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import TYPE_CHECKING

import dns.name
import dns.rcode
from dns.rdatatype import RdataType
from dns.rdtypes.ANY.MX import MX
from dns.rdtypes.ANY.NS import NS

from mailname.checks.asking import Asker
from mailname.checks.known_name import known
from mailname.checks.observe import Look, say_nothing
from mailname.checks.observe_servers import questions
from mailname.checks.seen import expected_as_seen, plan_as_seen

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from dns.name import Name

    from mailname.checks.facts import Facts
    from mailname.checks.world import World
    from mailname.server.network import IPAddress, Network

_MOST_SERVERS = 26  # whose names one server's answer may give us


async def observe_domain(domain: Name, *, network: Network, world: World, progress: Callable[[str], None] | None = None) -> Facts:
    """Look once from the root down to whatever takes the domain's mail.

    A name that is no zone of its own is looked at as the zone it stands in, and ``Facts.asked`` remembers the name.
    """
    began, domain = time.perf_counter(), known(domain)
    look = DomainLook(domain, Asker(network, world), questions(domain, (), (), frozenset()), progress or say_nothing)
    facts = await look.to_the_end(began)
    zone = zone_of(facts)
    if zone is not None and zone != domain:
        again = DomainLook(zone, Asker(network, world), questions(zone, (), (), frozenset()), progress or say_nothing)
        below = await again.to_the_end(began)
        facts = replace(below, asked=domain, queries=facts.queries + below.queries)
    return facts


def zone_of(facts: Facts) -> Name | None:
    """Return the zone in which the name stands, by its servers' word: they answer for it and know no delegation at it.

    None where the name is a zone's apex, does not exist, or stands in a zone directly below the root: that is a registry's,
    and the name is not registered.
    """
    last = [p for p in facts.at_rung("tld") if p.answered and p.aa and p.rcode == dns.rcode.NOERROR]
    if not last or plan_as_seen(facts).name_servers[0].name != facts.domain:
        return None
    deepest = max((probe.zone for probe in last), key=len)
    is_registry = len(deepest) < 3
    return None if is_registry else deepest


@dataclass(slots=True)
class DomainLook(Look):
    """A look that learns whom to ask as it goes."""

    _policies_asked: bool = False

    async def to_the_end(self, began: float) -> Facts:
        """Ask until nothing new is named, and return what was seen."""
        await self.all_rungs()
        facts = replace(self.facts(began), planned=False)
        return replace(facts, expected=expected_as_seen(facts))

    async def server(self, name: Name, address: IPAddress) -> None:
        """Ask one address of a name server, then those name servers and mail hosts that it names."""
        if address in self._asked:
            return
        await Look.server(self, name, address)
        named = list(self._named_by(address))
        if named and not self._policies_asked:  # it serves the zone
            self._policies_asked = True
            named.append(self.ask_policies(name, address))
        await asyncio.gather(*named)

    def _named_by(self, address: IPAddress) -> Iterator[Awaitable[None]]:
        said = [p for p in self.asker.probes if p.rung == "servers" and p.address == address and p.aa]
        records = [record for probe in said for record in probe.answer]
        targets = [record.rdata.target for record in records if isinstance(record.rdata, NS) and record.owner == self.domain]
        for target in targets[:_MOST_SERVERS]:
            if not target.is_subdomain(self.domain):
                yield self._named_server(target)
                continue
            for record in records:
                if record.owner == target and record.rdtype in (RdataType.A, RdataType.AAAA):
                    yield self.server(target, ip_address(record.rdata.to_text()))
        for record in records:
            if isinstance(record.rdata, MX) and not record.rdata.exchange.is_subdomain(self.domain):
                yield self._named_mail_host(record.rdata.exchange)

    async def _named_server(self, name: Name) -> None:
        await asyncio.gather(*(self.server(name, address) for address in await self.resolve(name)))

    async def _named_mail_host(self, host: Name) -> None:
        if host != dns.name.root:
            await asyncio.gather(*(self.visit(host, address) for address in await self.resolve(host)))
