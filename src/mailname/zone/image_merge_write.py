"""An image of the touched owners merged into the image of the whole zone: a third one, most of it copied.

What both hold of names and records is copied behind one another, so that what was replaced stays behind as dead octets. The same
source runs compiled, without the interpreter's lock, and uncompiled.
"""

# No `from __future__ import annotations` here: the annotations are C types.
import cython

from mailname.zone.image_merge_index import MergeIndex
from mailname.zone.image_merge_view import ImageView

if cython.compiled:
    from cython.cimports.cpython.bytes import PyBytes_FromStringAndSize
    from cython.cimports.mailname.zone.image_merge_runs import move_nodes, move_rrsets, octets_in_use
    from cython.cimports.mailname.zone.image_merge_view import NOWHERE, has_list
else:
    from mailname.zone.image_merge_runs import move_nodes, move_rrsets, octets_in_use
    from mailname.zone.image_merge_view import NOWHERE, has_list

_HEADER_SIZE = cython.declare(cython.uint, 128)
_HAS_WILDCARD = cython.declare(cython.uint, 16)
_HASHED = cython.declare(cython.uint, 128)
_SIGNED = cython.declare(cython.uint, 1)
_32_BITS = cython.declare(cython.uint, 0xFFFFFFFF)
_HIDES = cython.declare(cython.uint, 2)


class ImageMerge(MergeIndex):
    """One merge.

    Attributes:
        dead: octets of the result's names and records that nothing points to.

    """

    def __init__(self, old: ImageView, new: ImageView) -> None:
        MergeIndex.__init__(self, old, new)
        self.dead = 0

    def merge(self) -> "bytes | None":
        """Return the merged image; None where the zone has to be built anew."""
        good: cython.bint
        if cython.compiled:
            with cython.nogil:
                good = self.plan() and self.make_lists() and self._measure()
            if not good:
                return None
            image = PyBytes_FromStringAndSize(cython.NULL, self.total)
            self.out = cython.cast(cython.p_uchar, cython.cast(cython.p_char, image))
            with cython.nogil:
                self._write()
            return image
        if not (self.plan() and self.make_lists() and self._measure()):
            return None
        self.out = bytearray(self.total)
        self._write()
        return bytes(self.out)

    def _write(self):
        self._header()
        self._nodes()
        self._rrsets()
        self._chain()
        self._copy(self.old, self.old.blob_at, self.blob_at, self.shift)
        self._copy(self.new, self.new.blob_at, self.blob_at + self.shift, self.new.total - self.new.blob_at)
        self._slots()
        self._count_dead()

    def _header(self):
        number: cython.uint
        at: cython.uint
        # The serial and the TTL of negative answers are the new image's.
        self._copy(self.new, 0, 0, _HEADER_SIZE)
        self._put32(8, cython.cast(cython.uint, self.total))
        self._put32(12, self.nodes)
        self._put32(16, self.rrsets)
        self._put32(20, self.mask)
        self._put32(24, self.slots_at)
        self._put32(28, self.nodes_at)
        self._put32(32, self.rrsets_at)
        self._put32(36, self.lists_at)
        self._put32(40, self.blob_at)
        at = self.old.records + self.new.records
        for number in range(self.new.nodes):
            if self.was_there(number):
                at -= self._records(self.places[number])
        self._put32(44, at)
        self.out[61] = (self.old.flags & _HIDES) | (_SIGNED if self._is_signed() else 0)
        self._put32(116, self.chain_at)
        self._put32(120, self.links)
        at = 0
        if self.old.used:
            at = self.old.used - self.old.blob_at - self.old.u32(self.old.rrset(self.old.with_type(0, 51)) + 12)
            at += self.blob_at + self.shift + self.new.u32(self.new.rrset(self.new.with_type(0, 51)) + 12)
        self._put32(124, at)

    def _records(self, node):
        """Return how many records an old node has."""
        i: cython.uint
        count: cython.uint = 0
        for i in range(self.old.first(node), self.old.first(node) + self.old.count(node)):
            count += self.old.u16(self.old.rrset(i) + 4)
        return count

    def _is_signed(self):
        """Tell whether there is a signature or a proof."""
        i: cython.uint
        if self.links or self.new.flags & _SIGNED:
            return True
        if self.old.flags & _SIGNED:
            for i in range(self.old.rrsets - 1):
                if self.old.u16(self.old.rrset(i)) == 46 and self.rrset_map[i] != NOWHERE:
                    return True
        return False

    def _nodes(self):
        number: cython.uint
        at: cython.uint
        start: cython.uint = 0
        for number in range(self.new.nodes):
            self._node_run(start, self.places[number])
            if self.stays(number):
                self._new_node(number)
            start = self.places[number] + (1 if self.was_there(number) else 0)
        self._node_run(start, self.old.nodes)
        # Wildcards come behind what they are directly below; all that is above a touched owner is touched.
        for number in range(1, self.new.nodes):
            at = self.new.lower(number)
            if self.new.data[at] == 1 and self.new.data[at + 1] == 42 and self.stays(number) and not self.is_hidden(number):
                self._wildcard(number)

    def _node_run(self, start, end):
        """Copy old nodes that are not touched."""
        at: cython.uint
        first: cython.uint
        if start == end:
            return
        at = self.nodes_at + 32 * self.node_map[start]
        self._copy(self.old, self.old.node(start), at, 32 * (end - start))
        if not (self.same_nodes and self.same_rrsets):
            first = self.old.first(start)
            move_nodes(self.out, at, end - start, self.node_map, (self.rrset_map[first] - first) & _32_BITS)

    def _new_node(self, number):
        """Write a touched node. A wildcard directly below it that is not touched stays."""
        at: cython.uint = self.nodes_at + 32 * self.numbers[number]
        flags: cython.uint = self.new.flags_of(number) & ~(_HAS_WILDCARD | _HASHED)
        wildcard: cython.uint = NOWHERE
        cut: cython.uint = self.new.u32(self.new.node(number) + 12)
        self._copy(self.new, self.new.node(number), at, 32)
        self._put32(at, self._u32(at) + self.shift)
        self._put32(at + 4, self._u32(at + 4) + self.shift)
        if self.was_there(number):
            wildcard = self.old.u32(self.old.node(self.places[number]) + 16)
            if wildcard != NOWHERE and self._is_touched(wildcard):
                wildcard = NOWHERE
        if wildcard != NOWHERE:
            flags |= _HAS_WILDCARD
            wildcard = self.node_map[wildcard]
        if self.is_hidden(number):
            flags |= _HASHED
        self._put16(at + 10, flags)
        self._put32(at + 12, cut if cut == NOWHERE else self.numbers[cut])
        self._put32(at + 16, wildcard)
        self._put32(at + 20, self.firsts[number])

    def _is_touched(self, node):
        """Tell whether an old node is touched."""
        first: cython.uint = 0
        end: cython.uint = self.new.nodes
        middle: cython.uint
        while first < end:
            middle = (first + end) // 2
            if self.places[middle] < node or (self.places[middle] == node and not self.was_there(middle)):
                first = middle + 1
            else:
                end = middle
        return first < self.new.nodes and self.places[first] == node and self.was_there(first)

    def _wildcard(self, number):
        """Tell the node directly above a wildcard of it."""
        length: cython.uint = self.new.data[self.new.node(number) + 8]
        above: cython.uint = number - 1
        at: cython.uint
        # In canonical order what lies between is below that node too.
        while self.new.data[self.new.node(above) + 8] != length - 2 or not self.new.is_below(
            number, self.new.data, self.new.lower(above), length - 2
        ):
            above -= 1
        at = self.nodes_at + 32 * self.numbers[above]
        self._put16(at + 10, self._u16(at + 10) | _HAS_WILDCARD)
        self._put32(at + 16, self.numbers[number])

    def _rrsets(self):
        """Write the RRsets and their lists."""
        number: cython.uint
        i: cython.uint
        _again: cython.uint
        start: cython.uint = 0
        self.next_list = self.next_again = self.next_made = 0
        # The lists of new RRsets stand behind those of the old ones that are made again.
        self.made_new = 0
        for _again in range(self.again_count):
            self.made_new += 1 + self.made[self.made_new]
        for number in range(self.new.nodes):
            self._rrset_run(self.old.first(start), self.old.first(self.places[number]))
            if self.stays(number):
                for i in range(self.new.count(number)):
                    self._new_rrset(self.new.first(number) + i, self.firsts[number] + i, self.numbers[number])
            start = self.places[number] + (1 if self.was_there(number) else 0)
        self._rrset_run(self.old.first(start), self.old.rrsets - 1)
        self._new_rrset(self.new.rrsets - 1, self.rrsets - 1, self.nodes)

    def _rrset_run(self, start, end):
        """Copy old RRsets that are not touched, in pieces between those whose list was made again."""
        number: cython.uint
        while self.next_again < self.again_count and self.again[self.next_again] < end:
            number = self.again[self.next_again]
            self.next_again += 1
            self._moved_run(start, number)
            self._relisted(number)
            start = number + 1
        self._moved_run(start, end)

    def _moved_run(self, start, end):
        """Copy old RRsets and their lists, which are as before but for the numbers."""
        at: cython.uint
        first: cython.uint
        lists: cython.uint
        if start == end:
            return
        at = self.rrsets_at + 40 * self.rrset_map[start]
        first = self.old.list_start(start)
        lists = self.old.list_start(end) - first
        self._copy(self.old, self.old.rrset(start), at, 40 * (end - start))
        self._copy(self.old, self.old.lists_at + 4 * first, self.lists_at + 4 * self.next_list, 4 * lists)
        if not (self.same_nodes and self.same_rrsets and self.next_list == first):
            first = (self.next_list - first) & _32_BITS
            move_rrsets(self.out, at, end - start, self.node_map, first, self.lists_at, self.rrset_map, self.same_rrsets)
        self.next_list += lists

    def _relisted(self, number):
        """Copy an old RRset; its additional RRsets are others than before."""
        at: cython.uint = self.rrsets_at + 40 * self.rrset_map[number]
        self._copy(self.old, self.old.rrset(number), at, 40)
        self._put32(at + 36, self.node_map[self._u32(at + 36)])
        self._lists_of(self.old, at, self.next_made)
        self.next_made += 1 + self.made[self.next_made]

    def _new_rrset(self, number, to, node):
        """Write a touched node's RRset."""
        at: cython.uint = self.rrsets_at + 40 * to
        self._copy(self.new, self.new.rrset(number), at, 40)
        self._put32(at + 12, self._u32(at + 12) + self.shift)
        if self._u16(at + 2):
            self._put32(at + 32, self._u32(at + 32) + self.shift)
        self._put32(at + 36, node)
        if not has_list(self._u16(at)):
            self._put32(at + 20, self.next_list)
            self._put32(at + 24, self.next_list)
        elif node == self.nodes:
            self._lists_of(self.new, at, NOWHERE)
        else:
            self._lists_of(self.new, at, self.made_new)
            self.made_new += 1 + self.made[self.made_new]

    def _lists_of(self, view, at, made):
        """Write the lists of an RRset: where pointers to the apex stand, as before, and the additional RRsets that were made."""
        pointers: cython.uint = self._u16(at + 6)
        others: cython.uint = 0 if made == NOWHERE else self.made[made]
        i: cython.uint
        self._put32(self.lists_at + 4 * self.next_list, pointers | (others << 16))
        self.next_list += 1
        self._copy(view, view.lists_at + 4 * self._u32(at + 20), self.lists_at + 4 * self.next_list, 4 * pointers)
        self._put32(at + 20, self.next_list)
        self._put32(at + 24, self.next_list + pointers)
        self._put16(at + 28, others)
        self.next_list += pointers
        for i in range(others):
            self._put32(self.lists_at + 4 * (self.next_list + i), self.made[made + 1 + i])
        self.next_list += others

    def _count_dead(self):
        """Count the octets of names and records that nothing points to."""
        held: cython.ulonglong = self.total - self.blob_at
        used: cython.ulonglong = self.new.apex_length + self._u16(self.rrsets_at + 40 * (self.rrsets - 1) + 30)
        used += octets_in_use(self.out, self.nodes_at, self.nodes, self.rrsets_at, self.rrsets)
        self.dead = 0 if used >= held else cython.cast(cython.uint, held - used)
