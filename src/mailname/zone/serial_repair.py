"""Serials that went wrong: who is ahead of whom by RFC 1982, and by which steps a zone gets to the serial that is wanted.

A secondary takes only what is newer than what it holds, and "newer" means less than half of the circle ahead. So a serial that is
lower is reached by going round: half of the circle forward at most, until every secondary has it, then on (RFC 1912 section 3.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mailname.zone.serial import Serial

FARTHEST = 2**31 - 1  # what a serial may be raised by at once: RFC 1982 section 3.1
Relation = Literal["in step", "behind", "ahead", "no order"]


@dataclass(frozen=True, slots=True)
class Publish:
    """Let the primary serve this serial now."""

    serial: Serial


@dataclass(frozen=True, slots=True)
class WaitFor:
    """Wait until every server holds this serial, which the primary serves."""

    serial: Serial


@dataclass(frozen=True, slots=True)
class Stuck:
    """No serial is newer than what every server holds: one of them must be told to take the zone whatever its serial."""


@dataclass(frozen=True, slots=True)
class Done:
    """Every server holds what is wanted."""


Action = Publish | WaitFor | Stuck | Done


def relation(held: Serial, primary: Serial) -> Relation:
    """Say how what a server holds compares with what the primary serves (RFC 1982 section 3.2)."""
    if held == primary:
        return "in step"
    if primary.is_newer_than(held):
        return "behind"
    return "ahead" if held.is_newer_than(primary) else "no order"


def steps(held: Serial, wanted: Serial) -> tuple[Serial, ...]:
    """Return the serials to serve one after the other, where all servers hold the same: none, one, two, or for one less three."""
    found: list[Serial] = []
    while held != wanted:
        held = wanted if wanted.is_newer_than(held) else held.plus(FARTHEST)
        found.append(held)
    return tuple(found)


def next_action(primary: Serial, others: Iterable[Serial], wanted: Serial) -> Action:
    """Decide what is next, from what is held alone: so it does not matter who did the steps before, or whether anybody stopped.

    Args:
        primary: the highest serial that the primary has served or announced.
        others: what each other server holds.
        wanted: the serial that all shall have.

    """
    held = {primary, *others}
    if held == {wanted}:
        return Done()
    if all(wanted == one or wanted.is_newer_than(one) for one in held):
        return WaitFor(wanted) if primary == wanted else Publish(wanted)
    leads = all(primary == one or primary.is_newer_than(one) for one in held)
    if leads and len(held) > 1 and wanted.is_newer_than(primary):
        return WaitFor(primary)  # a step on the way that not all have taken
    stones = {one.plus(by) for one in held for by in (FARTHEST, 1)}
    ahead = [stone for stone in stones if all(stone.is_newer_than(one) for one in held)]
    if not ahead:
        return WaitFor(primary) if leads else Stuck()
    return Publish(min(ahead, key=lambda stone: (len(steps(stone, wanted)), _way(stone, wanted))))


def _way(held: Serial, wanted: Serial) -> int:
    """Return how far it is forward round the circle."""
    return (wanted.value - held.value) % 2**32
