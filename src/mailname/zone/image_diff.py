"""What is different between two images of one zone: the records that went and those that came.

Both stand in canonical order, so that one walk finds it; what is the same is compared octet by octet and not looked into. A
record whose TTL is another went and came. The same source runs compiled, without the interpreter's lock, and uncompiled.
"""

# No `from __future__ import annotations` here: the annotations are C types.
import cython

from mailname.zone.image_merge_view import ImageView
from mailname.zone.owner_index import OwnerIndex
from mailname.zone.packed import PackedRecords

if cython.compiled:
    from cython.cimports.libc.string import memcmp
    from cython.cimports.mailname.zone.image_merge_records import unpack_record
    from cython.cimports.mailname.zone.image_merge_view import NOWHERE
    from cython.cimports.mailname.zone.owner_index import OWNER
else:
    from mailname.zone.image_merge_records import unpack_record
    from mailname.zone.image_merge_view import NOWHERE
    from mailname.zone.owner_index import OWNER

    PLACES = 128
    COMPARED, TOO_MUCH, NO_MEMORY = range(3)

_SOA = cython.declare(cython.uint, 6)
_FEW = cython.declare(cython.uint, 128)  # records of an RRset that are compared each with each
_AHEAD = cython.declare(cython.uint, 16)  # records of a larger one among which a record is looked for
_REMOVE = cython.declare(cython.uint, 0)
_ADD = cython.declare(cython.uint, 1)
_COMPARED = cython.declare(cython.int, 0)
_TOO_MUCH = cython.declare(cython.int, 1)
_NO_MEMORY = cython.declare(cython.int, 2)


class ImageDiff:
    """One comparison.

    Attributes:
        removed: records that are in the old image only, the SOA first.
        added: records that are in the new image only, the SOA first.

    """

    def __init__(self, old: ImageView, new: ImageView, most: cython.uint) -> None:
        """Begin.

        Args:
            old: the zone before.
            new: the zone afterwards.
            most: octets of names and records; a difference that has more is TOO_MUCH.

        """
        self.old = old
        self.new = new
        self.most = most
        self.removed = PackedRecords()
        self.added = PackedRecords()
        self.owner_removed = self.owner_added = NOWHERE
        if not cython.compiled:
            self.name = bytearray(256)
            self.ones = [0] * PLACES
            self.others = [0] * PLACES

    def all(self) -> int:
        """Compare all; return COMPARED, or why it was given up."""
        result: cython.int
        if cython.compiled:
            with cython.nogil:
                result = self._all()
        else:
            result = self._all()
        return result

    def _all(self):
        one: cython.uint = 0
        other: cython.uint = 0
        good: cython.bint = self._soa()
        while one < self.old.nodes or other < self.new.nodes:
            if one < self.old.nodes and other < self.new.nodes and self._same_name(one, other):
                good = good and self._nodes(one, other)
                one += 1
                other += 1
            elif other == self.new.nodes or (one < self.old.nodes and self._comes_first(one, other)):
                good = good and self._nodes(one, NOWHERE)
                one += 1
            else:
                good = good and self._nodes(NOWHERE, other)
                other += 1
            if not good:
                return _NO_MEMORY
            if self.removed.size + self.added.size > self.most:
                return _TOO_MUCH
        return _COMPARED

    def some(self, changes: PackedRecords, apex: bytes) -> int:
        """Compare what owners of these records have, and nothing else; return as ``all`` does.

        Args:
            changes: records of the zone; whatever differs between the images has an owner of these.
            apex: the zone's, in wire form.

        """
        owner: cython.uint
        one: cython.uint
        other: cython.uint
        i: cython.uint
        place: cython.uint
        self.index = OwnerIndex()
        self.index.begin(apex)
        if not self.index.take(changes) or not self._soa():
            return _NO_MEMORY
        for owner in range(self.index.count):
            place = self.index.owners[OWNER * owner]
            for i in range(self.index.owners[OWNER * owner + 4] & 255):
                self.name[i] = self.index.lower[changes.data[place + i]]
            one = self.old.place(self.name, 0)
            if not self.old.found:
                one = NOWHERE
            other = self.new.place(self.name, 0)
            if not self.new.found:
                other = NOWHERE
            if not self._nodes(one, other):
                return _NO_MEMORY
        return _TOO_MUCH if self.removed.size + self.added.size > self.most else _COMPARED

    def _same_name(self, one, other):
        length: cython.uint = self.old.data[self.old.node(one) + 8]
        at: cython.uint = self.old.lower(one)
        place: cython.uint = self.new.lower(other)
        if length != self.new.data[self.new.node(other) + 8]:
            return False
        if cython.compiled:
            return memcmp(self.old.data + at, self.new.data + place, length) == 0
        return self.old.data[at : at + length] == self.new.data[place : place + length]

    def _comes_first(self, one, other):
        """Tell whether an old node comes before a new one, which is another."""
        at: cython.uint = self.old.lower(one)
        return self.new.order(self.old.data, at, other) < 0

    def _soa(self):
        """Compare the SOAs, which come first."""
        one: cython.uint = self.old.with_type(0, _SOA)
        other: cython.uint = self.new.with_type(0, _SOA)
        if self._same_rrset(one, other):
            return True
        return self._whole(True, 0, one) and self._whole(False, 0, other)

    def _nodes(self, one, other):
        """Compare the RRsets of a node in both images; NOWHERE where it is in one only."""
        at: cython.uint = 0 if one == NOWHERE else self.old.first(one)
        end: cython.uint = 0 if one == NOWHERE else at + self.old.count(one)
        place: cython.uint = 0 if other == NOWHERE else self.new.first(other)
        stop: cython.uint = 0 if other == NOWHERE else place + self.new.count(other)
        old: cython.uint
        new: cython.uint
        self.owner_removed = self.owner_added = NOWHERE
        while at < end or place < stop:
            old = self.old.u16(self.old.rrset(at)) if at < end else 65536
            new = self.new.u16(self.new.rrset(place)) if place < stop else 65536
            if old == new:
                if old != _SOA and not self._same_rrset(at, place) and not self._rrsets(one, other, at, place):
                    return False
                at += 1
                place += 1
            elif old < new:
                if old != _SOA and not self._whole(True, one, at):
                    return False
                at += 1
            else:
                if new != _SOA and not self._whole(False, other, place):
                    return False
                place += 1
        return True

    def _same_rrset(self, one, other):
        """Tell whether the records of two RRsets of one type are the same octets, TTLs included, in the same order."""
        at: cython.uint = self.old.rrset(one)
        place: cython.uint = self.new.rrset(other)
        length: cython.uint = self.old.u32(at + 16)
        if length != self.new.u32(place + 16):
            return False
        at = self.old.blob_at + self.old.u32(at + 12)
        place = self.new.blob_at + self.new.u32(place + 12)
        if cython.compiled:
            return memcmp(self.old.data + at, self.new.data + place, length) == 0
        return self.old.data[at : at + length] == self.new.data[place : place + length]

    def _rrsets(self, one, other, old, new):
        """Compare the records of two RRsets of one type, which are not the same."""
        at: cython.uint = self.old.blob_at + self.old.u32(self.old.rrset(old) + 12)
        place: cython.uint = self.new.blob_at + self.new.u32(self.new.rrset(new) + 12)
        left: cython.uint = self.old.u16(self.old.rrset(old) + 4)
        more: cython.uint = self.new.u16(self.new.rrset(new) + 4)
        i: cython.uint
        if left > _FEW or more > _FEW:
            return self._many(one, at, left, other, place, more)
        for i in range(left):
            self.ones[i] = at
            at += _octets(self.old, at)
        for i in range(more):
            self.others[i] = place
            place += _octets(self.new, place)
        return self._few(one, left, other, more)

    def _few(self, one, left, other, more):
        """Compare each record of one RRset with each of the other."""
        i: cython.uint
        k: cython.uint
        for i in range(left):
            for k in range(more):
                if self.others[k] and self._same_record(self.ones[i], self.others[k]):
                    self.others[k] = 0
                    break
            else:
                if not self._record(True, one, self.ones[i]):
                    return False
        for k in range(more):
            if self.others[k] and not self._record(False, other, self.others[k]):
                return False
        return True

    def _many(self, one, at, left, other, place, more):
        """Compare two RRsets record by record; one that stands far from its place goes and comes again."""
        ahead: cython.uint
        skipped: cython.uint
        while left:
            ahead = place
            skipped = 0
            while skipped < more and skipped < _AHEAD and not self._same_record(at, ahead):
                ahead += _octets(self.new, ahead)
                skipped += 1
            if skipped in (more, _AHEAD):
                if not self._record(True, one, at):
                    return False
            else:
                more -= skipped + 1
                while skipped:
                    if not self._record(False, other, place):
                        return False
                    place += _octets(self.new, place)
                    skipped -= 1
                place += _octets(self.new, place)
            at += _octets(self.old, at)
            left -= 1
        while more:
            if not self._record(False, other, place):
                return False
            place += _octets(self.new, place)
            more -= 1
        return True

    def _same_record(self, one, other):
        length: cython.uint = _octets(self.old, one)
        if length != _octets(self.new, other):
            return False
        if cython.compiled:
            return memcmp(self.old.data + one, self.new.data + other, length) == 0
        return self.old.data[one : one + length] == self.new.data[other : other + length]

    def _whole(self, gone, node, rrset):
        """Take all records of an RRset of the old image or of the new one."""
        at: cython.uint
        left: cython.uint
        if gone:
            at = self.old.blob_at + self.old.u32(self.old.rrset(rrset) + 12)
            left = self.old.u16(self.old.rrset(rrset) + 4)
        else:
            at = self.new.blob_at + self.new.u32(self.new.rrset(rrset) + 12)
            left = self.new.u16(self.new.rrset(rrset) + 4)
        while left:
            if not self._record(gone, node, at):
                return False
            at += _octets(self.old, at) if gone else _octets(self.new, at)
            left -= 1
        return True

    def _record(self, gone, node, at):
        """Take a record of the old image or of the new one."""
        if gone:
            if self.owner_removed == NOWHERE:
                self.owner_removed = _owner(self.old, node, self.removed)
            return self.owner_removed != NOWHERE and unpack_record(self.old, at, self.owner_removed, self.removed, _REMOVE)
        if self.owner_added == NOWHERE:
            self.owner_added = _owner(self.new, node, self.added)
        return self.owner_added != NOWHERE and unpack_record(self.new, at, self.owner_added, self.added, _ADD)


def _owner(view, node, packed):
    """Put a node's name, as spelled, behind the records; return where it stands, NOWHERE where memory ends."""
    spelled: cython.uint = view.blob_at + view.u32(view.node(node) + 4)
    length: cython.uint = view.data[view.node(node) + 8]
    at: cython.uint = packed.size
    i: cython.uint
    if not packed.reserve(length):
        return NOWHERE
    for i in range(length):
        packed.data[at + i] = view.data[spelled + i]
    packed.size += length
    return at


def _octets(view, at):
    """Return how many octets the record at a place has."""
    return 12 + ((cython.cast(cython.uint, view.data[at + 10]) << 8) | view.data[at + 11])
