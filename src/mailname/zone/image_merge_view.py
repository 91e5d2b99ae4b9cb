"""An image as merging sees it: numbers at places, nodes by number, by name, and by place in canonical order.

The layout is described in ``image``; the image is trusted. The same source runs compiled and uncompiled.
"""

# No `from __future__ import annotations` here: the annotations are C types.
import cython

if cython.compiled:
    from cython.cimports.libc.string import memcmp
else:
    NOWHERE = 0xFFFFFFFF


def has_list(rdtype):
    """Tell whether RRsets of a type have a list of pointers to the apex and of additional RRsets."""
    return rdtype == 2 or rdtype == 5 or rdtype == 6 or rdtype == 12 or rdtype == 15 or rdtype == 33


class ImageView:
    """One image. ``found`` tells whether the last ``place`` was that of the very name."""

    def __init__(self, image: object) -> None:
        self.held = image
        if cython.compiled:
            octets: cython.const_uchar[::1] = image
            self.data = cython.cast(cython.p_uchar, cython.address(octets[0]))
        else:
            self.data = image
            self.starts = bytearray(2 * 128)
        self.total = self.u32(8)
        self.nodes = self.u32(12)
        self.rrsets = self.u32(16)
        self.mask = self.u32(20)
        self.slots_at = self.u32(24)
        self.nodes_at = self.u32(28)
        self.rrsets_at = self.u32(32)
        self.lists_at = self.u32(36)
        self.blob_at = self.u32(40)
        self.records = self.u32(44)
        self.apex_length = self.data[60]
        self.flags = self.data[61]
        self.chain_at = self.u32(116)
        self.links = self.u32(120)
        self.used = self.u32(124)
        self.found = False

    def u16(self, at):
        """Return the number of two octets at a place."""
        return self.data[at] | (cython.cast(cython.uint, self.data[at + 1]) << 8)

    def u32(self, at):
        """Return the number of four octets at a place."""
        return (
            self.data[at]
            | (cython.cast(cython.uint, self.data[at + 1]) << 8)
            | (cython.cast(cython.uint, self.data[at + 2]) << 16)
            | (cython.cast(cython.uint, self.data[at + 3]) << 24)
        )

    def node(self, number):
        """Return where a node's entry stands."""
        return self.nodes_at + 32 * number

    def rrset(self, number):
        """Return where an RRset's entry stands."""
        return self.rrsets_at + 40 * number

    def lower(self, number):
        """Return where a node's name stands in lower case."""
        return self.blob_at + self.u32(self.nodes_at + 32 * number)

    def first(self, number):
        """Return the number of a node's first RRset; behind the last node, that of the negative SOA."""
        return self.u32(self.nodes_at + 32 * number + 20) if number < self.nodes else self.rrsets - 1

    def count(self, number):
        """Return how many RRsets a node has."""
        return self.u16(self.nodes_at + 32 * number + 24)

    def flags_of(self, number):
        """Return a node's flags."""
        return self.u16(self.nodes_at + 32 * number + 10)

    def with_type(self, number, rdtype):
        """Return the number of a node's RRset of one type, or NOWHERE."""
        first: cython.uint = self.first(number)
        i: cython.uint
        for i in range(first, first + self.count(number)):
            if self.u16(self.rrset(i)) == rdtype:
                return i
        return NOWHERE

    def list_start(self, number):
        """Return where the lists of an RRset, and of all behind it, begin, counted in numbers."""
        at: cython.uint = self.rrset(number)
        return self.u32(at + 20) - (1 if has_list(self.u16(at)) else 0)

    def _measure(self, data, at, starts):
        """Find where the labels of a name begin; return how many there are."""
        place: cython.uint = at
        labels: cython.int = 0
        while data[place]:
            self.starts[starts + labels] = place - at
            labels += 1
            place += 1 + data[place]
        return labels

    def _order(self, labels, data, at, number):
        """Compare a name, already measured, with a node's in canonical order (RFC 4034 section 6.1): below 0, 0, or above."""
        other: cython.uint = self.lower(number)
        more: cython.int = self._measure(self.data, other, 128)
        left: cython.int = labels
        one: cython.uint
        two: cython.uint
        i: cython.uint
        length: cython.uint
        while left > 0 and more > 0:
            left -= 1
            more -= 1
            one = at + self.starts[left]
            two = other + self.starts[128 + more]
            length = min(data[one], self.data[two])
            for i in range(1, 1 + length):
                if data[one + i] != self.data[two + i]:
                    return cython.cast(cython.int, data[one + i]) - cython.cast(cython.int, self.data[two + i])
            if data[one] != self.data[two]:
                return cython.cast(cython.int, data[one]) - cython.cast(cython.int, self.data[two])
        return left - more

    def order(self, data, at, number):
        """Compare a name in lower case with a node's as ``_order`` does."""
        return self._order(self._measure(data, at, 0), data, at, number)

    def place(self, data, at):
        """Return the number of the first node that does not come before a name in lower case."""
        labels: cython.int = self._measure(data, at, 0)
        first: cython.uint = 0
        end: cython.uint = self.nodes
        middle: cython.uint
        order: cython.int
        self.found = False
        while first < end:
            middle = (first + end) // 2
            order = self._order(labels, data, at, middle)
            if order == 0:
                self.found = True
                return middle
            if order > 0:
                first = middle + 1
            else:
                end = middle
        return first

    def find(self, data, at, length, hashed):
        """Return the node with this name in lower case, or NOWHERE."""
        place: cython.uint = hashed & self.mask
        slot: cython.uint
        number: cython.uint
        while True:
            slot = self.slots_at + 8 * place
            number = self.u32(slot + 4)
            if number == 0:
                return NOWHERE
            number -= 1
            if (
                self.u32(slot) == hashed
                and self.data[self.node(number) + 8] == length
                and self.is_below(number, data, at, length)
            ):
                return number
            place = (place + 1) & self.mask

    def is_below(self, number, data, at, length):
        """Tell whether a node is, or is below, the one with a name in lower case."""
        own: cython.uint = self.data[self.node(number) + 8]
        place: cython.uint = self.lower(number)
        skipped: cython.uint = 0
        if own < length:
            return False
        while own - skipped > length:
            skipped += 1 + self.data[place + skipped]
        if own - skipped != length:
            return False
        place += skipped
        same: cython.bint
        if cython.compiled:
            same = memcmp(self.data + place, data + at, length) == 0
        else:
            same = self.data[place : place + length] == data[at : at + length]
        return same
