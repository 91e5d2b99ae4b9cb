"""``mailname check PLAN --watch``: a change at the registrar, followed until all of the registry's servers have it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from rich.markup import escape

from mailname.checks.observe_travel import follow
from mailname.cli.console import err, print_prose

if TYPE_CHECKING:
    from mailname.checks import World
    from mailname.plan import Plan
    from mailname.server.network import Network
    from mailname.server.rehearsed_clock import RehearsedClock

LONGEST = timedelta(hours=48)  # after which a registry is not late but wrong; the verdict says how


class Clock(Protocol):
    """What time it is where we look, and how to wait there."""

    def now(self) -> datetime:
        """Return the time, in UTC."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


class _OurClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def world_clock(network: Network) -> Clock:
    """Return the clock of a rehearsal, where it has one of its own, or else ours."""
    clock: RehearsedClock | None = getattr(network, "clock", None)
    return clock or _OurClock()


async def watch(plan: Plan, network: Network, world: World, *, quiet: bool = False, clock: Clock | None = None) -> None:
    """Tell who has the change, on standard error, until all have it or two days are over."""
    clock = clock or _OurClock()
    ends = clock.now() + LONGEST
    async for station in follow(plan, network=network, world=world, sleep=clock.sleep, now=clock.now):
        if not quiet:
            print_prose(err, escape(station.says()))
        if clock.now() >= ends:
            return
