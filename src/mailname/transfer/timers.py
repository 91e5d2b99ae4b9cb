"""The SOA's timers as a secondary uses them, with the bounds we put on them (RFC 1035 section 3.3.13, RFC 1912 section 2.2)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mailname.zone import Zone

SHORTEST = 1  # a zone with refresh 0 must not turn its secondary into a flood
LONGEST_REFRESH = 2_419_200  # four weeks: longer would hide a lost NOTIFY for ever
FIRST_PAUSE = 1.0  # before the first transfer no SOA tells how long to wait
FIRST_PAUSE_FOR_MORE = 15.0  # after a transfer that failed: there is something newer, it is known
LONGEST_PAUSE = 300.0  # while nothing is answered, whatever the SOA says
JITTER = 0.1  # zones that were fetched together are not asked for together for ever
_MOST_DOUBLINGS = 16
_NUMBERS = struct.Struct("!5I")  # serial, refresh, retry, expire, minimum: the end of a SOA's rdata


def jittered(seconds: float, chance: float) -> float:
    """Shorten a pause by up to a tenth. ``chance`` is a random number from 0 to 1."""
    return seconds * (1.0 - JITTER * chance)


@dataclass(frozen=True, slots=True)
class Timers:
    """Seconds between questions (refresh), between tries after a failure (retry), until the zone is not served (expire)."""

    refresh: int
    retry: int
    expire: int

    @classmethod
    def of(cls, zone: Zone) -> Timers:
        """Read a zone's timers, bounded."""
        _, rdata = zone.soa_octets
        _, refresh, retry, expire, _ = _NUMBERS.unpack(rdata[-_NUMBERS.size :])
        expire = max(expire, SHORTEST)
        refresh = min(refresh, LONGEST_REFRESH, expire // 2)  # a copy is asked for before it expires, whatever the SOA says
        retry = min(retry, LONGEST_REFRESH)
        return cls(max(refresh, SHORTEST), max(retry, SHORTEST), expire)

    def pause_after(self, failures: int, left: float) -> float:
        """Return how long to wait before the next try.

        The pause doubles from *retry* up to *refresh*, so that a primary that is down for long is asked no more often than one
        that is well. It shortens again when little of the copy's life is left, and stays short when nothing is answered any more.

        Args:
            failures: tries that failed, one after the other.
            left: seconds until the copy expires; 0 or less when it has.

        """
        if left <= 0.0:
            return min(float(self.retry), LONGEST_PAUSE)
        doubled = self.retry * 2.0 ** min(failures - 1, _MOST_DOUBLINGS)
        return min(doubled, float(self.refresh), max(float(self.retry), left / 4))


def pause_without_zone(failures: int) -> float:
    """Return how long to wait before asking again while no version was ever held."""
    return min(FIRST_PAUSE * 2.0 ** min(failures, _MOST_DOUBLINGS), LONGEST_PAUSE)


def pause_for_more(failures: int) -> float:
    """Return how long to wait at most before asking again for a version that is known to be there, and could not be fetched.

    *retry*, often an hour, is meant for a primary that does not answer (RFC 1035 section 3.3.13). Whoever was cut off in the
    middle of a transfer would serve the old version for that long after the line is well again.
    """
    return FIRST_PAUSE_FOR_MORE * 2.0 ** min(failures - 1, _MOST_DOUBLINGS)
