from __future__ import annotations

import pytest

from mailname.plan.duration import read_seconds, say_seconds
from mailname.plan.fault import WrongValueError


class TestReadSeconds:
    @pytest.mark.parametrize(
        ("value", "seconds"), [(0, 0), (3600, 3600), ("1h", 3600), ("1d12H", 129600), ("2w", 1209600), ("5m1s", 301)]
    )
    def test_that_is_good(self, value: object, seconds: int) -> None:
        """Seconds, or units as in zone files."""
        assert read_seconds(value) == seconds

    @pytest.mark.parametrize("value", [True, 1.5, [], "", "h", "4x", "1h ", "3600", -1, 2**31, "9999w"])
    def test_that_is_not(self, value: object) -> None:
        """RFC 2181 section 8 bounds it."""
        with pytest.raises(WrongValueError):
            read_seconds(value)


class TestSaySeconds:
    @pytest.mark.parametrize(
        ("seconds", "said"),
        [
            (1209600, "1209600 (2 weeks)"),
            (86400, "86400 (1 day)"),
            (14400, "14400 (4 hours)"),
            (900, "900 (15 minutes)"),
            (59, "59 (59 seconds)"),
            (1, "1 (1 second)"),
            (61, "61"),
        ],
    )
    def test_says_it_as_people_do(self, seconds: int, said: str) -> None:
        """The number as typed, and what it means."""
        assert say_seconds(seconds) == said


class TestWords:
    @pytest.mark.parametrize(("text", "short"), [("1 day", "1d"), ("4 hours", "4h"), ("1h 30 min", "1h30m"), ("2 Weeks", "2w")])
    def test_are_told_with_the_short_form(self, text: str, short: str) -> None:
        """As people write times; a month has no one length."""
        with pytest.raises(WrongValueError) as caught:
            read_seconds(text)
        assert (caught.value.remedy, caught.value.instead) == (f'Write "{short}".', short)
