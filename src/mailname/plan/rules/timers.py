"""The SOA's timers: what RFC 1912 suggests and what strict checkers accept, each rule with its owner's name.

Zonemaster's figures are those of its test cases Zone02 to Zone06. DENIC's are those that registrars publish; we have not
verified each one, therefore they only warn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailname.plan.duration import say_seconds
from mailname.plan.fault import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailname.plan.draft import At, Draft


@dataclass(frozen=True, slots=True)
class Range:
    """The seconds that a timer may have, and whose rule that is."""

    timer: str
    low: int
    high: int
    whose: str


_UNBOUNDED = 2**31 - 1
RANGES = (
    Range("refresh", 14400, _UNBOUNDED, "Zonemaster (Zone02)"),
    Range("refresh", 3600, 86400, "the .de registry"),
    Range("refresh", 1200, _UNBOUNDED, "RFC 1912 section 2.2 (20 minutes)"),
    Range("retry", 3600, _UNBOUNDED, "Zonemaster (Zone04)"),
    Range("retry", 900, 28800, "the .de registry"),
    Range("expire", 1209600, 2419200, "RFC 1912 section 2.2 (two to four weeks)"),
    Range("minimum", 300, 86400, "Zonemaster (Zone06)"),
)
_MEANS = {
    "refresh": "how often a secondary asks for the serial",
    "retry": "how soon a secondary asks again",
    "expire": "how long a secondary answers without its primary",
    "minimum": "how long 'there is no such name' is remembered",
}


def check(draft: Draft) -> Iterator[Fault]:
    """Judge each timer alone, and those that pass against each other; so one wrong figure is told once."""
    good: dict[str, At[int]] = {}
    for name, timer in draft.timers.items():
        broken = [rule for rule in RANGES if rule.timer == name and not rule.low <= timer.value <= rule.high]
        if not broken:
            good[name] = timer
            continue
        low = max(rule.low for rule in RANGES if rule.timer == name)
        high = min(rule.high for rule in RANGES if rule.timer == name)
        word = "below" if timer.value < low else "above"
        bound = say_seconds(low if timer.value < low else high)
        yield Fault(
            timer.path,
            f"{name} {say_seconds(timer.value)}, {_MEANS[name]}, is {word} what strict checkers accept: {bound}.",
            f"Whose rule: {'; '.join(rule.whose for rule in broken)}. Write a value from {low} to {high}.",
            "warning",
        )
    yield from _together(good, draft.given_timers)


def _together(good: dict[str, At[int]], given: frozenset[str]) -> Iterator[Fault]:
    # expire, within its range, is always above refresh + retry
    refresh, retry = good.get("refresh"), good.get("retry")
    if refresh and retry and retry.value >= refresh.value:
        yield Fault(
            _blamed(retry, refresh, given),
            f"retry {say_seconds(retry.value)} is not shorter than refresh {say_seconds(refresh.value)}.",
            f"Write a retry from {_least(refresh)} to {refresh.value // 3} (Zonemaster Zone03).",
            "warning",
        )
    elif refresh and retry and not refresh.value / 8 <= retry.value <= refresh.value / 3:
        yield Fault(
            _blamed(retry, refresh, given),
            f"retry {say_seconds(retry.value)} is not between an eighth and a third of refresh {say_seconds(refresh.value)}.",
            f"The .de registry warns of that. Write a retry from {_least(refresh)} to {refresh.value // 3}.",
            "warning",
        )


def _least(refresh: At[int]) -> int:
    return max(3600, -(-refresh.value // 8))


def _blamed(first: At[int], second: At[int], given: frozenset[str]) -> tuple[str | int, ...]:
    return first.path if str(first.path[-1]) in given else second.path
