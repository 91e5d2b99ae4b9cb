"""The records of an image taken out again, and changed: those of the owners that changes touch, or all.

The same source runs compiled, without the interpreter's lock, and uncompiled.
"""

# No `from __future__ import annotations` here: the annotations are C types.
import cython

from mailname.zone.image_merge_view import ImageView
from mailname.zone.owner_index import OwnerIndex
from mailname.zone.packed import PackedRecords

if cython.compiled:
    from cython.cimports.libc.stdlib import free, realloc
    from cython.cimports.libc.string import memcpy
    from cython.cimports.mailname.zone.owner_index import NONE, OWNER
    from cython.cimports.mailname.zone.packed import ROW
    from cython.cimports.mailname.zone.same_rdata import DIFFERENT, SAME, compare_rdata, hash_rdata
else:
    from mailname.zone.owner_index import NONE, OWNER
    from mailname.zone.packed import ROW
    from mailname.zone.same_rdata import DIFFERENT, SAME, compare_rdata, hash_rdata

GATHERED, NOT_THERE, OUTSIDE, FULL, THERE = range(5)
REMOVE, ADD = range(2)  # what is to be done with a record: its ``at``

_GATHERED = cython.declare(cython.int, 0)
_NOT_THERE = cython.declare(cython.int, 1)
_OUTSIDE = cython.declare(cython.int, 2)
_FULL = cython.declare(cython.int, 3)
_THERE = cython.declare(cython.int, 4)
_GONE = cython.declare(cython.uint, 0xFFFFFFFE)


def unpack(view, node, packed):
    """Put a node's records behind the others, names in them written out; False where memory ends."""
    entry: cython.uint
    spelled: cython.uint = view.blob_at + view.u32(view.node(node) + 4)
    length: cython.uint = view.data[view.node(node) + 8]
    owner: cython.uint
    at: cython.uint
    number: cython.uint
    left: cython.uint
    if not packed.reserve(length):
        return False
    owner = packed.size
    _move(view.data, spelled, packed.data, owner, length)
    packed.size += length
    for number in range(view.first(node), view.first(node) + view.count(node)):
        entry = view.rrset(number)
        at = view.blob_at + view.u32(entry + 12)
        left = view.u16(entry + 4)
        while left:
            if not unpack_record(view, at, owner, packed, 0):
                return False
            packed.rows[ROW * (packed.count - 1) + 1] = view.u32(entry + 8)  # the RRset's, also where it is one of signatures
            at += 12 + ((cython.cast(cython.uint, view.data[at + 10]) << 8) | view.data[at + 11])
            left -= 1
    return True


def unpack_record(view, at, owner, packed, mark):
    """Put the record at a place behind the others, names in it written out; False where memory ends."""
    end: cython.uint = at + 12 + ((cython.cast(cython.uint, view.data[at + 10]) << 8) | view.data[at + 11])
    rdtype: cython.uint = (cython.cast(cython.uint, view.data[at + 2]) << 8) | view.data[at + 3]
    ttl: cython.uint = (
        (cython.cast(cython.uint, view.data[at + 6]) << 24)
        | (cython.cast(cython.uint, view.data[at + 7]) << 16)
        | (cython.cast(cython.uint, view.data[at + 8]) << 8)
        | view.data[at + 9]
    )
    begins: cython.uint
    at += 12
    if not packed.reserve(end - at + 512):
        return False
    begins = packed.size
    if rdtype == 2 or rdtype == 5 or rdtype == 12:
        packed.size = _expand(view, packed.data, begins, at, end, 1)
    elif rdtype == 6:
        packed.size = _expand(view, packed.data, begins, at, end, 2)
    elif rdtype == 15:
        packed.data[begins] = view.data[at]
        packed.data[begins + 1] = view.data[at + 1]
        packed.size = _expand(view, packed.data, begins + 2, at + 2, end, 1)
    else:
        packed.size = _expand(view, packed.data, begins, at, end, 0)
    packed.finish(owner, ttl, rdtype, begins, packed.size - begins, mark)
    return True


def _expand(view, out, to, at, end, names):
    """Copy rdata from ``at`` to before ``end``, where so many names may end in a pointer; return where the copy ends."""
    apex: cython.uint = view.blob_at + view.u32(view.nodes_at + 4)
    stop: cython.uint
    points: cython.bint
    while names:
        stop = at
        while view.data[stop] and view.data[stop] < 0xC0:
            stop += 1 + view.data[stop]
        points = view.data[stop] != 0
        if not points:
            stop += 1
        _move(view.data, at, out, to, stop - at)
        to += stop - at
        at = stop
        if points:
            _move(view.data, apex, out, to, view.apex_length)
            to += view.apex_length
            at += 2
        names -= 1
    _move(view.data, at, out, to, end - at)
    return to + end - at


def _move(source, at, out, to, length):
    if cython.compiled:
        memcpy(out + to, source + at, length)
    else:
        out[to : to + length] = source[at : at + length]


class TouchedRecords:
    """The records that the owners of changes, and the owners above these, have afterwards.

    A change is a packed record whose ``at`` is REMOVE or ADD; they are applied in order. A record is told by its owner, type and
    rdata. The first row names the apex, without a record.

    Attributes:
        packed: the records; within an RRset, those that stay come first.
        index: their owners.
        wrong: the change that cannot be made.
        strict: a record that is there cannot be added.

    """

    def __cinit__(self) -> None:
        if cython.compiled:
            self.table = cython.NULL

    def __init__(self, view: ImageView, changes: PackedRecords, apex: bytes) -> None:
        self.view = view
        self.changes = changes
        self.packed = PackedRecords()
        self.index = OwnerIndex()
        self.index.begin(apex)
        self.wrong = NONE
        self.strict = False
        self.table_room = self.mask = self.kept = 0
        if not cython.compiled:
            self.table = []
            self.name = bytearray(256)

    def __dealloc__(self) -> None:
        if cython.compiled:
            free(self.table)

    def gather(self) -> int:
        """Take the records from the image and apply the changes; return GATHERED, or why they cannot be applied."""
        result: cython.int
        if cython.compiled:
            with cython.nogil:
                result = self._gather()
        else:
            result = self._gather()
        return result

    def _gather(self):
        owner: cython.uint
        node: cython.uint
        change: cython.uint
        result: cython.int
        first: cython.uint
        place: cython.uint
        if not self.index.take(self.changes) or not self.index.add_empty_non_terminals(self.changes.data):
            return _FULL
        if self.index.outside_count:
            self.wrong = self.index.outside[0]
            return _OUTSIDE
        for owner in range(self.index.count):
            node = self._node(owner)
            first = self.packed.count
            if node != NONE and not unpack(self.view, node, self.packed):
                return _FULL
            if not self._begin_table(self.packed.count - first + self._changes_of(owner)):
                return _FULL
            while first < self.packed.count:
                self.packed.rows[ROW * first + 5] = 0
                self._enter(first)
                first += 1
            change = self.index.owners[OWNER * owner + 1]
            while change != NONE:
                result = self._apply(change)
                if result != _GATHERED:
                    self.wrong = change
                    return result
                change = self.changes.rows[ROW * change + 5]
            # The name alone, so that it is among the owners in any case.
            place = self.index.owners[OWNER * owner]
            place = self._copy(self.changes.data, place, self.index.owners[OWNER * owner + 4] & 255)
            if place == NONE:
                return _FULL
            self.packed.finish(place, 0, 0, place, 0, 0)
            self.packed.rows[ROW * (self.packed.count - 1) + 5] = 0
            self._drop_removed()
        return _GATHERED

    def _drop_removed(self):
        """Close the gaps between the last owner's records."""
        record: cython.uint
        i: cython.uint
        for record in range(self.kept, self.packed.count):
            if self.packed.rows[ROW * record + 5] != _GONE:
                for i in range(ROW):
                    self.packed.rows[ROW * self.kept + i] = self.packed.rows[ROW * record + i]
                self.kept += 1
        self.packed.count = self.kept

    def _changes_of(self, owner):
        count: cython.uint = 0
        change: cython.uint = self.index.owners[OWNER * owner + 1]
        while change != NONE:
            count += 1
            change = self.changes.rows[ROW * change + 5]
        return count

    def _node(self, owner):
        """Return the image's node with an owner's name, or NONE."""
        i: cython.uint
        place: cython.uint = self.index.owners[OWNER * owner]
        for i in range(self.index.owners[OWNER * owner + 4] & 255):
            self.name[i] = self.index.lower[self.changes.data[place + i]]
        place = self.view.place(self.name, 0)
        return place if self.view.found else NONE

    def _begin_table(self, records):
        """Begin a hash table of one owner's records."""
        size: cython.uint = 16
        i: cython.uint
        while size < 2 * records:
            size *= 2
        if not cython.compiled:
            self.table = [0] * size
        else:
            if size > self.table_room:
                table = cython.cast(cython.p_uint, realloc(self.table, cython.cast(cython.size_t, size) * 4))
                if table == cython.NULL:
                    return False
                self.table = table
                self.table_room = size
            for i in range(size):
                self.table[i] = 0
        self.mask = size - 1
        return True

    def _start(self, record):
        rdtype: cython.uint = self.packed.rows[ROW * record + 2] >> 16
        return (hash_rdata(self.packed, self.index.lower, record) ^ (rdtype * 40503)) & self.mask

    def _enter(self, record):
        place: cython.uint = self._start(record)
        while self.table[place]:
            place = (place + 1) & self.mask
        self.table[place] = record + 1

    def _search(self, record, exact):
        """Return the record that is the same as this one, or NONE; if not ``exact``, also one that may be: but for case it is."""
        place: cython.uint = self._start(record)
        other: cython.uint
        result: cython.int
        nearly: cython.uint = NONE
        rdtype: cython.uint = self.packed.rows[ROW * record + 2] >> 16
        while self.table[place]:
            other = self.table[place] - 1
            place = (place + 1) & self.mask
            if self.packed.rows[ROW * other + 5] == _GONE or self.packed.rows[ROW * other + 2] >> 16 != rdtype:
                continue
            result = compare_rdata(self.packed, self.index.lower, other, record)
            if result == SAME:
                return other
            if result != DIFFERENT and not exact:
                nearly = other
        return nearly

    def _apply(self, change):
        """Remove or add a record; one that is there already is not added."""
        row: cython.uint = ROW * change
        octets: cython.uint = self.packed.size
        other: cython.uint
        name: cython.uint = self.changes.rows[row]
        owner: cython.uint = self._copy(self.changes.data, name, self.index.measure(self.changes.data, name) & 255)
        rdata: cython.uint
        if owner == NONE:
            return _FULL
        rdata = self._copy(self.changes.data, self.changes.rows[row + 3], self.changes.rows[row + 2] & 65535)
        if rdata == NONE:
            return _FULL
        self.packed.finish(
            owner, self.changes.rows[row + 1], self.changes.rows[row + 2] >> 16, rdata, self.changes.rows[row + 2] & 65535, 0
        )
        self.packed.rows[ROW * (self.packed.count - 1) + 5] = 0
        other = self._search(self.packed.count - 1, self.changes.rows[row + 4] != 0)
        if self.changes.rows[row + 4] and other == NONE:
            self._enter(self.packed.count - 1)
            return _GATHERED
        self.packed.count -= 1
        self.packed.size = octets
        if not self.changes.rows[row + 4]:
            if other == NONE:
                return _NOT_THERE
            self.packed.rows[ROW * other + 5] = _GONE
        elif self.strict:
            return _THERE
        return _GATHERED

    def _copy(self, data, at, length):
        """Copy octets behind the others and return where they stand, NONE where memory ends."""
        start: cython.uint = self.packed.size
        if not self.packed.reserve(length):
            return NONE
        _move(data, at, self.packed.data, start, length)
        self.packed.size += length
        return start

    def whole(self) -> "PackedRecords | None":
        """Return all records of the zone as they are afterwards, the touched owners' first; None without memory."""
        packed = PackedRecords()
        good: cython.bint
        if cython.compiled:
            with cython.nogil:
                good = self._all(packed)
        else:
            good = self._all(packed)
        return packed if good else None

    def _all(self, whole):
        node: cython.uint
        record: cython.uint
        row: cython.uint
        base: cython.uint
        length: cython.uint
        at: cython.uint
        if not whole.reserve(self.packed.size):
            return False
        base = whole.size
        _move(self.packed.data, 0, whole.data, base, self.packed.size)
        whole.size += self.packed.size
        for record in range(self.packed.count):
            if not whole.reserve(0):
                return False
            row = ROW * record
            if self.packed.rows[row + 2] == 0:  # a name alone; whether it is there, its records and what is below it tell
                continue
            length = self.packed.rows[row + 2] & 65535
            at = base + self.packed.rows[row + 3]
            whole.finish(base + self.packed.rows[row], self.packed.rows[row + 1], self.packed.rows[row + 2] >> 16, at, length, 0)
        for node in range(self.view.nodes):
            at = self.view.lower(node)
            length = self.view.data[self.view.node(node) + 8]
            # ``measure`` puts the hash of the whole name first.
            self.index.measure(self.view.data, at)
            if self.index.find(self.changes.data, self.view.data, at, length, self.index.hashes[0]) != NONE:
                continue
            if not unpack(self.view, node, whole):
                return False
        return True
