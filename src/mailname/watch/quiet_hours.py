"""The hours in which nobody wants to hear of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from mailname.watch.topics import Topic


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From a time of day until another one, which may be on the next day, in a time zone.

    Attributes:
        wake_when_broken: whether that mail does not arrive is said nevertheless.

    """

    start: time
    end: time
    zone: ZoneInfo
    wake_when_broken: bool = True

    def holds_back(self, topic: Topic, now: datetime) -> bool:
        """Tell whether nothing is said of a topic now."""
        return self.left(now) > 0 and not (topic.wakes and self.wake_when_broken)

    def left(self, now: datetime) -> float:
        """Return the seconds until they end; 0 where they have not begun."""
        here = now.astimezone(self.zone)
        at = here.time()
        inside = self.start <= at < self.end if self.start <= self.end else at >= self.start or at < self.end
        if not inside:
            return 0.0
        end = datetime.combine(here.date(), self.end, self.zone)
        # By the instants, not the faces of the clock: it may be set forward or back in between.
        return ((end if end > here else end + timedelta(days=1)).astimezone(now.tzinfo) - now).total_seconds()
