"""``mailname check PLAN --watch``: a change at the registrar, followed until all of the registry's servers have it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from rich.markup import escape

from mailname.checks.observe_travel import follow
from mailname.cli.console import err, print_prose

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mailname.checks import World
    from mailname.plan import Plan
    from mailname.server.network import Network

LONGEST = timedelta(hours=48)  # after which a registry is not late but wrong; the verdict says how


def _now() -> datetime:
    return datetime.now(UTC)


async def watch(
    plan: Plan,
    network: Network,
    world: World,
    *,
    quiet: bool = False,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    now: Callable[[], datetime] = _now,
) -> None:
    """Tell who has the change, on standard error, until all have it or two days are over."""
    ends = now() + LONGEST
    async for station in follow(plan, network=network, world=world, sleep=sleep, now=now):
        if not quiet:
            print_prose(err, escape(station.says()))
        if now() >= ends:
            return
