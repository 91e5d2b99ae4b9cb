"""What becomes of each node when an image of the touched owners is merged into the image of the whole zone.

"Old" is the zone's image, "new" the image of the touched owners and all above them, as they are afterwards. The same source runs
compiled and uncompiled.
"""

# No `from __future__ import annotations` here: the annotations are C types.
import cython

from mailname.zone.image_merge_view import ImageView

if cython.compiled:
    from cython.cimports.libc.stdlib import free, malloc
    from cython.cimports.mailname.zone.denial_chain import digit_of
    from cython.cimports.mailname.zone.image_merge_view import NOWHERE
else:
    from mailname.zone.denial_chain import digit_of
    from mailname.zone.image_merge_view import NOWHERE

    BLOCKS = 8

_CUT = cython.declare(cython.uint, 1)
_DNAME = cython.declare(cython.uint, 4 | 32)  # has one, or is below one
_HIDES = cython.declare(cython.uint, 2)
_ODD = cython.declare(cython.uint, 4)
_WAS_THERE = cython.declare(cython.uint, 1)
_STAYS = cython.declare(cython.uint, 2)
_NO_DIGIT = cython.declare(cython.int, 255)


class MergePlan:
    """The numbers of nodes and RRsets afterwards.

    ``places`` says for each new node where it stands, or would stand, among the old ones; ``numbers`` and ``firsts`` its number
    and its first RRset's afterwards. ``node_map`` and ``rrset_map`` say the same of the old ones, NOWHERE for those that go.
    """

    def __cinit__(self) -> None:
        i: cython.int
        self.taken = 0
        if cython.compiled:
            for i in range(BLOCKS):
                self.blocks[i] = cython.NULL

    def __init__(self, old: ImageView, new: ImageView) -> None:
        self.old = old
        self.new = new
        self.short_of_memory = False
        self.nodes = self.rrsets = self.links = 0
        self.same_nodes = self.same_rrsets = True

    def __dealloc__(self) -> None:
        i: cython.int
        if cython.compiled:
            for i in range(BLOCKS):
                free(self.blocks[i])

    def take(self, count):
        """Take memory for so many numbers."""
        if cython.compiled:
            block = cython.cast(cython.p_uint, malloc(4 * cython.cast(cython.size_t, count) + 4))
            self.blocks[self.taken] = block
            self.taken += 1
            if block == cython.NULL:
                self.short_of_memory = True
        else:
            block = [0] * count
        return block

    def plan(self):
        """Make the plan; False where the zone had better be built anew, or where memory ends."""
        number: cython.uint
        self.places = self.take(self.new.nodes)
        self.numbers = self.take(self.new.nodes)
        self.firsts = self.take(self.new.nodes)
        self.marks = self.take(self.new.nodes)
        self.node_map = self.take(self.old.nodes)
        self.rrset_map = self.take(self.old.rrsets)
        if self.short_of_memory:
            return False
        for number in range(self.new.nodes):
            self.places[number] = self.old.place(self.new.data, self.new.lower(number))
            self.marks[number] = _WAS_THERE if self.old.found else 0
        self._survivors()
        if self._is_intricate() or self._has_other_chain():
            return False
        self._number()
        return True

    def was_there(self, number):
        """Tell whether the old image has a new node."""
        return self.marks[number] & _WAS_THERE != 0

    def stays(self, number):
        """Tell whether a new node is there afterwards: it has records, or something below it has."""
        return self.marks[number] & _STAYS != 0

    def _survivors(self):
        i: cython.uint
        number: cython.uint
        for i in range(self.new.nodes):
            number = self.new.nodes - 1 - i
            if self.new.count(number) or self._has_survivor_below(number) or self._has_untouched_below(number):
                self.marks[number] = self.marks[number] | _STAYS

    def _has_survivor_below(self, number):
        at: cython.uint = self.new.lower(number)
        length: cython.uint = self.new.data[self.new.node(number) + 8]
        other: cython.uint = number + 1
        while other < self.new.nodes and self.new.is_below(other, self.new.data, at, length):
            if self.stays(other):
                return True
            other += 1
        return False

    def _has_untouched_below(self, number):
        """Tell whether below a node there is an old one that is not touched."""
        at: cython.uint = self.new.lower(number)
        length: cython.uint = self.new.data[self.new.node(number) + 8]
        place: cython.uint = self.places[number] + 1
        other: cython.uint = number + 1
        if not self.was_there(number):
            return False
        while place < self.old.nodes and self.old.is_below(place, self.new.data, at, length):
            while other < self.new.nodes and (self.places[other] < place or not self.was_there(other)):
                other += 1
            if other == self.new.nodes or self.places[other] != place:
                return True
            place += 1
        return False

    def _is_intricate(self):
        """Tell whether zone cuts or DNAMEs change for nodes that are not touched."""
        number: cython.uint
        before: cython.uint
        after: cython.uint
        for number in range(self.new.nodes):
            if not self.was_there(number) or not self.stays(number):
                continue
            before = self.old.flags_of(self.places[number])
            after = self.new.flags_of(number)
            if (before & _DNAME == 0) == (after & _DNAME == 0) and self._old_cut(number) == self._new_cut(number):
                continue
            if self._has_untouched_below(number):
                return True
        return False

    def _old_cut(self, number):
        """Return the zone cut that a node is at or below, as a place among the old nodes, or NOWHERE."""
        return self.old.u32(self.old.node(self.places[number]) + 12)

    def _new_cut(self, number):
        """Return the same for afterwards; one that was not there before is at no such place."""
        cut: cython.uint = self.new.u32(self.new.node(number) + 12)
        if cut == NOWHERE:
            return NOWHERE
        return self.places[cut] if self.was_there(cut) else NOWHERE - 1

    def _has_other_chain(self):
        """Tell whether it is another chain that proves what is not there; else count its links."""
        number: cython.uint
        i: cython.uint
        removed: cython.uint = 0
        added: cython.uint = 0
        has_nsec3: cython.bint = False
        one: cython.uint = self.old.with_type(0, 51)
        other: cython.uint = self.new.with_type(0, 51)
        if self.old.flags & _ODD or (self.old.with_type(0, 47) == NOWHERE) != (self.new.with_type(0, 47) == NOWHERE):
            return True
        if (one == NOWHERE) != (other == NOWHERE):
            return True
        if one != NOWHERE:
            one = self.old.rrset(one)
            other = self.new.rrset(other)
            if self.old.u32(one + 16) != self.new.u32(other + 16):
                return True
            for i in range(self.old.u32(one + 16)):
                if (
                    self.old.data[self.old.blob_at + self.old.u32(one + 12) + i]
                    != self.new.data[self.new.blob_at + self.new.u32(other + 12) + i]
                ):
                    return True
        for number in range(self.new.nodes):
            if self.was_there(number):
                if self.old.with_type(self.places[number], 50) != NOWHERE:
                    has_nsec3 = True
                if self.old.links and self.in_chain(self.old, self.places[number]):
                    removed += 1
            if self.new.with_type(number, 50) != NOWHERE:
                has_nsec3 = True
            if self.old.links and self.in_chain(self.new, number):
                if self.old.used and not self._is_hash(number):
                    return True
                added += 1
        self.links = self.old.links - removed + added
        if one != NOWHERE and has_nsec3 and (self.old.links == 0 or self.old.u16(one + 4) > 1):
            return True  # a chain may come, or another one may be the first that is there
        return self.old.links != 0 and self.links == 0

    def in_chain(self, view, node):
        """Tell whether a node belongs to the old image's chain, which has links."""
        entry: cython.uint
        body: cython.uint
        i: cython.uint
        if self.old.used == 0:
            return view.with_type(node, 47) != NOWHERE
        entry = view.with_type(node, 50)
        if entry == NOWHERE:
            return False
        body = view.blob_at + view.u32(view.rrset(entry) + 12) + 12
        if view.data[body] != 1:
            return False
        for i in range(2, 5 + cython.cast(cython.uint, self.old.data[self.old.used + 4])):
            if view.data[body + i] != self.old.data[self.old.used + i]:
                return False
        return True

    def _is_hash(self, number):
        """Tell whether a new node is one label below the apex, and that label the hash of a name."""
        place: cython.uint = self.new.lower(number)
        i: cython.uint
        if self.new.data[self.new.node(number) + 8] != self.old.apex_length + 33 or self.new.data[place] != 32:
            return False
        for i in range(32):
            if digit_of(self.new.data[place + 1 + i]) == _NO_DIGIT:
                break
        else:
            return True
        return False

    def is_hidden(self, number):
        """Tell whether no question finds a new node: in a zone with NSEC3, it is the hash of a name and nothing else."""
        first: cython.uint = self.new.first(number)
        i: cython.uint
        rdtype: cython.uint
        hashed: cython.bint = False
        if not self.old.flags & _HIDES:
            return False
        for i in range(first, first + self.new.count(number)):
            rdtype = self.new.u16(self.new.rrset(i))
            if rdtype == 50:
                hashed = True
            elif rdtype != 46:
                return False
        return hashed

    def _number(self):
        """Give nodes and RRsets their new numbers."""
        number: cython.uint
        i: cython.uint
        other: cython.uint
        start: cython.uint = 0
        for number in range(self.new.nodes):
            self._run(start, self.places[number])
            start = self.places[number]
            if self.stays(number):
                self.numbers[number] = self.nodes
                self.firsts[number] = self.rrsets
            if self.was_there(number):
                self.node_map[start] = self.nodes if self.stays(number) else NOWHERE
                for i in range(self.old.first(start), self.old.first(start) + self.old.count(start)):
                    other = self.new.with_type(number, self.old.u16(self.old.rrset(i)))
                    self.rrset_map[i] = NOWHERE if other == NOWHERE else self.rrsets + other - self.new.first(number)
                    if self.rrset_map[i] != i:
                        self.same_rrsets = False
                if not self.stays(number):
                    self.same_nodes = False
                start += 1
            elif self.stays(number):
                self.same_nodes = False
            if self.stays(number):
                self.nodes += 1
                self.rrsets += self.new.count(number)
        self._run(start, self.old.nodes)
        self.rrsets += 1  # the SOA of negative answers
        if self.nodes != self.old.nodes:
            self.same_nodes = False
        if self.rrsets != self.old.rrsets:
            self.same_rrsets = False

    def _run(self, start, end):
        """Give them to old nodes that are not touched, and their RRsets."""
        i: cython.uint
        first: cython.uint = self.old.first(start)
        last: cython.uint = self.old.first(end)
        for i in range(start, end):
            self.node_map[i] = self.nodes + i - start
        for i in range(first, last):
            self.rrset_map[i] = self.rrsets + i - first
        self.nodes += end - start
        self.rrsets += last - first
