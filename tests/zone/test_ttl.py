from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailname.zone.ttl import limited, seconds_from_text, words


class TestSecondsFromText:
    @pytest.mark.parametrize(
        ("text", "seconds"),
        [
            ("0", 0),
            ("86400", 86400),
            ("1h30m", 5400),
            ("1W2D", 777600),
            ("1w1d1h1m1s", 694861),
            ("007", 7),
            ("4294967295", 2**32 - 1),
            ("4294967296", None),
            ("99999w", None),
            ("", None),
            ("h", None),
            ("1x", None),
            ("1h30", None),
            ("-1", None),
            ("1.5h", None),
            ("٣", None),
            ("9" * 5000, None),
        ],
    )
    def test_reads_units(self, text: str, seconds: int | None) -> None:
        """As BIND does: a number without a unit stands alone."""
        assert seconds_from_text(text) == seconds


class TestLimited:
    def test_takes_the_highest_bit_as_zero(self) -> None:
        """RFC 2181 section 8."""
        assert [limited(2**31 - 1), limited(2**31), limited(2**32 - 1)] == [2**31 - 1, 0, 0]


class TestWords:
    @pytest.mark.parametrize(
        ("seconds", "said"),
        [
            (0, "0 seconds"),
            (1, "1 second"),
            (1800, "30 minutes"),
            (5400, "1 hour 30 minutes"),
            (86400, "1 day"),
            (1209600, "2 weeks"),
        ],
    )
    def test_are_what_a_person_would_say(self, seconds: int, said: str) -> None:
        assert words(seconds) == said

    @given(st.integers(0, 2**32 - 1))
    def test_lose_nothing(self, seconds: int) -> None:
        """The words, shortened to units, are the seconds again."""
        parts = words(seconds).split()
        assert (
            seconds_from_text("".join(number + unit[0] for number, unit in zip(parts[::2], parts[1::2], strict=True))) == seconds
        )
