"""The clock of a rehearsal: there an hour passes in a second, for the registry, for what caches remember and for who waits.

Its two figures stand in the network file, so that another process (``mailname check --watch``) lives in the same time.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class RehearsedClock:
    """A wall clock that runs faster than ours.

    Attributes:
        since: seconds since 1970 at which both showed the same.
        speed: seconds that pass there in one of ours.

    """

    since: float
    speed: float = 1.0

    @classmethod
    def from_now(cls, speed: float) -> RehearsedClock:
        """Return a clock that begins to run at this moment."""
        return cls(time.time(), speed)

    def wall(self) -> float:
        """Return the seconds since 1970 that it shows."""
        return self.since + (time.time() - self.since) * self.speed

    def now(self) -> datetime:
        """Return what it shows, in UTC."""
        return datetime.fromtimestamp(self.wall(), UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait until so many of its seconds have passed."""
        await asyncio.sleep(seconds / self.speed)

    def to_json(self) -> dict[str, float]:
        """Return it as JSON values."""
        return {"since": self.since, "speed": self.speed}

    @classmethod
    def from_json(cls, read: dict[str, float]) -> RehearsedClock:
        """Read it back. Raises ValueError for a speed at which nothing would move."""
        clock = cls(float(read["since"]), float(read["speed"]))
        if not 0 < clock.speed < float("inf"):
            raise ValueError(f"a clock cannot run at the speed {clock.speed}")
        return clock
