"""Where everything goes in a merged image, its hash index, and the chain of what proves that something is not there.

The same source runs compiled, without the interpreter's lock, and uncompiled.
"""

# No `from __future__ import annotations` here: the annotations are C types.
import cython

from mailname.zone.image_merge_hosts import HostLists

if cython.compiled:
    from cython.cimports.libc.string import memcpy, memset
    from cython.cimports.mailname.zone.denial_chain import digit_of
    from cython.cimports.mailname.zone.image_merge_runs import empty_slot, enter, enter_all, move_slots
else:
    from mailname.zone.denial_chain import digit_of
    from mailname.zone.image_merge_runs import empty_slot, enter, enter_all, move_slots

_HEADER_SIZE = cython.declare(cython.uint, 128)
_HASHED = cython.declare(cython.uint, 128)


class MergeIndex(HostLists):
    """The places of a merged image, and what is found by a number in it."""

    def _measure(self):
        """Find out where everything goes; False where it is too much."""
        size: cython.ulonglong = 8
        at: cython.ulonglong
        while size < 2 * cython.cast(cython.ulonglong, self.nodes):
            size *= 2
        self.mask = cython.cast(cython.uint, size - 1)
        self.link_size = 24 if self.old.used else 4
        at = _HEADER_SIZE + 8 * size
        self.slots_at = _HEADER_SIZE
        self.nodes_at = cython.cast(cython.uint, at)
        at += 32 * cython.cast(cython.ulonglong, self.nodes)
        self.rrsets_at = cython.cast(cython.uint, at)
        at += 40 * cython.cast(cython.ulonglong, self.rrsets)
        self.lists_at = cython.cast(cython.uint, at)
        at += 4 * cython.cast(cython.ulonglong, self.lists)
        self.chain_at = cython.cast(cython.uint, at)
        at += self.link_size * cython.cast(cython.ulonglong, self.links)
        self.blob_at = cython.cast(cython.uint, at)
        self.shift = self.old.total - self.old.blob_at
        at += self.shift
        at += self.new.total - self.new.blob_at
        self.total = at
        return at >> 31 == 0

    def _chain(self):
        """Write the chain, its links in the order of their nodes."""
        link: cython.uint
        from_link: cython.uint
        node: cython.uint
        number: cython.uint = 0
        to: cython.uint = self.chain_at
        if self.links == 0:
            return
        for link in range(self.old.links):
            from_link = self.old.chain_at + self.link_size * link
            node = self.old.u32(from_link + self.link_size - 4)
            while number < self.new.nodes and (
                self.places[number] < node or (self.places[number] == node and not self.was_there(number))
            ):
                to = self._new_link(number, to)
                number += 1
            if number < self.new.nodes and self.places[number] == node:
                to = self._new_link(number, to)
                number += 1
                continue
            self._copy(self.old, from_link, to, self.link_size)
            to += self.link_size
            self._put32(to - 4, self.node_map[node])
        while number < self.new.nodes:
            to = self._new_link(number, to)
            number += 1

    def _new_link(self, number, to):
        """Write the link of a touched node, if it is in the chain; return where the next one goes."""
        i: cython.uint
        bits: cython.uint = 0
        held: cython.uint = 0
        place: cython.uint = self.new.lower(number) + 1
        if not self.in_chain(self.new, number):
            return to
        if self.old.used:
            for i in range(32):
                bits = ((bits << 5) | (digit_of(self.new.data[place + i]) & 31)) & 0xFFF
                held += 5
                if held >= 8:
                    held -= 8
                    self.out[to] = (bits >> held) & 255
                    to += 1
        self._put32(to, self.numbers[number])
        return to + 4

    def _slots(self):
        """Write the hash index: the old one with new numbers, unless another size is due, or the nodes that are hidden change."""
        number: cython.uint
        if self.mask != self.old.mask or not self._same_hidden():
            if cython.compiled:
                memset(self.out + self.slots_at, 0, 8 * (cython.cast(cython.size_t, self.mask) + 1))
            enter_all(self.out, self.slots_at, self.mask, self.nodes_at, self.nodes)
            return
        self._copy(self.old, self.old.slots_at, self.slots_at, 8 * (self.mask + 1))
        if self.same_nodes:
            return
        for number in range(self.new.nodes):
            if not self.was_there(number) or self.stays(number):
                continue
            if not self.old.flags_of(self.places[number]) & _HASHED:
                empty_slot(self.out, self.slots_at, self.mask, self.places[number], self._hash_of(number))
        move_slots(self.out, self.slots_at, self.mask + 1, self.node_map)
        for number in range(self.new.nodes):
            if not self.was_there(number) and self.stays(number) and not self.is_hidden(number):
                enter(self.out, self.slots_at, self.mask, self.numbers[number], self._hash_of(number))

    def _hash_of(self, number):
        return self.new.u32(self.new.node(number) + 28)

    def _same_hidden(self):
        """Tell whether no node that stays comes to be hidden, or to be found."""
        number: cython.uint
        for number in range(self.new.nodes):
            if not self.was_there(number) or not self.stays(number):
                continue
            if (self.old.flags_of(self.places[number]) & _HASHED != 0) != self.is_hidden(number):
                return False
        return True

    def _u16(self, at):
        return self.out[at] | (cython.cast(cython.uint, self.out[at + 1]) << 8)

    def _u32(self, at):
        return (
            self.out[at]
            | (cython.cast(cython.uint, self.out[at + 1]) << 8)
            | (cython.cast(cython.uint, self.out[at + 2]) << 16)
            | (cython.cast(cython.uint, self.out[at + 3]) << 24)
        )

    def _put16(self, at, value):
        self.out[at] = value & 255
        self.out[at + 1] = value >> 8

    def _put32(self, at, value):
        self.out[at] = value & 255
        self.out[at + 1] = (value >> 8) & 255
        self.out[at + 2] = (value >> 16) & 255
        self.out[at + 3] = value >> 24

    def _copy(self, view, at, to, length):
        if cython.compiled:
            memcpy(self.out + to, view.data + at, length)
        else:
            self.out[to : to + length] = view.data[at : at + length]
