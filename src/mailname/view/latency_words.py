"""How long answers took, in words: a histogram whose places are powers of two of microseconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def latency_words(latency: Mapping[str, int]) -> str:
    """Say within which time half of the answers, and nearly all, were given.

    >>> latency_words({"32": 50, "64": 49, "4096": 1})
    'half within 32 µs, 99 % within 64 µs'
    """
    if not sum(latency.values()):
        return ""
    return f"half within {within(latency, 0.5)}, 99 % within {within(latency, 0.99)}"


def within(latency: Mapping[str, int], part: float) -> str:
    """Return the time within which so much of the answers was given, in words."""
    return time_words(next(bound for bound, seen in up_to(latency) if seen >= part * sum(latency.values())))


def up_to(latency: Mapping[str, int]) -> list[tuple[int, int]]:
    """Return how many answers took less than so many microseconds, for each bound up to the longest.

    >>> up_to({"2": 1, "8": 2})
    [(2, 1), (4, 1), (8, 3)]
    """
    bounds = sorted(map(int, latency))
    found = []
    seen = 0
    bound = bounds[0] if bounds else 1
    while bounds and bound <= bounds[-1]:
        seen += latency.get(str(bound), 0)
        found.append((bound, seen))
        bound *= 2
    return found


def time_words(microseconds: int) -> str:
    """Write a time that is short.

    >>> time_words(32), time_words(4096), time_words(2097152)
    ('32 µs', '4.1 ms', '2.1 s')
    """
    if microseconds < 1000:
        return f"{microseconds} µs"
    if microseconds < 1_000_000:
        return f"{microseconds / 1000:.1f} ms" if microseconds < 10_000 else f"{microseconds / 1000:.0f} ms"
    return f"{microseconds / 1e6:.1f} s"
