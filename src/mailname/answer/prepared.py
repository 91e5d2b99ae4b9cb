"""Prepared answers: replies of the reference (``reply_to``) kept in parts, from which other replies are put together without it.

Kept is what depends on a question's octets and the zone alone. A whole reply answers the same question again, however the
client spells it. The tail of a reply about a name that does not exist, or that lies below a zone cut or where a wildcard stands
for it, answers for every other name of that length below the same closest encloser: a flood of names that are never asked twice
costs one reply of the reference for each length. So does the REFUSED of names that are not ours. Nothing is made up here: the
octets are those that the reference gave, and whatever may differ goes to it. What is kept is bounded, and goes with the zone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from mailname.answer.question_shape import Shape, Shapes
from mailname.answer.reply import Sort
from mailname.answer.table import ZoneTable
from mailname.answer.tail_names import last_labels
from mailname.zone import Zone
from mailname.zone.held_names import HeldNames, held_names

if TYPE_CHECKING:
    from dns.name import Name

    from mailname.answer import Unserved
    from mailname.answer.respond import Response
    from mailname.answer.settings import Settings

_MOST_KEPT = 10_000  # replies and tails of all zones together, and the same again by the octets of a whole question
_MOST_ZONES = 10_000
_IN = b"\0\1"
_DS = b"\0\x2b"
_TRANSFERS = frozenset({b"\0\xfb", b"\0\xfc"})
_SAME_FOR_ALL_TYPES = frozenset({Sort.NXDOMAIN, Sort.REFERRAL, Sort.ERROR})
_DNAME = b"\0\x27\0\1"
_TC = 0x02


class Prepared(NamedTuple):
    """All of a reply but its id and its question, which are the client's.

    Attributes:
        head: flags and counts, 10 octets.
        rest: what follows the question.
        question_ends: where the question ends: after that many octets of the message.
        sort, subject: as in ``Response``.
        rcode: the response code.
        limit: octets that the reply might have had.
        taken: labels of which a name below the closest encloser may have none there; of a whole reply, none.

    """

    head: bytes
    rest: bytes
    question_ends: int
    sort: Sort
    subject: Name
    rcode: int
    limit: int
    taken: frozenset[bytes] = frozenset()

    def reply(self, wire: bytes) -> bytes:
        """Return the reply to a message for which this is prepared."""
        return wire[:2] + self.head + wire[12 : self.question_ends] + self.rest

    def fits(self, limit: int) -> bool:
        """Tell whether the reference would put the same into so many octets: what fits, and what was left out before."""
        return self.question_ends + len(self.rest) <= limit <= self.limit


class _Question(NamedTuple):
    """What a question's octets say, as far as they are needed here."""

    name: bytes  # in lower case
    starts: list[int]  # of its labels, the root's included
    ends: int
    asked: bytes
    shape: Shape


@dataclass(slots=True)
class _OfZone:
    """What is kept of one zone; of no zone, too."""

    entry: Zone | Unserved | None
    names: HeldNames | None
    whole: dict[bytes, Prepared] = field(default_factory=dict)
    tails: dict[bytes, Prepared] = field(default_factory=dict)
    #: Tails that hold for one type only are found by name and type.
    by_type: set[bytes] = field(default_factory=set)


class PreparedAnswers:
    """The prepared answers of one server.

    Attributes:
        kept: replies and tails that are kept.

    """

    __slots__ = ("_exact", "_shapes", "_table", "_zones", "kept")

    def __init__(self, settings: Settings) -> None:
        self._shapes = Shapes(settings)
        self._table = ZoneTable()
        self._exact: dict[bytes, Prepared] = {}
        self._zones: dict[bytes, _OfZone] = {}
        self.kept = 0

    def follow(self, table: ZoneTable) -> None:
        """Answer from this table from now on: what was prepared of a zone that has changed is dropped."""
        if table is self._table:
            return
        if table.apexes is not self._table.apexes:
            self._forget()
        else:
            self._exact.clear()
            for apex, kept in list(self._zones.items()):
                if table.entry(apex) is not kept.entry:
                    del self._zones[apex]
            self.kept = sum(len(kept.whole) + len(kept.tails) for kept in self._zones.values())
        self._table = table

    def find(self, wire: bytes) -> Prepared | None:
        """Return what is prepared for a message that came by UDP, unless it is for the reference."""
        return self._exact.get(wire[2:]) or self._find(wire)

    def _find(self, wire: bytes) -> Prepared | None:
        question = self._read(wire)
        if question is None:
            return None
        name, starts, ends, asked, (shape, limit) = question
        kept, apex = self._zone_of(name, starts, asked)
        if kept is None:
            return None
        found = kept.whole.get(shape + asked + name)
        if found is not None:
            if not found.fits(limit):
                return None
            if name == wire[12 : ends - 4]:
                self._keep_exact(wire, found)
            return found
        place = self._place(kept, name, starts, apex)
        if place is None:
            return None
        key = shape + place[0]
        found = kept.tails.get(key + asked if key in kept.by_type else key)
        return found if found is not None and found.fits(limit) and place[1] not in found.taken else None

    def remember(self, wire: bytes, response: Response) -> None:
        """Keep what the reference has replied to a message by UDP, as far as it can serve again."""
        question = self._read(wire)
        if question is None or response.options or response.verified:
            return
        name, starts, ends, asked, (shape, limit) = question
        reply = response.wire
        prepared = Prepared(reply[2:12], reply[ends:], ends, response.sort, response.subject, reply[3] & 0xF, limit)
        self._keep_exact(wire, prepared)
        # A synthesis (DNAME) repeats the letters' case of the question.
        kept, apex = (None, 0) if _DNAME in prepared.rest else self._zone_of(name, starts, asked, make=True)
        if kept is None:
            return
        if self.kept >= _MOST_KEPT:
            self._forget()
            return
        place = self._place(kept, name, starts, apex)
        if place is None:
            self._keep(kept.whole, shape + asked + name, prepared)
            return
        taken = last_labels(reply, ends, place[2])
        if taken is None or place[1] in taken or reply[2] & _TC:
            return
        key = shape + place[0]
        if reply[6:8] != b"\0\0" or prepared.sort not in _SAME_FOR_ALL_TYPES:
            kept.by_type.add(key)
            key += asked
        self._keep(kept.tails, key, prepared._replace(taken=taken))

    def _keep(self, among: dict[bytes, Prepared], key: bytes, prepared: Prepared) -> None:
        self.kept += key not in among
        among[key] = prepared

    def _read(self, wire: bytes) -> _Question | None:
        ends = wire.find(b"\0", 12) + 5
        if ends <= 5 or ends > len(wire) or wire[ends - 2 : ends] != _IN or wire[ends - 4 : ends - 2] in _TRANSFERS:
            return None
        shape = self._shapes.of(wire, ends)
        name = wire[12 : ends - 4].lower()
        starts = _labels(name)
        return None if shape is None or starts is None else _Question(name, starts, ends, wire[ends - 4 : ends - 2], shape)

    def _zone_of(self, name: bytes, starts: list[int], asked: bytes, *, make: bool = False) -> tuple[_OfZone | None, int]:
        """Return what is kept of the zone that answers, and the number of the label at which its apex begins."""
        entry: Zone | Unserved | None = None
        apex = b""
        label = -1
        for at in starts:
            label += 1
            kept = self._zones.get(name[at:])
            entry = kept.entry if kept is not None else self._table.entry(name[at:])
            if entry is not None:
                apex = name[at:]
                break
        if apex == name and asked == _DS:  # the parent's zone may answer
            return None, 0
        kept = self._zones.get(apex)
        if kept is None and make:
            if len(self._zones) >= _MOST_ZONES:
                self._forget()
            kept = self._zones[apex] = _OfZone(entry, held_names(entry) if isinstance(entry, Zone) else None)
        return kept, label

    @staticmethod
    def _place(kept: _OfZone, name: bytes, starts: list[int], apex: int) -> tuple[bytes, bytes, int] | None:
        """Return what a name that does not exist has in common with others, its label below the encloser, and where that begins.

        None for a name that exists, and where nobody knows.
        """
        if not isinstance(kept.entry, Zone):  # an error, whatever the name
            return bytes([len(name)]), b"", 12
        if kept.names is None:
            return None
        label = kept.names.closest(name, starts, apex)
        if not label:
            return None
        at = starts[label]
        return bytes([at]) + name[at:], name[starts[label - 1] : at], 12 + at

    def _keep_exact(self, wire: bytes, prepared: Prepared) -> None:
        if len(self._exact) >= _MOST_KEPT:
            self._exact.clear()
        self._exact[wire[2:]] = prepared

    def _forget(self) -> None:
        self._exact.clear()
        self._zones.clear()
        self.kept = 0


def _labels(name: bytes) -> list[int] | None:
    """Return where the labels of a name begin, the root's included; None when the octets are no name."""
    starts = []
    at = 0
    end = len(name) - 1
    while at < end:
        if name[at] > 63:
            return None
        starts.append(at)
        at += 1 + name[at]
    if at != end or end > 254:
        return None
    starts.append(at)
    return starts
