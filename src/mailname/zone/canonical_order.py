"""Owners put in canonical order (RFC 4034 section 6.1), by radix sort. The same source runs compiled and uncompiled."""

# No `from __future__ import annotations` here: the annotations are C types.
import cython

if cython.compiled:
    from cython.cimports.libc.stdlib import free, malloc
    from cython.cimports.libc.string import memcpy
    from cython.cimports.mailname.zone.owner_index import OWNER
else:
    from mailname.zone.owner_index import OWNER

_FEW = cython.declare(cython.uint, 48)  # so many are sorted by insertion
_MANY = cython.declare(cython.uint, 100_000)  # owners, after which the memory is given back


class CanonicalOrder:
    """Sorts the owners of one zone. May be used again for the next zone."""

    def __cinit__(self) -> None:
        if cython.compiled:
            self.order = self.spare = cython.NULL
            self.keys = self.spare_keys = cython.NULL

    def __init__(self) -> None:
        self.room = 0

    def __dealloc__(self) -> None:
        if cython.compiled:
            self.free_all()

    def sort(self, index, data):
        """Put an index's owners into canonical order; False where memory ends."""
        i: cython.uint
        good: cython.bint = True
        self.moved = False
        if not self._reserve(index.count):
            return False
        for i in range(index.count):
            self.order[i] = i
        self._sort(index, data, 0, index.count, 0)
        if self.moved:
            good = index.put_in_order(self.order, self.spare)
        if cython.compiled and self.room > _MANY:
            self.free_all()
        return good

    def _reserve(self, count):
        room: cython.size_t = count
        if not cython.compiled:
            self.order, self.spare, self.keys, self.spare_keys = ([0] * count for _ in range(4))
        elif count > self.room:
            self.free_all()
            room += room >> 2
            self.order = cython.cast(cython.p_uint, malloc(4 * room))
            self.spare = cython.cast(cython.p_uint, malloc(4 * room))
            self.keys = cython.cast(cython.p_ulonglong, malloc(8 * room))
            self.spare_keys = cython.cast(cython.p_ulonglong, malloc(8 * room))
            if (
                self.order == cython.NULL
                or self.spare == cython.NULL
                or self.keys == cython.NULL
                or self.spare_keys == cython.NULL
            ):
                self.free_all()
                return False
            self.room = cython.cast(cython.uint, room)
        return True

    def free_all(self):
        """Free what sorting needs."""
        if cython.compiled:
            free(self.order)
            free(self.spare)
            free(self.keys)
            free(self.spare_keys)
            self.order = self.spare = cython.NULL
            self.keys = self.spare_keys = cython.NULL
            self.room = 0

    def _key(self, index, data, owner, depth):
        """Return eight octets, from ``depth`` on, of a text that sorts as the name does.

        The text: labels from below the apex downwards, each ended by a zero octet; zeros and ones in labels are doubled.
        """
        place: cython.uint = index.owners[OWNER * owner]
        labels: cython.int = ((index.owners[OWNER * owner + 4] >> 8) & 255) - index.apex_labels
        label: cython.int = 0
        starts: cython.uchar[130]
        if not cython.compiled:
            starts = bytearray(130)
        at: cython.uint = place
        end: cython.int = depth + 8
        position: cython.int = 0
        key: cython.ulonglong = 0
        octet: cython.uint
        left: cython.int
        while label < labels:
            starts[label] = at - place
            label += 1
            at += 1 + data[at]
        while label > 0 and position < end:
            label -= 1
            at = place + starts[label]
            left = data[at]
            while left and position < end:
                at += 1
                left -= 1
                octet = index.lower[data[at]]
                if octet < 2:
                    if position >= depth:
                        key = (key << 8) | 1
                    position += 1
                    if position == end:
                        return key
                    octet += 1
                if position >= depth:
                    key = (key << 8) | octet
                position += 1
            if position < end:
                if position >= depth:
                    key = key << 8
                position += 1
        while position < end:
            if position >= depth:
                key = key << 8
            position += 1
        return key

    def _sort(self, index, data, first, end, depth):
        """Sort the owners from ``first`` to before ``end``, which are alike in ``depth`` octets of their sorting text."""
        i: cython.uint
        j: cython.uint
        owner: cython.uint
        key: cython.ulonglong
        sorted_already: cython.bint = True
        for i in range(first, end):
            self.keys[i] = self._key(index, data, self.order[i], depth)
            if i > first and self.keys[i] < self.keys[i - 1]:
                sorted_already = False
        if not sorted_already:
            self.moved = True
            if end - first > _FEW:
                self._radix(first, end)
            else:
                for i in range(first + 1, end):
                    key = self.keys[i]
                    owner = self.order[i]
                    j = i
                    while j > first and self.keys[j - 1] > key:
                        self.keys[j] = self.keys[j - 1]
                        self.order[j] = self.order[j - 1]
                        j -= 1
                    self.keys[j] = key
                    self.order[j] = owner
        i = first
        while i < end:
            j = i + 1
            while j < end and self.keys[j] == self.keys[i]:
                j += 1
            if j - i > 1:
                self._sort(index, data, i, j, depth + 8)
            i = j

    def _radix(self, first, end):
        """Sort by the keys: stable, octet by octet from the last."""
        counts: cython.uint[256]
        if not cython.compiled:
            counts = [0] * 256
        shift: cython.int
        i: cython.uint
        octet: cython.uint
        total: cython.uint
        many: cython.uint
        place: cython.uint
        for shift in range(0, 64, 8):
            for octet in range(256):
                counts[octet] = 0
            for i in range(first, end):
                counts[(self.keys[i] >> shift) & 255] += 1
            if counts[(self.keys[first] >> shift) & 255] == end - first:
                continue
            total = first
            for octet in range(256):
                many = counts[octet]
                counts[octet] = total
                total += many
            for i in range(first, end):
                octet = (self.keys[i] >> shift) & 255
                place = counts[octet]
                counts[octet] += 1
                self.spare[place] = self.order[i]
                self.spare_keys[place] = self.keys[i]
            if cython.compiled:
                memcpy(self.order + first, self.spare + first, cython.cast(cython.size_t, end - first) * 4)
                memcpy(self.keys + first, self.spare_keys + first, cython.cast(cython.size_t, end - first) * 8)
            else:
                self.order[first:end] = self.spare[first:end]
                self.keys[first:end] = self.spare_keys[first:end]
