"""What a zone at work leaves to the one that follows it when its configuration changes: nobody gets a worse answer meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mailname.transfer.moment import Memory
    from mailname.zone import Zone


@dataclass(frozen=True, slots=True)
class Heritage:
    """A zone's last version, and how sure of it we were.

    Attributes:
        zone: what was answered last, be it expired; None where there was nothing.
        memory: when it was last known to be good: of a secondary, when a primary confirmed it; of a primary, now.

    """

    zone: Zone | None = None
    memory: Memory | None = None

    def newer_of(self, kept: Zone | None) -> Zone | None:
        """Return this version or the one that lies on the disk, whichever has the newer serial."""
        if kept is None or self.zone is None:
            return kept or self.zone
        return kept if kept.serial.is_newer_than(self.zone.serial) else self.zone

    @property
    def answered(self) -> Zone | None:
        """Return the version, unless it was not answered any more."""
        return None if self.memory is None or self.memory.expired else self.zone


NOTHING = Heritage()
