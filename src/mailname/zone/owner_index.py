"""The owners of packed records: found by hash, empty non-terminals added, in canonical order (RFC 4034 section 6.1).

``owners`` holds five numbers for each owner: where its name stands in the records' data, as spelled first; its first and its last
record; the name's hash; its length, number of labels and flags in one. The same source runs compiled and uncompiled.
"""

# No `from __future__ import annotations` here: the annotations are C types.
import cython

if cython.compiled:
    from cython.cimports.libc.stdlib import free, malloc, realloc
    from cython.cimports.libc.string import memcpy, memset
    from cython.cimports.mailname.zone.packed import ROW
else:
    from mailname.zone.packed import ROW

    OWNER = 5
    NONE = 0xFFFFFFFF

_32_BITS = cython.declare(cython.uint, 0xFFFFFFFF)
_MANY = cython.declare(cython.uint, 100_000)  # owners, after which memory is given back at once
_AHEAD = cython.declare(cython.uint, 16)
_SOME = cython.declare(cython.uint, 32)


class OwnerIndex:
    """The owners of one zone's records."""

    def __cinit__(self) -> None:
        if cython.compiled:
            self.owners = self.spare = self.table = self.outside = cython.NULL

    def __init__(self) -> None:
        self.count = self.room = self.spare_room = self.named = self.mask = self.table_room = 0
        self.outside_count = self.outside_room = 0
        if not cython.compiled:
            self.owners = []
            self.table = []
            self.outside = []
            self.apex = bytearray(256)
            self.lower = bytearray(256)
            self.hashes = [0] * 130
            self.starts = [0] * 130
            self.soon = [0] * (2 * _SOME)
        octet: cython.int
        for octet in range(256):
            self.lower[octet] = octet + 32 if 65 <= octet <= 90 else octet

    def __dealloc__(self) -> None:
        if cython.compiled:
            free(self.owners)
            free(self.spare)
            free(self.table)
            free(self.outside)

    def begin(self, apex: bytes) -> None:
        """Begin with a zone, whose apex is given in wire form."""
        if cython.compiled:
            self.take_apex(cython.cast(cython.p_uchar, cython.cast(cython.p_char, apex)), len(apex))
        else:
            self.take_apex(apex, len(apex))

    def take_apex(self, apex, length):
        """Do what ``begin`` says, without the interpreter."""
        place: cython.int
        self.count = self.outside_count = 0
        self.apex_length = length
        for place in range(length):
            self.apex[place] = self.lower[apex[place]]
        self.apex_labels = self.measure(self.apex, 0) >> 8
        self.apex_hash = self.hashes[0]

    def outside_records(self) -> list:
        """Return the records whose owners lie outside the zone, in order."""
        return [self.outside[i] for i in range(self.outside_count)]

    def measure(self, name, at):
        """Hash a name and all its suffixes; return its length, and above 8 bits the number of its labels without the root's.

        FNV-1a from the last octet to the first: see ``image.name_hash``. ``starts`` and ``hashes`` are set for each label.
        """
        end: cython.uint = at
        labels: cython.int = 0
        while name[end]:
            self.starts[labels] = end - at
            labels += 1
            end += 1 + name[end]
        length: cython.int = end - at + 1
        self.starts[labels] = length - 1
        hashed: cython.uint = 0x811C9DC5
        place: cython.int = length - 1
        label: cython.int = labels
        while label >= 0:
            while place >= self.starts[label]:
                hashed = ((hashed ^ self.lower[name[at + place]]) * 0x01000193) & _32_BITS
                place -= 1
            self.hashes[label] = hashed
            label -= 1
        return length | (labels << 8)

    def measure_below(self, name, at, begins):
        """Do the same for a name in which the apex ``begins``; ``starts`` and ``hashes`` are set down to the apex only."""
        end: cython.int = 0
        labels: cython.int = 0
        label: cython.int
        place: cython.int = begins - 1
        hashed: cython.uint = self.apex_hash
        while end < begins:
            self.starts[labels] = end
            labels += 1
            end += 1 + name[at + end]
        self.starts[labels] = begins
        self.hashes[labels] = hashed
        label = labels
        while label > 0:
            label -= 1
            end = self.starts[label]
            while place >= end:
                hashed = ((hashed ^ self.lower[name[at + place]]) * 0x01000193) & _32_BITS
                place -= 1
            self.hashes[label] = hashed
        return (begins + self.apex_length) | ((labels + self.apex_labels) << 8)

    def begins_apex(self, name, at):
        """Return how far into a name the zone's apex begins, -1 when the name is not in the zone."""
        end: cython.uint = at
        place: cython.int = 0
        while name[end]:
            end += 1 + name[end]
        begins: cython.int = end + 1 - at - self.apex_length
        if begins < 0:
            return -1
        while place < begins:
            place += 1 + name[at + place]
        if place != begins:
            return -1
        for place in range(self.apex_length):
            if self.lower[name[at + begins + place]] != self.apex[place]:
                return -1
        return begins

    def find(self, data, name, at, length, hashed):
        """Return the number of the owner with this name, or NONE."""
        place: cython.uint = hashed & self.mask
        owner: cython.uint
        other: cython.uint
        i: cython.int
        while self.table[place]:
            owner = self.table[place] - 1
            if self.owners[OWNER * owner + 3] == hashed and self.owners[OWNER * owner + 4] & 255 == length:
                other = self.owners[OWNER * owner]
                for i in range(length):
                    if self.lower[data[other + i]] != self.lower[name[at + i]]:
                        break
                else:
                    return owner
            place = (place + 1) & self.mask
        return NONE

    def _enter(self, owner):
        place: cython.uint = self.owners[OWNER * owner + 3] & self.mask
        while self.table[place]:
            place = (place + 1) & self.mask
        self.table[place] = owner + 1

    def _reserve(self, most):
        """Make room for ``most`` owners, and a hash table at most half full."""
        size: cython.uint = 16
        room: cython.uint
        owner: cython.uint
        if most > self.room:
            room = most + (most >> 2)
            if cython.compiled:
                owners = cython.cast(cython.p_uint, realloc(self.owners, cython.cast(cython.size_t, room) * (4 * OWNER)))
                if owners == cython.NULL:
                    return False
                self.owners = owners
            else:
                self.owners.extend([0] * (OWNER * (room - self.room)))
            self.room = room
        while size < 2 * most:
            size *= 2
        if cython.compiled:
            if size > self.table_room:
                free(self.table)
                self.table_room = 0
                self.table = cython.cast(cython.p_uint, malloc(cython.cast(cython.size_t, size) * 4))
                if self.table == cython.NULL:
                    return False
                self.table_room = size
            memset(self.table, 0, cython.cast(cython.size_t, size) * 4)
        else:
            self.table = [0] * size
        self.mask = size - 1
        for owner in range(self.count):
            self._enter(owner)
        return True

    def put_in_order(self, order, places):
        """Give the owners the numbers 0, 1, ... in this order; ``places`` has room for as many. False where memory ends."""
        owners = self.owners
        i: cython.uint
        old: cython.uint
        if cython.compiled:
            if self.spare_room < self.room:
                free(self.spare)
                self.spare_room = 0
                self.spare = cython.cast(cython.p_uint, malloc(cython.cast(cython.size_t, self.room) * (4 * OWNER)))
                if self.spare == cython.NULL:
                    return False
                self.spare_room = self.room
            self.owners = self.spare
            self.spare = owners
            i = self.room
            self.room = self.spare_room
            self.spare_room = i
            for i in range(self.count):
                if i + _AHEAD < self.count:
                    fetch(owners + OWNER * order[i + _AHEAD])  # noqa: F821 - C, from the .pxd
                memcpy(self.owners + OWNER * i, owners + OWNER * order[i], 4 * OWNER)
                places[order[i]] = i
            if self.spare_room > _MANY:
                free(self.spare)
                self.spare = cython.NULL
                self.spare_room = 0
        else:
            self.owners = [0] * len(owners)
            for i in range(self.count):
                old = order[i]
                self.owners[OWNER * i : OWNER * (i + 1)] = owners[OWNER * old : OWNER * (old + 1)]
                places[old] = i
        for i in range(self.mask + 1):
            if self.table[i]:
                self.table[i] = places[self.table[i] - 1] + 1
        return True

    def _add(self, place, length, labels, hashed):
        """Add an owner, which is not there yet."""
        owner: cython.uint = OWNER * self.count
        if (self.count == self.room or 2 * self.count > self.mask) and not self._reserve(2 * self.count + 8):
            return False
        self.owners[owner] = place
        self.owners[owner + 1] = self.owners[owner + 2] = NONE
        self.owners[owner + 3] = hashed
        self.owners[owner + 4] = length | (labels << 8)
        self._enter(self.count)
        self.count += 1
        return True

    def _note_outside(self, record):
        if not cython.compiled:
            self.outside.append(record)
        elif self.outside_count == self.outside_room:
            self.outside_room += self.outside_room + 16
            outside = cython.cast(cython.p_uint, realloc(self.outside, cython.cast(cython.size_t, self.outside_room) * 4))
            if outside == cython.NULL:
                self.outside_room = self.outside_count
                return False
            self.outside = outside
        if cython.compiled:
            self.outside[self.outside_count] = record
        self.outside_count += 1
        return True

    def take(self, packed):
        """Take the records' owners, and chain each owner's records in order; False where memory ends."""
        first: cython.uint = 0
        end: cython.uint
        if not self._reserve(packed.count):
            return False
        if not cython.compiled:
            self.outside = []
        self.last_place = self.last_owner = NONE
        while first < packed.count:
            end = first + _SOME
            if end > packed.count:
                end = packed.count
            if not self._take_some(packed, first, end):
                return False
            first = end
        return True

    def _take_some(self, packed, first, end):
        """Take a few records: first all names are hashed, so that their places in the table are at hand when needed."""
        data = packed.data
        rows = packed.rows
        record: cython.uint
        place: cython.uint
        before: cython.uint = self.last_place
        owner: cython.uint = self.last_owner
        last: cython.uint
        some: cython.uint
        begins: cython.int
        for record in range(first, end):
            place = rows[ROW * record]
            some = 2 * (record - first)
            self.soon[some] = 0
            if place != before and (begins := self.begins_apex(data, place)) >= 0:
                self.soon[some] = self.measure_below(data, place, begins)
                self.soon[some + 1] = self.hashes[0]
                if cython.compiled:
                    fetch(self.table + (self.hashes[0] & self.mask))  # noqa: F821 - C, from the .pxd
            before = place
        before = self.last_place
        for record in range(first, end):
            place = rows[ROW * record]
            some = 2 * (record - first)
            if place != before:
                before = place
                owner = NONE
                if self.soon[some]:
                    owner = self.find(data, data, place, self.soon[some] & 255, self.soon[some + 1])
                    if owner == NONE:
                        owner = self.count
                        if not self._add(place, self.soon[some] & 255, self.soon[some] >> 8, self.soon[some + 1]):
                            return False
            rows[ROW * record + 5] = NONE
            if owner == NONE:
                if not self._note_outside(record):
                    return False
                continue
            if rows[ROW * record + 2] >> 16 == 0:  # no record, only a name
                continue
            last = self.owners[OWNER * owner + 2]
            if last == NONE:
                self.owners[OWNER * owner + 1] = record
            else:
                rows[ROW * last + 5] = record
            self.owners[OWNER * owner + 2] = record
        self.last_place = before
        self.last_owner = owner
        return True

    def add_empty_non_terminals(self, data):
        """Add the names between owners and the apex that have no records (RFC 4592 section 2.2.2); False where memory ends."""
        owner: cython.uint
        place: cython.uint
        label: cython.int
        labels: cython.int
        length: cython.int
        self.named = self.count
        for owner in range(self.named):
            labels = (self.owners[OWNER * owner + 4] >> 8) & 255
            if labels <= self.apex_labels + 1:
                continue
            place = self.owners[OWNER * owner]
            length = self.measure(data, place) & 255
            for label in range(1, labels - self.apex_labels):
                if self.find(data, data, place + self.starts[label], length - self.starts[label], self.hashes[label]) != NONE:
                    break
                if not self._add(place + self.starts[label], length - self.starts[label], labels - label, self.hashes[label]):
                    return False
        return True
