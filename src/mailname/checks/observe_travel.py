"""Ask the parent's servers again and again, politely, until a change at the registrar has come to all of them."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from mailname.checks.asking import Asker
from mailname.checks.observe import Look, say_nothing
from mailname.checks.observe_parents import Walk
from mailname.checks.observe_servers import questions
from mailname.checks.travel import Travel, parents_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from datetime import datetime

    from mailname.checks.observe_parents import Referral
    from mailname.checks.travel import Station
    from mailname.checks.world import World
    from mailname.plan import Plan
    from mailname.server.network import Network


async def follow(
    plan: Plan, *, network: Network, world: World, sleep: Callable[[float], Awaitable[None]], now: Callable[[], datetime]
) -> AsyncIterator[Station]:
    """Iterate over the stations of a change, the last when it has arrived. The root is asked once, then only the parent."""
    travel = Travel(plan)
    parents: Referral | None = None
    while True:
        asker = Asker(network, world)
        look = Look(plan.domain, asker, questions(plan.domain, (), (), frozenset()), say_nothing)
        walk = Walk(asker, plan.domain, look.resolve, _seen, _signed)
        if parents is None or not parents.servers:
            await walk.from_root()
        else:
            await walk.below(parents)
        facts = replace(look.facts(time.perf_counter()), at=now())
        station = travel.note(facts)
        parents = parents_of(facts.probes, station.zone)
        yield station
        if station.arrived:
            return
        await sleep(station.again)


async def _seen(referral: Referral) -> None:
    """Take no step to the name servers themselves."""
    del referral


async def _signed() -> None:
    """Ask for no keys."""
