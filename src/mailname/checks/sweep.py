"""Many domains in one go: what one look has learnt of the world, the others need not ask again.

Shared are the way to each TLD (one walk for each), the addresses of hosts outside the domains, the visits to mail hosts, and
which addresses are silent, and how a name server treats strangers. Each address is asked at most so often a second, whoever asks.
"""

from __future__ import annotations

import asyncio
import resource
import time
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import dns.name
from dns.rcode import Rcode

from mailname.checks.explain import explain
from mailname.checks.judge import judge
from mailname.checks.known_name import known
from mailname.checks.manners import Manners, OneOfMany
from mailname.checks.observe import say_nothing
from mailname.checks.observe_domain import DomainLook, zone_of
from mailname.checks.observe_parents import Walk, referral_in
from mailname.checks.observe_servers import questions
from mailname.checks.once import once
from mailname.checks.seen import plan_as_seen

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dns.name import Name

    from mailname.checks.asking import Budget
    from mailname.checks.explain import Verdict
    from mailname.checks.facts import Facts, MailProbe, Probe, Transport
    from mailname.checks.observe_parents import Referral
    from mailname.checks.world import World
    from mailname.plan import Plan
    from mailname.server.network import Endpoint, IPAddress, Network

_MOST_PARENTS = 2  # of a TLD's servers, for each domain: thousands of domains are asked about
_SOCKETS_FOR_A_JOB = 16


@dataclass(slots=True)
class Pace:
    """At most so many questions a second to one address; a few may come at once.

    Attributes:
        rate: questions a second; 0 bounds nothing.

    """

    rate: float
    _next: dict[IPAddress, float] = field(default_factory=dict)

    async def turn(self, address: IPAddress) -> None:
        """Wait until this address may be asked again."""
        if not self.rate:
            return
        now = asyncio.get_running_loop().time()
        # What was not used in the last quarter of a second may come at once.
        at = max(self._next.get(address, 0.0), now - 0.25)
        self._next[address] = at + 1 / self.rate
        if at > now:
            await asyncio.sleep(at - now)


@dataclass(slots=True)
class Shared:
    """What the looks of one sweep share."""

    network: Network
    world: World
    pace: Pace
    budgets: dict[tuple[Endpoint, Transport], Budget] = field(default_factory=dict)
    cuts: dict[Name, asyncio.Future[tuple[Probe, ...]]] = field(default_factory=dict)
    hosts: dict[Name, asyncio.Future[tuple[tuple[IPAddress, ...], tuple[Probe, ...]]]] = field(default_factory=dict)
    visits: dict[IPAddress, asyncio.Future[MailProbe]] = field(default_factory=dict)
    manners: Manners = field(default_factory=dict)

    def asker(self) -> OneOfMany:
        """Return an asker that begins with an empty notebook."""
        return OneOfMany(self.network, self.world, self.budgets, self.pace.turn, self.manners)


@dataclass(slots=True)
class SharedLook(DomainLook):
    """A look at one of many domains."""

    shared: Shared = field(kw_only=True)

    async def _resolver(self) -> None:
        """Do not ask the resolver what everybody sees: the authority is asked anyway."""

    async def _settle(self) -> None:
        """Ask no more than each domain needs."""

    async def _included(self) -> None:
        """Follow no SPF records: thousands of domains include the same few."""

    async def _or_knock(self, asking: Awaitable[object], heard: Callable[[], bool], at: Endpoint) -> None:
        """Knock nowhere: of many domains, it would look like a search for open ports."""
        del heard, at
        await asking

    async def _from_root(self, walk: Walk) -> None:
        tld = dns.name.Name(self.domain.labels[-2:])
        probes = await once(self.shared.cuts, tld, lambda: self._ask_root(tld))
        below = next((found for probe in probes if (found := referral_in(probe))), None)
        if below is None and any(probe.rcode == Rcode.NOERROR for probe in probes):
            # The root itself delegates what stands below this empty non-terminal (RFC 8020): it is asked for each domain.
            await walk.from_root()
            return
        self.asker.probes += probes
        if below is not None:
            await walk.below(below)

    async def _ask_root(self, tld: Name) -> tuple[Probe, ...]:
        """Ask the root for a TLD, once for all domains below it."""
        with closing(self.shared.asker()) as asker:
            await Walk(asker, tld, self.resolve, _stop_here, _stop_here_too).from_root()
        return tuple(probe for probe in asker.probes if probe.rung == "root" and probe.qtype.name == "NS")

    async def resolve(self, name: Name) -> tuple[IPAddress, ...]:
        """Find a host's addresses, once for all domains."""
        addresses, probes = await once(self.shared.hosts, name, lambda: self._resolve_alone(name))
        self.asker.probes += [probe for probe in probes if probe not in self.asker.probes]
        return addresses

    async def _resolve_alone(self, name: Name) -> tuple[tuple[IPAddress, ...], tuple[Probe, ...]]:
        with closing(self.shared.asker()) as asker:
            addresses = await DomainLook(self.domain, asker, self.questions, say_nothing).resolve(name)
        return addresses, tuple(probe for probe in asker.probes if probe.rung == "resolver")

    async def visit(self, host: Name, address: IPAddress) -> None:
        """Visit a mail host's address, once for all domains."""
        if address in self._visited or not self.asker.wanted((address,)):
            return
        self._visited.add(address)
        made = await once(self.shared.visits, address, lambda: self.visit_now(host, address))
        self.asker.mail.append(replace(made, host=host))


async def _stop_here(referral: Referral) -> None:
    del referral


async def _stop_here_too() -> None:
    pass


async def look_at(domain: Name, shared: Shared) -> tuple[Plan, Facts, Verdict]:
    """Look at one of many domains and judge it; a name that is no zone is looked at as the zone it stands in."""
    began, domain = time.perf_counter(), known(domain)
    facts = await _look(domain, shared, began)
    zone = zone_of(facts)
    if zone is not None and zone != domain:
        below = await _look(zone, shared, began)
        facts = replace(below, asked=domain, queries=facts.queries + below.queries)
    plan = plan_as_seen(facts)
    return plan, facts, explain(plan, facts, judge(plan, facts))


async def _look(domain: Name, shared: Shared, began: float) -> Facts:
    wanted = questions(domain, (), (), frozenset())
    with closing(shared.asker()) as asker:
        look = SharedLook(domain, asker, wanted, say_nothing, most_parents=_MOST_PARENTS, shared=shared)
        return await look.to_the_end(began)


def jobs_that_fit(wanted: int) -> int:
    """Return how many domains can be looked at at once with the files that this process may open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted * _SOCKETS_FOR_A_JOB + 64
    if soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(hard, needed)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(1, min(wanted, (soft - 64) // _SOCKETS_FOR_A_JOB))
