"""IXFR sent: what changed since the version that a secondary holds, as a stream of messages (RFC 1995 section 4).

The records come from the journal as they stand there, so that no more than a message is in memory, however long the way is. A
way of several steps is condensed (RFC 1995 section 5) while that is cheap. What is longer than the zone itself is not sent: the
whole zone is.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING

import dns.flags
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType

from mailname.transfer.ixfr_fill import StepFiller
from mailname.transfer.journal import changes_of, is_whole
from mailname.transfer.journal_records import written
from mailname.wire.octets import octets
from mailname.zone.image import HEADER
from mailname.zone.image_changes import apex_of
from mailname.zone.image_merge import Changes
from mailname.zone.image_merge_records import REMOVE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mailname.transfer.journal import Step
    from mailname.zone.image_zone import ImageZone

_HEADER = struct.Struct("!HHHHHH")
_QUESTION = struct.Struct("!HH")
_RECORD = struct.Struct("!HHIH")
_ANSWERED = dns.flags.QR | dns.flags.AA
_FULL_MESSAGE = 0x4000  # octets: what stands farther behind cannot be pointed to
_CONDENSED = 1 << 19  # octets of steps that are looked at record by record


@dataclass(frozen=True, slots=True)
class Differences:
    """What is sent between the SOAs of the new version.

    Attributes:
        octets: where the records stand.
        parts: where they begin and end, in their order.

    """

    octets: bytes | memoryview
    parts: tuple[tuple[int, int], ...]


def differences(journal: bytes | memoryview, steps: Sequence[Step], zone: ImageZone) -> Differences | None:
    """Return what leads to a version by these steps; None where the whole zone had better be sent.

    Args:
        journal: all octets of it.
        steps: of it, one at least; they end in the version.
        zone: the version.

    """
    if not all(is_whole(journal, step) for step in steps):
        return None
    size = sum(step.end - step.at for step in steps)
    found = Differences(journal, tuple((step.at, step.end) for step in steps))
    if len(steps) > 1 and size <= _CONDENSED:
        try:
            made = written(condensed(changes_of(journal, steps, octets(zone.apex))).packed)
        except ValueError:
            return None
        size, found = len(made), Differences(made, ((0, len(made)),))
    return found if size <= max(_names_and_records(zone), _FULL_MESSAGE) else None


def _names_and_records(zone: ImageZone) -> int:
    fields = HEADER.unpack_from(zone.image)
    octets_of_blob: int = fields[1] - fields[9]
    return octets_of_blob


def condensed(changes: Changes) -> Changes:
    """Return the difference that several steps come to: what came and went in between is not told (RFC 1995 section 5).

    Args:
        changes: exact: what is removed was there, what is added was not.

    """
    first: dict[tuple[bytes, int, bytes], tuple[int, bytes, int]] = {}
    last: dict[tuple[bytes, int, bytes], tuple[int, bytes, int]] = {}
    packed = changes.packed
    for number in range(packed.count):
        ttl, rdtype, added = packed.fields(number)
        if rdtype:
            owner = packed.owner_of(number)
            record = owner.lower(), rdtype, packed.rdata_of(number)
            last[record] = added, owner, ttl
            first.setdefault(record, last[record])
    result = Changes(changes.apex)
    come = []
    for record, (came_before, was, before) in first.items():
        is_there, is_now, after = last[record]
        if bool(came_before) != bool(is_there) and (came_before or before == after):  # it came and went, or went and came again
            continue
        _, rdtype, rdata = record
        if not came_before:
            result.packed.add(result.packed.put(was), before, rdtype, rdata, REMOVE)
        if is_there:
            come.append((rdtype != RdataType.SOA, is_now, after, rdtype, rdata))
    come.sort(key=itemgetter(0))  # the SOA comes first
    for _, owner, ttl, rdtype, rdata in come:
        result.add(owner, ttl, rdtype, rdata)
    return result


def outgoing(
    zone: ImageZone, told: Differences, message_id: int, *, reserve: int = 0, limit: int = _FULL_MESSAGE
) -> Iterator[tuple[bytes, int]]:
    """Yield the messages, each made when it is asked for, with its number of records.

    A record that does not fit has a message of its own, which may be too large to be sent: the caller ends the transfer there.

    Args:
        zone: the new version.
        told: how it differs from what the client holds.
        message_id: the query's id.
        reserve: octets to leave free in each message for a TSIG record.
        limit: octets that a message may have.

    """
    apex = octets(zone.apex)
    filler = StepFiller(apex)
    soa = _soa_of(zone)
    others = _HEADER.pack(message_id, _ANSWERED, 0, 0, 0, 0)
    filler.begin(_HEADER.pack(message_id, _ANSWERED, 1, 0, 0, 0) + apex + _QUESTION.pack(RdataType.IXFR, RdataClass.IN))
    for records, begin, end in ((soa, 0, len(soa)), *((told.octets, *part) for part in told.parts), (soa, 0, len(soa))):
        at = filler.take(records, begin, end, limit - reserve)
        while at < end:
            yield filler.message(), filler.records
            filler.begin(others)
            at = filler.take(records, at, end, limit - reserve)
    yield filler.message(), filler.records


def _soa_of(zone: ImageZone) -> bytes:
    """Return the SOA as it stands in a message, uncompressed."""
    ttl, rdata = zone.soa_octets
    return apex_of(zone.image) + _RECORD.pack(RdataType.SOA, RdataClass.IN, ttl, len(rdata)) + rdata


def query(zone: ImageZone, message_id: int) -> bytes:
    """Return the IXFR query of who holds a version: its SOA stands in the authority section (RFC 1995 section 3)."""
    asked = octets(zone.apex) + _QUESTION.pack(RdataType.IXFR, RdataClass.IN)
    return _HEADER.pack(message_id, 0, 1, 0, 1, 0) + asked + _soa_of(zone)
