"""``mailname check PLAN --watch``: a change at the registrar, followed until it is seen everywhere."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from rich.markup import escape

from mailname.checks.observe_travel import follow
from mailname.checks.wording import clock_time
from mailname.cli.console import err, print_prose
from mailname.watch.clock import OurClock

if TYPE_CHECKING:
    from mailname.checks import World
    from mailname.plan import Plan
    from mailname.server.network import Network
    from mailname.watch.clock import Clock

LONGEST = timedelta(hours=48)  # after which a registry is not late but wrong; the verdict says how


async def watch(plan: Plan, network: Network, world: World, *, quiet: bool = False, clock: Clock | None = None) -> None:
    """Tell who has the change, on standard error, until no cache can have the old answer any more, or two days are over.

    The old answer is remembered for the TTL that the parent gave with it, counted from when it was last seen there.
    """
    clock = clock or OurClock()
    ends = clock.now() + LONGEST

    def tell(words: str) -> None:
        if not quiet:
            print_prose(err, escape(words))

    async for station in follow(plan, network=network, world=world, sleep=clock.sleep, now=clock.now):
        runs_out = station.everywhere
        waits = station.arrived and runs_out is not None and station.at < runs_out <= ends
        tell(f"{station.says()}{' Looking again then.' if waits else ''}")
        if waits and runs_out is not None:
            await clock.sleep((runs_out - clock.now()).total_seconds())
            tell(f"{clock_time(clock.now())}: the old answer's TTL has run out everywhere.")
        if clock.now() >= ends:
            return
