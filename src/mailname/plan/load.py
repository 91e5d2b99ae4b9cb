"""From a plan's text to a Plan: every mistake of the file at once, with its place, or the plan and its warnings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from mailname.errors import Mistake, PlanError, Position
from mailname.plan.contents import Contents
from mailname.plan.draft import draft_of
from mailname.plan.rules import aliases, look_alikes, mail_hosts, name_servers, records, reverse_zones, timers
from mailname.plan.string_map import string_map
from mailname.plan.user_records import user_records
from mailname.plan.validation import flawless, validate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mailname.plan.draft import Draft
    from mailname.plan.fault import Fault, Path
    from mailname.plan.model import Plan
    from mailname.plan.places import Places


@dataclass(frozen=True, slots=True)
class Loaded:
    """A plan that can be used, and what its owner should know about it."""

    plan: Plan
    warnings: tuple[Mistake, ...]


def load(text: str, file: str) -> Loaded:
    """Read a plan.

    Args:
        text: the file's text (``decode`` makes it from octets).
        file: the file's name in positions.

    Raises:
        PlanError: with every mistake of the file, warnings included, in the order of the file.

    """
    if not text.removeprefix("\ufeff").strip():
        empty = Mistake(Position(file, 1, 1), "The plan is empty.", "Write one with: mailname init DOMAIN")
        raise PlanError((empty,))
    if (plan := _read_flawless(text)) is not None:
        return Loaded(plan, ())
    from mailname.plan.toml_text import read_toml  # with the parser that keeps places, which a flawless plan does not need

    read = read_toml(text, file)
    mistakes = list(read.mistakes)
    if not read.data and not any(mistake.severity == "error" for mistake in mistakes):
        mistakes.append(Mistake(Position(file, 1, 1), "The plan has only comments.", "Write one with: mailname init DOMAIN"))
        raise PlanError(tuple(mistakes))
    found = validate(read.data, read.places, lost=read.lost)
    draft = draft_of(found)
    placed = _Placed(read.places, draft.zone_text.value if draft.zone_text else "")
    mistakes += [placed.mistake(fault) for fault in (*found.faults, *_meaning(draft, placed.in_zone_text, placed.line))]
    mistakes.sort(key=lambda mistake: (mistake.at.line, mistake.at.column))
    if found.plan is None or any(mistake.severity == "error" for mistake in mistakes):
        raise PlanError(tuple(mistakes))
    return Loaded(found.plan, tuple(mistakes))


class _PlaceNeededError(Exception):
    """Something is to be told, with its place."""


def _read_flawless(text: str) -> Plan | None:
    """Read a plan of which nothing is to be told; None for any other."""
    found = flawless(text)
    if found is None:
        return None

    def place(where: object) -> NoReturn:
        del where
        raise _PlaceNeededError

    try:
        return None if any(True for _ in _meaning(draft_of(found), place, place)) else found.plan
    except _PlaceNeededError:
        return None


def _meaning(
    draft: Draft, in_zone_text: Callable[[Position], Position], line: Callable[[Path | Position], int]
) -> Iterator[Fault]:
    read = user_records(draft, in_zone_text)
    contents = Contents.of(draft, read)
    yield from read.faults
    yield from look_alikes.check(draft)
    yield from name_servers.check(draft)
    yield from timers.check(draft)
    yield from mail_hosts.check(draft, read, contents)
    yield from aliases.check(draft, read, contents, line)
    yield from records.check(draft, read, contents, line)
    yield from reverse_zones.check(draft)


class _Placed:
    """Turns faults into mistakes: a path into the position of its value, key or table."""

    def __init__(self, places: Places, zone_text: str) -> None:
        self.places = places
        self._map: list[int] = []
        # A line of the value begins after each line end in it; an escaped one counts, too.
        self._line_starts = [0, *(i + 1 for i, c in enumerate(zone_text) if c == "\n")]

    def position(self, where: Path | Position, point: str = "value") -> Position:
        if isinstance(where, Position):
            return where
        return self.places.at(where, point)

    def line(self, where: Path | Position) -> int:
        return self.position(where).line

    def mistake(self, fault: Fault) -> Mistake:
        return Mistake(self.position(fault.where, fault.point), fault.problem, fault.remedy, fault.severity)

    def in_zone_text(self, inside: Position) -> Position:
        """Turn a position inside the value of zone_text into one in the file."""
        if not self._map:
            place = self.places.places[("zone_text",)]
            self._map = string_map(self.places.text, place.value, place.end)
        start = self._line_starts[min(inside.line, len(self._line_starts)) - 1]
        index = min(start + inside.column - 1, len(self._map) - 1)
        return self.places.position(self._map[index])
