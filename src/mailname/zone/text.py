"""Zone-file text read as a zone, and written.

As in BIND, records outside the zone are ignored, and one RRset has the TTL of its first record; both are warnings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dns.rdatatype import to_text

from mailname.errors import Mistake, Position, ZoneError
from mailname.zone.records import MOST_WARNINGS, Record, Records, read_records
from mailname.zone.write import write_zone
from mailname.zone.zone import Zone, ZoneBuilder

if TYPE_CHECKING:
    from dns.name import Name
    from dns.rdatatype import RdataType

    from mailname.zone.records import Include

__all__ = ["ReadResult", "Record", "Records", "read_records", "read_zone", "write_zone"]


@dataclass(frozen=True, slots=True)
class ReadResult:
    """A zone, and what the owner should know about its text."""

    zone: Zone
    warnings: tuple[Mistake, ...]


def read_zone(text: str, file: str, apex: Name, *, include: Include | None = None) -> ReadResult:
    """Read a zone.

    Args:
        text: zone-file text.
        file: its name in positions.
        apex: the zone's name, and its first origin.
        include: as for ``read_records``.

    Raises:
        ZoneError: the text is not a zone; ``mistakes`` are all that were found, ``at`` is the place of the first error.

    """
    read = read_records(text, file, apex, default_ttl=None, include=include)
    mistakes = list(read.mistakes)
    builder = ZoneBuilder(apex)
    for record in read.records:
        try:
            if not builder.holds(record.owner):
                if len(mistakes) < MOST_WARNINGS:
                    mistakes.append(out_of_zone(record.owner, apex, record.at))
            elif not builder.add(record.owner, record.ttl, record.rdata) and len(mistakes) < MOST_WARNINGS:
                mistakes.append(other_ttl(record.owner, record.rdata.rdtype, record.ttl, record.at))
        except ZoneError as error:
            mistakes.append(Mistake(record.at, _sentence(error.problem), error.remedy))
    for problem in builder.problems():
        if not (problem.missing and read.errors):  # what is missing may stand in a line that could not be read
            at = _place(read, problem.error) or Position(file, 1, 1)
            mistakes.append(Mistake(at, _sentence(problem.error.problem), problem.error.remedy))
    first = next((mistake for mistake in mistakes if mistake.severity == "error"), None)
    if first is not None:
        raise ZoneError(first.problem, remedy=first.remedy, at=first.at, mistakes=tuple(mistakes))
    return ReadResult(builder.build(), tuple(mistakes))


def _sentence(problem: str) -> str:
    return problem if problem.endswith(".") else problem + "."


def out_of_zone(owner: Name, apex: Name, at: Position) -> Mistake:
    """Return the warning of a record that is ignored."""
    return Mistake(
        at, f"{owner} is not in the zone {apex}; the record is ignored.", "Move it to the zone it belongs to.", "warning"
    )


def other_ttl(owner: Name, rdtype: RdataType, ttl: int, at: Position) -> Mistake:
    """Return the warning of a record whose TTL is ignored."""
    problem = f"{owner} {to_text(rdtype)} has the TTL of its first record, not {ttl}."
    return Mistake(at, problem, "All records of one owner and type have one TTL (RFC 2181 section 5.2).", "warning")


def _place(read: Records, error: ZoneError) -> Position | None:
    """Return the place of the first record with the owner and type that an error names."""
    named = error.owner, error.rdtype
    return next((record.at for record in read.records if (str(record.owner), to_text(record.rdata.rdtype)) == named), None)
