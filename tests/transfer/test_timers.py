"""The SOA's timers, bounded."""

from __future__ import annotations

import pytest
from tests.transfer.zones import zone

from mailname.transfer.timers import LONGEST_PAUSE, LONGEST_REFRESH, Timers, pause_for_more, pause_without_zone


class TestTimers:
    @pytest.mark.parametrize(
        ("soa", "used"),
        [
            ((14400, 3600, 1209600), Timers(14400, 3600, 1209600)),
            ((0, 0, 0), Timers(1, 1, 1)),
            ((4294967295, 4294967295, 4294967295), Timers(LONGEST_REFRESH, LONGEST_REFRESH, 4294967295)),
            ((3600, 600, 1800), Timers(900, 600, 1800)),  # or it would be SERVFAIL now and then, with nothing wrong
        ],
    )
    def test_are_taken_from_the_soa_within_bounds(self, soa: tuple[int, int, int], used: Timers) -> None:
        """Zero would flood the primary; centuries would hide a lost NOTIFY for ever."""
        refresh, retry, expire = soa
        assert Timers.of(zone(refresh=refresh, retry=retry, expire=expire)) == used

    def test_pause_without_zone_doubles_up_to_its_limit(self) -> None:
        """No SOA tells how long to wait before the first transfer."""
        assert [pause_without_zone(failures) for failures in range(4)] == [1, 2, 4, 8]
        assert pause_without_zone(10**9) == LONGEST_PAUSE

    def test_pause_for_what_is_known_to_be_newer_begins_short(self) -> None:
        """It doubles as well, so that a primary that gives no transfer is asked as rarely as any other in the end."""
        assert [pause_for_more(failures) for failures in range(1, 5)] == [15, 30, 60, 120]
        assert pause_for_more(10**9) == pause_for_more(10**6)
