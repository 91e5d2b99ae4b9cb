"""The journal of a zone: the steps from one version to the next, in octets that show when they were cut short or spoiled.

A journal is a head (magic, digest of the apex) and one entry behind the other. An entry has a header of 44 octets (little-endian)
and the records of the step (``journal_records``)::

    4   "STEP"
    4   serial of the version before
    4   serial of the version afterwards
    4   octets of the records
    4   what is told beside them (``FROM_FILE``)
    4   how many records the version afterwards has
    16  BLAKE2b of the records
    4   CRC-32 of the header so far

So an entry that was being written when the power went is told from one that was spoiled later: of the first, octets are missing
at the journal's end, and nobody has heard of its serial.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailname.transfer.journal_records import StepReader, written
from mailname.zone import Serial
from mailname.zone.image_merge import Changes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FROM_FILE = 1  # the version afterwards is that of the zone's file

_MAGIC = b"MNJRNL\x00\x01"  # the last octet is the format's version
_MARK = b"STEP"
_HEADER = struct.Struct("<4s5I16s")
_CRC = struct.Struct("<I")
HEADER_SIZE = _HEADER.size + _CRC.size
_DIGEST = 16


@dataclass(frozen=True, slots=True)
class Step:
    """An entry of a journal.

    Attributes:
        before: serial of the version before.
        after: serial of the version afterwards.
        start: where its header stands.
        at: where its records begin.
        end: where they end.
        from_file: the version afterwards is that of the zone's file.
        records: how many the version afterwards has.
        digest: of the records.

    """

    before: Serial
    after: Serial
    start: int
    at: int
    end: int
    from_file: bool
    records: int
    digest: bytes

    @property
    def is_bar(self) -> bool:
        """Two contents had this serial: no step leads there, and none goes on from there."""
        return self.before == self.after


@dataclass(frozen=True, slots=True)
class Journal:
    """What was found in a journal's octets.

    Attributes:
        steps: the entries that are whole and good, in their order.
        end: octets up to the end of the last whole entry; what comes behind was cut short, and is of no use.
        newest: the last serial that a header tells: somebody may have seen it, even where the entry's records are spoiled.
        spoiled: octets before ``end`` are not as they were written.
        sure: as ``newest``, but without a last entry that is spoiled: perhaps it was never safe on the disk, and told to nobody.

    """

    steps: tuple[Step, ...]
    end: int
    newest: Serial | None
    spoiled: bool
    sure: Serial | None = None


def head(apex: bytes) -> bytes:
    """Return how the journal of a zone begins. ``apex``: in wire form."""
    return _MAGIC + hashlib.blake2b(apex.lower(), digest_size=_DIGEST).digest()


HEAD_SIZE = len(head(b"\0"))


def entry(changes: Changes, before: Serial, after: Serial, *, records: int, from_file: bool = False) -> bytes:
    """Return the octets of one step.

    Args:
        changes: the step; what is removed comes first, the SOA before all else on both sides, as ``difference`` gives them.
        before: serial of the version before.
        after: serial of the version afterwards.
        records: how many the version afterwards has.
        from_file: it is that of the zone's file.

    """
    return sealed(written(changes.packed), before, after, records=records, flags=FROM_FILE if from_file else 0)


def sealed(body: bytes, before: Serial, after: Serial, *, records: int, flags: int) -> bytes:
    """Return an entry with these octets for its records."""
    digest = hashlib.blake2b(body, digest_size=_DIGEST).digest()
    header = _HEADER.pack(_MARK, before.value, after.value, len(body), flags, records, digest)
    return header + _CRC.pack(zlib.crc32(header)) + body


def bar(serial: Serial) -> bytes:
    """Return the entry that says that two contents had this serial: nothing can be told to who holds it but the whole zone."""
    return sealed(b"", serial, serial, records=0, flags=0)


def step_in(octets: bytes, start: int) -> Step:
    """Return the step of an entry that ``entry`` made, which stands at a place of the journal."""
    found = _step_at(octets, 0, start)
    assert found is not None
    return found


def look_through(octets: bytes | memoryview, apex: bytes) -> Journal:
    """Find the entries of a journal; whatever the octets are, nothing raises.

    Args:
        octets: all of the journal.
        apex: the zone's, in wire form.

    """
    if bytes(octets[:HEAD_SIZE]) != head(apex):
        # Cut in its first octets, it held nothing that anybody has heard of.
        return Journal((), 0, None, spoiled=len(octets) >= HEAD_SIZE)
    steps: list[Step] = []
    at = end = HEAD_SIZE
    newest: Serial | None = None
    sure: Serial | None = None
    spoiled = False
    while len(octets) - at >= HEADER_SIZE:
        step = _step_at(octets, at)
        if step is None:
            following = _next_header(octets, at + 1)
            if following < 0:
                break
            spoiled, at = True, following
            continue
        if step.end > len(octets):
            break
        if is_whole(octets, step):
            steps.append(step)
            sure = step.after
        else:
            spoiled, sure = True, newest
        newest = step.after
        at = end = step.end
    return Journal(tuple(steps), end, newest, spoiled, sure)


def _step_at(octets: bytes | memoryview, at: int, offset: int = 0) -> Step | None:
    mark, before, after, length, flags, records, digest = _HEADER.unpack_from(octets, at)
    if mark != _MARK or _CRC.unpack_from(octets, at + _HEADER.size)[0] != zlib.crc32(octets[at : at + _HEADER.size]):
        return None
    begin = offset + at + HEADER_SIZE
    return Step(Serial(before), Serial(after), offset + at, begin, begin + length, bool(flags & FROM_FILE), records, digest)


def _next_header(octets: bytes | memoryview, at: int) -> int:
    """Return where the next header that is good stands, -1 where none does."""
    rest = bytes(octets[at:])
    found = rest.find(_MARK)
    while 0 <= found <= len(rest) - HEADER_SIZE:
        if _step_at(rest, found) is not None:
            return at + found
        found = rest.find(_MARK, found + 1)
    return -1


def is_whole(octets: bytes | memoryview, step: Step) -> bool:
    """Tell whether a step's records are as they were written."""
    return hashlib.blake2b(octets[step.at : step.end], digest_size=_DIGEST).digest() == step.digest


def chain(steps: Iterable[Step], held: Serial, newest: Serial) -> tuple[Step, ...] | None:
    """Return the steps that lead from one version to another; None where they do not."""
    found: list[Step] = []
    serial = held
    for step in steps:
        if step.before == serial and step.after.is_newer_than(serial):
            found.append(step)
            serial = step.after
        elif found:  # a new beginning: what led here leads no further
            found, serial = ([step], step.after) if step.before == held else ([], held)
    return tuple(found) if serial == newest else None


def changes_of(octets: bytes | memoryview, steps: Iterable[Step], apex: bytes) -> Changes:
    """Return what steps change, one behind the other.

    Args:
        octets: all of the journal.
        steps: of it, in their order.
        apex: the zone's, in wire form.

    Raises:
        ValueError: a step is not what its header says, for whatever reason.

    """
    changes = Changes(apex)
    reader = StepReader(changes.packed)
    for step in steps:
        if not is_whole(octets, step) or not reader.read(octets, step.at, step.end):
            raise ValueError(f"the step from {step.before} to {step.after} cannot be read")
        if (reader.before, reader.after) != (step.before.value, step.after.value):
            raise ValueError(f"the step from {step.before} to {step.after} is one from {reader.before} to {reader.after}")
    return changes


def newest_that_fit(steps: tuple[Step, ...], most: int) -> Iterator[Step]:
    """Yield the last steps that follow one another without a gap, and have at most so many octets together."""
    first = len(steps)
    room = most
    while first and steps[first - 1].end - steps[first - 1].start <= room:
        if first < len(steps) and steps[first - 1].after != steps[first].before:
            break
        first -= 1
        room -= steps[first].end - steps[first].start
    return iter(steps[first:])
