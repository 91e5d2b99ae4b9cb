"""The SOA's timers as a secondary uses them, with the bounds we put on them (RFC 1035 section 3.3.13, RFC 1912 section 2.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mailname.zone import Zone

SHORTEST = 1  # a zone with refresh 0 must not turn its secondary into a flood
LONGEST_REFRESH = 2_419_200  # four weeks: longer would hide a lost NOTIFY for ever
FIRST_PAUSE = 1.0  # before the first transfer no SOA tells how long to wait
LONGEST_PAUSE = 300.0


@dataclass(frozen=True, slots=True)
class Timers:
    """Seconds between questions (refresh), between tries after a failure (retry), until the zone is not served (expire)."""

    refresh: int
    retry: int
    expire: int

    @classmethod
    def of(cls, zone: Zone) -> Timers:
        """Read a zone's timers, bounded."""
        soa = zone.soa_rdata
        refresh = min(max(soa.refresh, SHORTEST), LONGEST_REFRESH)
        retry = min(max(soa.retry, SHORTEST), LONGEST_REFRESH)
        return cls(refresh, retry, max(soa.expire, SHORTEST))


def pause_without_zone(failures: int) -> float:
    """Return how long to wait before asking again while no version was ever held."""
    return min(FIRST_PAUSE * 2.0 ** min(failures, 16), LONGEST_PAUSE)
