"""``mailname check PLAN --watch``: a change at the registrar, followed until all of the registry's servers have it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from rich.markup import escape

from mailname.checks.observe_travel import follow
from mailname.cli.console import err, print_prose
from mailname.watch.clock import OurClock

if TYPE_CHECKING:
    from mailname.checks import World
    from mailname.plan import Plan
    from mailname.server.network import Network
    from mailname.watch.clock import Clock

LONGEST = timedelta(hours=48)  # after which a registry is not late but wrong; the verdict says how


async def watch(plan: Plan, network: Network, world: World, *, quiet: bool = False, clock: Clock | None = None) -> None:
    """Tell who has the change, on standard error, until all have it or two days are over."""
    clock = clock or OurClock()
    ends = clock.now() + LONGEST
    async for station in follow(plan, network=network, world=world, sleep=clock.sleep, now=clock.now):
        if not quiet:
            print_prose(err, escape(station.says()))
        if clock.now() >= ends:
            return
