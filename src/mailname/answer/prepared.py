"""Prepared answers: replies of the reference (``reply_to``) kept in parts, from which other replies are put together without it.

Kept is what depends on a question's octets and the zone alone. A whole reply answers the same question again, however the
client spells it. The tail of a reply about a name that does not exist, or that lies below a zone cut or where a wildcard stands
for it, answers for every other name of that length below the same closest encloser: a flood of names that are never asked twice
costs one reply of the reference for each length. So does the REFUSED of names that are not ours. Nothing is made up here: the
octets are those that the reference gave, and whatever may differ goes to it. What is kept is bounded, and goes with the zone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mailname.answer.question_shape import Shapes
from mailname.answer.reply import Sort
from mailname.answer.table import ZoneTable
from mailname.answer.tail_names import last_labels
from mailname.zone import Zone
from mailname.zone.held_names import held_names

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dns.name import Name

    from mailname.answer import Unserved
    from mailname.answer.respond import Response
    from mailname.answer.settings import Settings

_MOST_KEPT = 10_000  # replies and tails of all zones together, and the same again by the octets of a whole question
_MOST_ZONES = 2_000
_DS = b"\0\x2b"
_TRANSFERS = frozenset({b"\0\xfb", b"\0\xfc"})
_SAME_FOR_ALL_TYPES = frozenset({Sort.NXDOMAIN, Sort.REFERRAL, Sort.ERROR})
_DNAME = b"\0\x27\0\1"
_TC = 0x02
_LONGEST_NAME = 255
_OCTETS = [bytes([number]) for number in range(256)]


class Prepared(NamedTuple):
    """All of a reply but its id and its question, which are the client's.

    Attributes:
        head: flags and counts, 10 octets.
        rest: what follows the question.
        question_ends: where the question ends: after that many octets of the message.
        sort, subject: as in ``Response``.
        kind: the response code, with 16 for EDNS and 32 for DO.
        limit: octets that the reply might have had: what did not fit into those was left out.
        size: octets that it has.
        tally: a number that the one who sends it counts up; one for each zone.
        taken: labels of which a name below the closest encloser may have none there; of a whole reply, none.

    """

    head: bytes
    rest: bytes
    question_ends: int
    sort: Sort
    subject: Name
    kind: int
    limit: int
    size: int
    tally: list[int]
    taken: frozenset[bytes] = frozenset()

    def reply(self, wire: bytes) -> bytes:
        """Return the reply to a message for which this is prepared."""
        return wire[:2] + self.head + wire[12 : self.question_ends] + self.rest


class _OfZone:
    """What is kept of one zone; of no zone, too.

    Attributes:
        entry: what is kept belongs to it alone.
        whole: replies, by shape, type and name.
        tails: by shape, place and name of the closest encloser, and by type where that matters.
        closest: finds the closest encloser, as ``HeldNames.closest``. Where all names get the same error, each is taken for one
            that does not exist; where nobody knows, for one that does.

    """

    __slots__ = ("closest", "entry", "tails", "whole")

    def __init__(self, entry: Zone | Unserved | None) -> None:
        self.entry = entry
        self.whole: dict[bytes, Prepared] = {}
        self.tails: dict[bytes, Prepared] = {}
        self.closest: Callable[[bytes, Sequence[int]], int] = _is_not_held
        if isinstance(entry, Zone):
            held = held_names(entry)
            self.closest = _is_held if held is None else held.closest


def _is_held(_name: bytes, _starts: Sequence[int]) -> int:
    return 0


def _is_not_held(_name: bytes, starts: Sequence[int]) -> int:
    return len(starts) - 1


class PreparedAnswers:
    """The prepared answers of one server.

    Attributes:
        kept: replies and tails that are kept.
        tallies: by apex, how many replies were sent about names there; no octets stand for no zone of ours.

    """

    __slots__ = ("_changes", "_exact", "_shapes", "_table", "_zones", "kept", "tallies")

    def __init__(self, settings: Settings) -> None:
        self._shapes = Shapes(settings)
        self._table = ZoneTable()
        self._exact: dict[bytes, Prepared] = {}
        self._zones: dict[bytes, _OfZone] = {}
        self._changes = 0  # of the table since all that is kept was looked through
        self.kept = 0
        self.tallies: dict[bytes, list[int]] = {}

    def follow(self, table: ZoneTable) -> None:
        """Answer from this table from now on: what was prepared of a zone that has changed is dropped."""
        if table is self._table:
            return
        if table.apexes is not self._table.apexes:
            self._forget()
            self.tallies = {apex: tally for apex, tally in self.tallies.items() if apex in table.octets}
            self._changes = 0
        else:
            self._exact.clear()
            self._changes += 1
        self._table = table
        # Thousands of zones may change, one after the other: all that is kept is not looked through for each of them.
        if self._changes > len(self._zones):
            self._changes = 0
            for apex in list(self._zones):
                self._current(apex)

    def _current(self, apex: bytes) -> _OfZone | None:
        """Return what is kept of a zone as it is served now; what was kept of an older version is dropped."""
        kept = self._zones.get(apex)
        if kept is not None and self._table.entry(apex) is not kept.entry:
            del self._zones[apex]
            self.kept -= len(kept.whole) + len(kept.tails)
            return None
        return kept

    def find(self, wire: bytes) -> Prepared | None:
        """Return what is prepared for a message that came by UDP, unless it is for the reference."""
        return self._exact.get(wire[2:]) or self._find(wire)

    def _find(self, wire: bytes) -> Prepared | None:
        ends = wire.find(b"\0", 12) + 5
        shape = self._shapes.known.get(wire[2:12] + wire[ends - 2 :]) or self._shapes.of(wire, ends)
        if shape is None:
            return None
        key, limit = shape
        name, asked = wire[12 : ends - 4].lower(), wire[ends - 4 : ends - 2]
        apex, starts = self._apex(name)
        kept = self._current(apex)
        if kept is None or not starts or asked in _TRANSFERS:
            return None
        found = kept.whole.get(key + asked + name)
        if found is not None:
            if not found.size <= limit <= found.limit:  # the reference would leave out more, or less
                return None
            if name == wire[12 : ends - 4]:
                self._keep_exact(wire, found)
            return found
        label = kept.closest(name, starts)
        if not label:
            return None
        at = starts[label]
        key += _OCTETS[at] + name[at:]
        found = kept.tails.get(key) or kept.tails.get(key + asked)
        if found is None or name[starts[label - 1] : at] in found.taken or not found.size <= limit <= found.limit:
            return None
        return found

    def remember(self, wire: bytes, response: Response) -> None:
        """Keep what the reference has replied to a message by UDP, as far as it can serve again."""
        ends = wire.find(b"\0", 12) + 5
        shape = self._shapes.of(wire, ends)
        if shape is None or response.options or response.verified:
            return
        key, limit = shape
        name, asked = wire[12 : ends - 4].lower(), wire[ends - 4 : ends - 2]
        apex, starts = self._apex(name)
        if not starts:
            return
        reply = response.wire
        kind = reply[3] & 0xF | (key[0] & 6) << 3
        tally = self.tallies.setdefault(apex, [0])
        prepared = Prepared(reply[2:12], reply[ends:], ends, response.sort, response.subject, kind, limit, len(reply), tally)
        self._keep_exact(wire, prepared)
        # The parent's zone may answer for DS. A synthesis (DNAME) repeats the letters' case of the question.
        if (apex == name and asked == _DS) or _DNAME in prepared.rest:
            return
        if self.kept >= _MOST_KEPT or len(self._zones) >= _MOST_ZONES:
            self._forget()
        kept = self._current(apex)
        if kept is None:
            kept = self._zones[apex] = _OfZone(self._table.entry(apex))
        label = kept.closest(name, starts)
        if not label:
            self._keep(kept.whole, key + asked + name, prepared)
            return
        at = starts[label]
        taken = last_labels(reply, ends, 12 + at)
        if taken is None or reply[2] & _TC:  # what was left out may name anything
            return
        key += _OCTETS[at] + name[at:]
        if reply[6:8] != b"\0\0" or prepared.sort not in _SAME_FOR_ALL_TYPES:
            key += asked
        self._keep(kept.tails, key, prepared._replace(taken=taken))

    def _apex(self, name: bytes) -> tuple[bytes, list[int]]:
        """Return the closest apex above a name or at it, in octets, and where the labels down to there begin.

        No octets when the name is in no zone of ours: then it is down to the root. No labels when the octets are no name.
        """
        table = self._table
        starts = []
        at, end = 0, len(name)
        while at < end <= _LONGEST_NAME:
            starts.append(at)
            suffix = name[at:]
            if table.entry(suffix) is not None:
                return suffix, starts
            length = suffix[0]
            if not length:
                return b"", starts
            if length > 63:
                break
            at += 1 + length
        return b"", []

    def _keep(self, among: dict[bytes, Prepared], key: bytes, prepared: Prepared) -> None:
        self.kept += key not in among
        among[key] = prepared

    def _keep_exact(self, wire: bytes, prepared: Prepared) -> None:
        if len(self._exact) >= _MOST_KEPT:
            self._exact.clear()
        self._exact[wire[2:]] = prepared

    def _forget(self) -> None:
        self._exact.clear()
        self._zones.clear()
        self.kept = 0
