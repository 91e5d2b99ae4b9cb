"""Look at the world: every rung of the ladder at once, as far as one does not depend on another. Nothing here judges."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING

import dns.name
from dns.rdatatype import RdataType

from mailname.checks.asking import Addressee, Asker
from mailname.checks.facts import RUNGS, ControlFact, Facts
from mailname.checks.mail_policy import NAMES as POLICIES
from mailname.checks.mail_policy import owner_of
from mailname.checks.observe_control import ask_status, read_zone_file, records_of
from mailname.checks.observe_mail import visit
from mailname.checks.observe_parents import Referral, ds_at_parent, parent_by_resolver, walk_below, walk_from_root
from mailname.checks.observe_servers import ask_server, questions
from mailname.plan import expand
from mailname.server.network import Endpoint
from mailname.zone import Serial

if TYPE_CHECKING:
    from collections.abc import Callable

    from dns.name import Name

    from mailname.checks.observe_servers import Questions
    from mailname.checks.world import World
    from mailname.plan import Plan
    from mailname.server.network import IPAddress, Network

RESOLVER = dns.name.from_text("resolver.")  # a resolver has no name that we know; its address stands beside it


async def observe(plan: Plan, *, network: Network, world: World, progress: Callable[[str], None] | None = None) -> Facts:
    """Look once from the resolver down to the mail host.

    ``progress`` is told a few words whenever a rung has been seen.
    """
    began = time.perf_counter()
    zone = expand(plan, Serial(0))
    hosts = [server.name for server in plan.name_servers] + [host.name for host in plan.mail_hosts]
    vantages = frozenset(address for server in plan.name_servers for address in server.addresses)
    expected = records_of(zone)
    look = _Look(plan, Asker(network, world), questions(plan.domain, expected, hosts, vantages), progress or _say_nothing)
    await look.all_rungs()
    return Facts(
        domain=plan.domain,
        at=datetime.now(UTC),
        start=world.start,
        probes=tuple(look.asker.probes),
        mail=tuple(look.asker.mail),
        control=tuple(look.control),
        zone_file=read_zone_file(world.zone_file, world.zone_file_name, plan.domain)
        if world.zone_file is not None and look.asks("zone")
        else None,
        expected=expected,
        queries=look.asker.queries,
        seconds=round(time.perf_counter() - began, 3),
    )


def _say_nothing(words: str) -> None:
    del words


@dataclass(slots=True)
class _Look:
    """One look: what has been begun, so that nothing is asked twice."""

    plan: Plan
    asker: Asker
    questions: Questions
    progress: Callable[[str], None]
    control: list[ControlFact] = field(default_factory=list)
    _visited: set[IPAddress] = field(default_factory=set)
    _resolved: dict[Name, asyncio.Future[tuple[IPAddress, ...]]] = field(default_factory=dict)
    _asked: set[IPAddress] = field(default_factory=set)

    @property
    def world(self) -> World:
        return self.asker.world

    def asks(self, rung: str) -> bool:
        return RUNGS.index(self.world.start) <= RUNGS.index(rung)

    async def all_rungs(self) -> None:
        async with asyncio.TaskGroup() as group:
            if self.asks("resolver") and self.world.resolver:
                group.create_task(self._resolver())
            if self.asks("tld"):
                group.create_task(self._parents())
            if self.asks("servers"):
                group.create_task(self._servers())
                group.create_task(self._policies())
            if self.asks("control"):
                group.create_task(self._control())
            group.create_task(self._planned_mail_hosts())
        if self.asks("servers"):
            await self._second_look()

    async def _resolver(self) -> None:
        """See what everyone else sees: the MX, and the addresses of the hosts it names."""
        if (resolver := self.world.resolver) is None:
            return
        whom = Addressee("resolver", dns.name.root, RESOLVER, resolver)
        mx, *_ = await asyncio.gather(
            self.asker.ask(whom, self.plan.domain, RdataType.MX, recurse=True),
            self.asker.ask(whom, self.plan.domain, RdataType.NS, recurse=True),
        )
        hosts = {host.name for host in self.plan.mail_hosts}
        hosts |= {rdata.exchange for rdata in mx.rdatas(self.plan.domain, RdataType.MX)}  # type: ignore[attr-defined]  # MX
        for host in sorted(hosts - {dns.name.root}):
            for address in await self._resolve(host):
                await self._visit(host, address)
        self.progress(f"resolver {resolver.address}")

    async def _parents(self) -> None:
        domain = self.plan.domain
        referral: Referral | None
        if self.asks("root"):
            referral = await walk_from_root(self.asker, domain, self._resolve)
        elif self.world.resolver and (start := await parent_by_resolver(self.asker, self.world.resolver, domain, self._resolve)):
            referral = await walk_below(self.asker, start, domain, self._resolve)
        else:
            referral = None
        self.progress("root and TLD servers")
        if referral is None:
            return
        if ds_at_parent(self.asker.probes, domain):
            await asyncio.gather(
                *(
                    self.asker.ask(self._addressee(server.name, address), domain, RdataType.DNSKEY)
                    for server in self.plan.name_servers
                    for address in server.addresses
                    if self.asks("servers")
                )
            )
        # Addresses that only the parent gives: a wrong glue address is asked too, since what answers there tells the story.
        async with asyncio.TaskGroup() as group:
            for name, glue in referral.servers.items():
                in_domain = name.is_subdomain(domain)
                planned = any(server.name == name and server.addresses for server in self.plan.name_servers)
                addresses = glue or (() if in_domain or planned else await self._resolve(name))
                for address in addresses:
                    group.create_task(self._server(name, address))

    async def _servers(self) -> None:
        async with asyncio.TaskGroup() as group:
            for server in self.plan.name_servers:
                addresses = server.addresses or await self._resolve(server.name)
                for address in addresses:
                    group.create_task(self._server(server.name, address))
        self.progress("name servers")

    async def _policies(self) -> None:
        """Ask the primary how mail is to be judged; that the others serve the same is looked at elsewhere."""
        for address in self.plan.primary.addresses[:1]:
            whom, domain = self._addressee(self.plan.primary.name, address), self.plan.domain
            await asyncio.gather(*(self.asker.ask(whom, owner_of(below, domain), RdataType.TXT) for below in POLICIES))

    async def _server(self, name: Name, address: IPAddress) -> None:
        if address in self._asked or not self.asks("servers"):
            return
        self._asked.add(address)
        await ask_server(self.asker, self._addressee(name, address), self.questions, self._visit)

    def _addressee(self, name: Name, address: IPAddress) -> Addressee:
        return Addressee("servers", self.plan.domain, name, Endpoint(address))

    async def _control(self) -> None:
        self.control[:] = await asyncio.gather(
            *(
                ask_status(name, path, self.plan.domain, timeout=self.world.timeout * self.world.tries)
                for name, path in self.world.control_sockets.items()
            )
        )

    async def _planned_mail_hosts(self) -> None:
        async with asyncio.TaskGroup() as group:
            for host in self.plan.mail_hosts:
                for address in host.addresses or await self._resolve(host.name):
                    group.create_task(self._visit(host.name, address))

    async def _visit(self, host: Name, address: IPAddress) -> None:
        if address in self._visited:
            return
        self._visited.add(address)
        patience = self.world.timeout * self.world.tries
        self.asker.mail.append(await visit(self.asker.network, host, address, timeout=patience))
        self.progress(f"mail host {host.to_text(omit_final_dot=True)}")

    async def _resolve(self, name: Name) -> tuple[IPAddress, ...]:
        """Ask the resolver for a name's addresses, once."""
        if name not in self._resolved:
            self._resolved[name] = asyncio.ensure_future(self._resolve_now(name))
        return await self._resolved[name]

    async def _resolve_now(self, name: Name) -> tuple[IPAddress, ...]:
        if self.world.resolver is None:
            return ()
        whom = Addressee("resolver", dns.name.root, RESOLVER, self.world.resolver)
        kinds = (RdataType.A, RdataType.AAAA)
        probes = await asyncio.gather(*(self.asker.ask(whom, name, kind, recurse=True) for kind in kinds))
        # The resolver follows an alias for us; the addresses stand at the end of the chain.
        return tuple(
            ip_address(record.rdata.address)  # type: ignore[attr-defined]  # A and AAAA
            for probe in probes
            for record in probe.answer
            if record.rdtype in kinds
        )

    async def _second_look(self) -> None:
        """Ask servers with different serials again after a moment: a transfer may have been under way."""
        serials = {
            rdata.serial  # type: ignore[attr-defined]  # SOA
            for probe in self.asker.probes
            if probe.rung == "servers" and probe.rcode == 0
            for rdata in probe.rdatas(self.plan.domain, RdataType.SOA)
        }
        if len(serials) < 2 or any((fact.status or {}).get("last_failure") for fact in self.control):
            return  # all the same, or a secondary has told already why it is behind
        self.progress("the servers differ; a second look")
        await asyncio.sleep(self.world.second_look)
        answered = {
            (p.server, p.address) for p in self.asker.probes if p.rung == "servers" and p.answered and p.transport == "udp"
        }
        await asyncio.gather(
            self._control() if self.asks("control") else asyncio.sleep(0),
            *(
                self.asker.ask(self._addressee(name, address), owner, kind)
                for name, address in sorted(answered, key=str)
                for owner, kind in self.questions.rrsets
            ),
            *(
                self.asker.ask(self._addressee(name, address), self.plan.domain, RdataType.SOA, transport="tcp")
                for name, address in sorted(answered, key=str)
            ),
        )
