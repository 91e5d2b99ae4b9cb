"""Look at the world: every rung of the ladder at once, as far as one does not depend on another. Nothing here judges."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING, cast

import dns.name
from dns.rdatatype import RdataType

from mailname.checks.asking import Addressee, Asker
from mailname.checks.facts import RUNGS, ControlFact, Facts
from mailname.checks.iterate import Iterator
from mailname.checks.mail_policy import NAMES as POLICIES
from mailname.checks.mail_policy import owner_of, texts_beyond
from mailname.checks.observe_control import ask_status, read_zone_file, records_of
from mailname.checks.observe_doubt import settle
from mailname.checks.observe_knock import beside
from mailname.checks.observe_lists import BlockLists
from mailname.checks.observe_mail import visit
from mailname.checks.observe_parents import Walk, parent_by_resolver
from mailname.checks.observe_policies import ask_tlsa, follow_policies, follow_spf, mail_hosts_in
from mailname.checks.observe_servers import ask_server, questions
from mailname.checks.observe_signatures import ask_signatures
from mailname.checks.out_of_step import held_serials, out_of_step
from mailname.checks.outcome import Outcome
from mailname.checks.pointer import reverse_name
from mailname.checks.same_server import FirstAddresses
from mailname.server.network import Endpoint

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dns.name import Name
    from dns.rdtypes.ANY.PTR import PTR

    from mailname.checks.facts import MailProbe, Probe
    from mailname.checks.facts_knock import Knock
    from mailname.checks.facts_transfer import TransferTry
    from mailname.checks.observe_parents import Referral
    from mailname.checks.observe_servers import Questions
    from mailname.checks.rdap import RegistrationFact
    from mailname.checks.world import World
    from mailname.plan import MailHost, NameServer, Plan
    from mailname.server.network import IPAddress, Network

RESOLVER = dns.name.from_text("resolver.")  # a resolver has no name that we know; its address stands beside it


async def observe(plan: Plan, *, network: Network, world: World, progress: Callable[[str], None] | None = None) -> Facts:
    """Look once from the resolver down to the mail host.

    ``progress`` is told a few words whenever a rung has been seen.
    """
    from mailname.plan import expand
    from mailname.zone import Serial

    began = time.perf_counter()
    zone = expand(plan, Serial(0))
    hosts = [server.name for server in plan.name_servers] + [host.name for host in plan.mail_hosts]
    vantages = frozenset(address for server in plan.name_servers for address in server.addresses)
    expected = records_of(zone)
    wanted = questions(plan.domain, expected, hosts, vantages)
    look = Look(plan.domain, Asker(network, world), wanted, progress or say_nothing, plan.name_servers, plan.mail_hosts)
    await look.all_rungs()
    return replace(look.facts(began), expected=expected)


def say_nothing(words: str) -> None:
    """Take the words of a look that nobody watches."""
    del words


@dataclass(slots=True)
class Look:
    """One look: what has been begun, so that nothing is asked twice.

    Attributes:
        name_servers, mail_hosts: the plan's; without a plan none are known before.

    """

    domain: Name
    asker: Asker
    questions: Questions
    progress: Callable[[str], None]
    name_servers: tuple[NameServer, ...] = ()
    mail_hosts: tuple[MailHost, ...] = ()
    control: list[ControlFact] = field(default_factory=list)
    knocks: list[Knock] = field(default_factory=list)
    transfers: list[TransferTry] = field(default_factory=list)
    most_parents: int | None = None
    registration: RegistrationFact | None = None
    _visited: set[IPAddress] = field(default_factory=set)
    _resolved: dict[Name, asyncio.Future[tuple[IPAddress, ...]]] = field(default_factory=dict)
    _asked: dict[IPAddress, Name] = field(default_factory=dict)
    _firsts: FirstAddresses = field(default_factory=FirstAddresses)
    _has_ds: bool = False
    _iterator: Iterator | None = None
    _lists: BlockLists | None = None

    @property
    def world(self) -> World:
        """Where we look from."""
        return self.asker.world

    def asks(self, rung: str) -> bool:
        """Tell whether a rung is asked in this look."""
        return RUNGS.index(self.world.start) <= RUNGS.index(rung)

    def facts(self, began: float) -> Facts:
        """Return what was seen; ``began`` is by the performance counter."""
        return Facts(
            domain=self.domain,
            at=datetime.now(UTC),
            start=self.world.start,
            probes=tuple(self.asker.probes),
            mail=tuple(self.asker.mail),
            control=tuple(self.control),
            zone_file=read_zone_file(self.world.zone_file, self.world.zone_file_name, self.domain)
            if self.world.zone_file is not None and self.asks("zone")
            else None,
            knocks=tuple(self.knocks),
            registration=self.registration,
            dnsbl=self.world.dnsbl if self.asks("resolver") else (),
            transfers=tuple(self.transfers),
            queries=self.asker.queries,
            seconds=round(time.perf_counter() - began, 3),
        )

    async def all_rungs(self) -> None:
        """Ask all that is to be asked."""
        async with asyncio.TaskGroup() as group:
            if self.asks("resolver") and self.world.resolver:
                group.create_task(self._resolver())
            if self.asks("tld"):
                group.create_task(self._parents())
                group.create_task(self._registration())
            if self.asks("servers"):
                group.create_task(self._servers())
                group.create_task(self._policies())
            if self.asks("control"):
                group.create_task(self._control())
            group.create_task(self._planned_mail_hosts())
        if self.asks("servers"):
            await asyncio.gather(self._second_look(), self._settle(), self._included())
            await self._why_out_of_step()

    async def _why_out_of_step(self) -> None:
        """Where a secondary is not in step: try the transfer from here, and ask the servers for their own accounts."""
        late = out_of_step(self.name_servers, self.asker.probes, self.domain)
        if not late:
            return
        from mailname.checks.observe_transfer import xray  # with TSIG, and only where something is wrong

        self.progress(f"{late[0].name.to_text(omit_final_dot=True)} is not in step: the transfer is tried from here")
        held = next(iter(held_serials(self.asker.probes, self.domain)[late[0].name]))
        primaries = ((one.name, at) for one in self.name_servers if one.role == "primary" for at in one.addresses[:1])
        looks = (
            xray(
                self.asker.network,
                self.asker.at(at),
                name,
                self.domain,
                held,
                self.world.transfer_key,
                patience=self.world.timeout,
            )
            for name, at in primaries
        )
        accounts, tried = await asyncio.gather(self._own_accounts(), asyncio.gather(*looks))
        self.control += accounts
        self.transfers += [one for look in tried for one in look]
        self.asker.queries += len(self.transfers)

    async def _own_accounts(self) -> list[ControlFact]:
        if not self.world.ssh or not self.asks("control"):
            return []
        from mailname.checks.observe_transfer import own_accounts

        return await own_accounts(self.name_servers, self.control, self.domain)

    async def _settle(self) -> None:
        """Ask what decides where the answers fit two causes."""
        await settle(self.asker, self.domain)

    async def _included(self) -> None:
        """Follow what the SPF record includes."""
        await follow_spf(self.asker, self.domain, self.asker.probes, self._texts)

    async def _texts(self, domain: Name) -> list[str]:
        found: Probe | None = None
        if self.world.resolver is not None and self.asks("resolver"):
            whom = Addressee("resolver", dns.name.root, RESOLVER, self.world.resolver)
            found = await self.asker.ask(whom, domain, RdataType.TXT, recurse=True)
        elif self.world.resolver is None and self.asks("root"):
            self._iterator = self._iterator or Iterator(self.asker)
            found = await self._iterator.answer(domain, RdataType.TXT)
        return texts_beyond(found) if found else []

    async def _resolver(self) -> None:
        """See what everyone else sees: the MX, and the addresses of the hosts it names."""
        if (resolver := self.world.resolver) is None:
            return
        whom = Addressee("resolver", dns.name.root, RESOLVER, resolver)
        mx, *_ = await asyncio.gather(
            self.asker.ask(whom, self.domain, RdataType.MX, recurse=True),
            self.asker.ask(whom, self.domain, RdataType.NS, recurse=True),
        )
        hosts = {host.name for host in self.mail_hosts}
        hosts |= {rdata.exchange for rdata in mx.rdatas(self.domain, RdataType.MX)}  # type: ignore[attr-defined]  # MX
        for host in sorted(hosts - {dns.name.root}):
            for address in await self.resolve(host):
                await self.visit(host, address)
        self.progress(f"resolver {resolver.address} answered")

    async def _parents(self) -> None:
        walk = Walk(self.asker, self.domain, self.resolve, self._delegated, self._signed, self.most_parents)
        if self.asks("root"):
            await self._from_root(walk)
        elif self.world.resolver and (
            start := await parent_by_resolver(self.asker, self.world.resolver, self.domain, self.resolve)
        ):
            await walk.below(start)
        self.progress("root and TLD servers answered")

    async def _registration(self) -> None:
        """Ask the registry's RDAP server, where one is named."""
        if self.world.rdap is not None:
            from mailname.checks.observe_rdap import ask_registration

            self.registration = await ask_registration(self.world.rdap, self.domain, self.resolve)

    async def _from_root(self, walk: Walk) -> None:
        await walk.from_root()

    async def _delegated(self, referral: Referral) -> None:
        """Ask addresses that only the parent gives: what answers at a wrong glue address tells the story."""
        async with asyncio.TaskGroup() as group:
            for name, glue in referral.servers.items():
                group.create_task(self._delegated_server(name, glue))

    async def _delegated_server(self, name: Name, glue: tuple[IPAddress, ...]) -> None:
        planned = any(server.name == name and server.addresses for server in self.name_servers)
        addresses = glue or (() if name.is_subdomain(self.domain) or planned else await self.resolve(name))
        await asyncio.gather(*(self.server(name, address) for address in addresses))

    async def _servers(self) -> None:
        async with asyncio.TaskGroup() as group:
            for server in self.name_servers:
                addresses = server.addresses or await self.resolve(server.name)
                for address in addresses:
                    group.create_task(self.server(server.name, address))
        self.progress("name servers answered")

    async def _policies(self) -> None:
        """Ask the primary how mail is to be judged; that the others serve the same is looked at elsewhere."""
        for server in self.name_servers:
            if server.role == "primary" and server.addresses:
                await self.ask_policies(server.name, server.addresses[0])

    async def ask_policies(self, name: Name, address: IPAddress) -> None:
        """Ask one name server how mail is to be judged."""
        whom = self._addressee(name, address)
        owners = [owner_of(below, self.domain) for below in POLICIES]
        found = await asyncio.gather(*(self.asker.ask(whom, owner, RdataType.TXT) for owner in owners))
        hosts = {host.name for host in self.mail_hosts} | mail_hosts_in(self.asker.probes, self.domain)
        await asyncio.gather(follow_policies(self.asker, whom, found), ask_tlsa(self.asker, whom, hosts))

    async def server(self, name: Name, address: IPAddress) -> None:
        """Ask one address of a name server everything, once."""
        if address in self._asked or not self.asks("servers") or not self.asker.wanted((address,)):
            return
        self._asked[address] = name
        asking = asyncio.gather(
            ask_server(self.asker, self._addressee(name, address), self.questions, self.visit, self._firsts),
            *([self._keys(name, address)] if self._has_ds or self.world.signed else []),
        )
        at = self.asker.at(address)
        await self._or_knock(
            asking, lambda: any(p.endpoint == at and p.outcome is not Outcome.SILENT for p in self.asker.probes), at
        )

    async def _or_knock(self, asking: Awaitable[object], heard: Callable[[], bool], at: Endpoint) -> None:
        """Wait for an answer, and see whether the machine lives where none comes."""
        self.knocks += await beside(asking, heard, self.asker.network, at.address, patience=self.world.timeout)

    async def _signed(self) -> None:
        """Ask every server for its keys, now and later: the parent has a DS."""
        if not self._has_ds and not self.world.signed:
            self._has_ds = True
            await asyncio.gather(*(self._keys(name, address) for address, name in self._asked.items()))

    async def _keys(self, name: Name, address: IPAddress) -> None:
        whom = self._addressee(name, address)
        await asyncio.gather(self.asker.ask(whom, self.domain, RdataType.DNSKEY), ask_signatures(self.asker, whom))

    def _addressee(self, name: Name, address: IPAddress) -> Addressee:
        return Addressee("servers", self.domain, name, self.asker.at(address))

    async def _control(self) -> None:
        self.control[:] = await asyncio.gather(
            *(
                ask_status(name, path, self.domain, timeout=self.world.timeout * self.world.tries)
                for name, path in self.world.control_sockets.items()
            )
        )

    async def _planned_mail_hosts(self) -> None:
        async with asyncio.TaskGroup() as group:
            for host in self.mail_hosts:
                for address in host.addresses or await self.resolve(host.name):
                    group.create_task(self.visit(host.name, address))

    async def visit(self, host: Name, address: IPAddress) -> None:
        """Visit one address of a mail host, once."""
        if address in self._visited or not self.asker.wanted((address,)):
            return
        self._visited.add(address)
        asking = asyncio.gather(self.visit_now(host, address), self._names_of(address))
        if address in self._asked:  # a name server too: whether it lives is seen there
            made, _ = await asking
        else:
            await self._or_knock(
                asking, lambda: asking.done() and asking.result()[0].outcome is not Outcome.SILENT, Endpoint(address)
            )
            made, _ = asking.result()
        self.asker.mail.append(made)
        self.progress(f"mail host {host.to_text(omit_final_dot=True)} was visited")

    async def visit_now(self, host: Name, address: IPAddress) -> MailProbe:
        """Visit one address of a mail host."""
        patience = self.world.timeout * self.world.tries
        return await visit(self.asker.network, host, address, timeout=patience)

    async def _names_of(self, address: IPAddress) -> None:
        """Ask the resolver for an address's names, and for their addresses."""
        if self.world.resolver is None or not self.asks("resolver"):
            return
        whom = Addressee("resolver", dns.name.root, RESOLVER, self.world.resolver)
        self._lists = self._lists or BlockLists(self.asker)
        asked = self.asker.ask(whom, reverse_name(address), RdataType.PTR, recurse=True)
        found, _ = await asyncio.gather(asked, self._lists.ask(address))
        for name in [r.target for r in cast("tuple[PTR, ...]", found.rdatas(found.qname, RdataType.PTR))][:1]:
            await self.resolve(name)

    async def resolve(self, name: Name) -> tuple[IPAddress, ...]:
        """Find a name's addresses, once: by the resolver, without one by walking from the root ourselves."""
        if name not in self._resolved:
            self._resolved[name] = asyncio.ensure_future(self._resolve_now(name))
        return await self._resolved[name]

    async def _resolve_now(self, name: Name) -> tuple[IPAddress, ...]:
        if self.world.resolver is None:
            if not self.asks("root") and not self.world.walks_for_hosts:
                return ()
            self._iterator = self._iterator or Iterator(self.asker)
            return await self._iterator.addresses(name)
        whom = Addressee("resolver", dns.name.root, RESOLVER, self.world.resolver)
        kinds = (RdataType.A, RdataType.AAAA)
        probes = await asyncio.gather(*(self.asker.ask(whom, name, kind, recurse=True) for kind in kinds))
        # The resolver follows an alias for us; the addresses stand at the end of the chain.
        return tuple(ip_address(record.rdata.to_text()) for probe in probes for record in probe.answer if record.rdtype in kinds)

    async def _second_look(self) -> None:
        """Ask servers with different serials again after a moment: a transfer may have been under way."""
        serials = {
            rdata.serial  # type: ignore[attr-defined]  # SOA
            for probe in self.asker.probes
            if probe.rung == "servers" and probe.rcode == 0
            for rdata in probe.rdatas(self.domain, RdataType.SOA)
        }
        if len(serials) < 2 or any((fact.status or {}).get("last_failure") for fact in self.control):
            return  # all the same, or a secondary has told already why it is behind
        self.progress("the servers differ: a second look")
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
                self.asker.ask(self._addressee(name, address), self.domain, RdataType.SOA, transport="tcp")
                for name, address in sorted(answered, key=str)
            ),
        )
