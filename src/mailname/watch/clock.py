"""What time it is where we look, and how to wait there: ours, or that of a rehearsal."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from mailname.server.network import Network
    from mailname.server.rehearsed_clock import RehearsedClock


class Clock(Protocol):
    """What time it is where we look, and how to wait there."""

    def now(self) -> datetime:
        """Return the time, in UTC."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


class OurClock:
    """This machine's."""

    def now(self) -> datetime:
        """Return the time, in UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


def world_clock(network: Network) -> Clock:
    """Return the clock of a rehearsal, where it has one of its own, or else ours."""
    clock: RehearsedClock | None = getattr(network, "clock", None)
    return clock or OurClock()
