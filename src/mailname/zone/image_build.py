"""Packed records made ready to be laid out as a zone image: grouped, flagged, linked with one another, measured.

What stands in an image, and where, is said in ``image`` and done in ``image_layout``. The same source runs compiled, without
the interpreter's lock, and uncompiled.
"""

# No `from __future__ import annotations` here: the annotations are C types.
import cython

from mailname.zone.denial_chain import DenialChain
from mailname.zone.packed import PackedRecords

if cython.compiled:
    from cython.cimports.libc.stdlib import free, realloc
    from cython.cimports.mailname.zone.denial_chain import HASHED
    from cython.cimports.mailname.zone.owner_index import NONE, OWNER
    from cython.cimports.mailname.zone.packed import ROW
    from cython.cimports.mailname.zone.record_groups import GOOD, HAS_DNAME, HAS_NAMES, HAS_NS, NO_MEMORY
else:
    from mailname.zone.denial_chain import HASHED
    from mailname.zone.owner_index import NONE, OWNER
    from mailname.zone.packed import ROW
    from mailname.zone.record_groups import GOOD, HAS_DNAME, HAS_NAMES, HAS_NS, NO_MEMORY

    CUT, BELOW_CUT, HAS_WILDCARD, BELOW_DNAME = 1, 2, 16, 32

_MOST_HOSTS = cython.declare(cython.uint, 255)  # additional RRsets: more fit into no message by UDP


class ImageBuilder(DenialChain):
    """One zone on its way into an image. May be used again for the next zone.

    ``lists`` holds, for each RRset with names in its rdata: how many pointers to the apex have to be set, and above 16 bits how
    many additional RRsets there are; where in the body these pointers stand; the numbers of the additional RRsets.
    """

    def __cinit__(self) -> None:
        if cython.compiled:
            self.lists = cython.NULL

    def __init__(self) -> None:
        DenialChain.__init__(self)
        self.lists_count = self.lists_room = 0
        if not cython.compiled:
            self.lists = []

    def __dealloc__(self) -> None:
        if cython.compiled:
            free(self.lists)

    def prepare(self, packed: PackedRecords, apex: bytes, trusted: cython.bint) -> int:
        """Make a zone's records ready to be laid out; return GOOD, or why they cannot be.

        Args:
            packed: the records; their order within an RRset is kept.
            apex: the zone's, in wire form.
            trusted: the records come from a Zone: none are doubled.

        """
        result: cython.int
        self.begin(packed, apex, trusted)
        if cython.compiled:
            with cython.nogil:
                result = self.make_ready()
        else:
            result = self.make_ready()
        return result

    def begin(self, packed: PackedRecords, apex: bytes, trusted: cython.bint) -> None:
        """Take what ``make_ready`` is to make ready; the arguments are those of ``prepare``."""
        self.packed = packed
        self.trusted = trusted
        self.index.begin(apex)

    def make_ready(self):
        """Do what ``prepare`` says, without the interpreter."""
        result: cython.int
        self.lists_count = 0
        result = self.group()
        if result != GOOD:
            return result
        self.find_chain()
        self._flag()
        return self._list()

    def _flag(self):
        """Flag zone cuts and what lies below them, below a DNAME, and above a wildcard."""
        owner: cython.uint
        parent: cython.uint
        place: cython.uint
        flags: cython.uint
        cut: cython.uint = NONE
        dname: cython.uint = NONE
        for owner in range(self.index.count):
            flags = self.index.owners[OWNER * owner + 4] >> 16
            # Canonical order puts what lies below a cut right behind it.
            if cut != NONE and not self._is_below(owner, cut):
                cut = NONE
            if cut != NONE:
                flags |= BELOW_CUT
            elif owner and flags & HAS_NS:
                cut = owner
                flags |= CUT
            if dname != NONE and not self._is_below(owner, dname):
                dname = NONE
            if dname != NONE:
                flags |= BELOW_DNAME
            elif flags & HAS_DNAME:
                dname = owner
            self.index.owners[OWNER * owner + 4] = self.index.owners[OWNER * owner + 4] | (flags << 16)
            place = self.index.owners[OWNER * owner]
            if owner and not flags & HASHED and self.packed.data[place] == 1 and self.packed.data[place + 1] == 42:
                parent = self.parent(owner)
                self.index.owners[OWNER * parent + 4] = self.index.owners[OWNER * parent + 4] | (HAS_WILDCARD << 16)

    def _is_below(self, owner, above):
        """Tell whether an owner is another one or below it."""
        data = self.packed.data
        one: cython.uint = self.index.owners[OWNER * owner]
        other: cython.uint = self.index.owners[OWNER * above]
        labels: cython.int = (self.index.owners[OWNER * owner + 4] >> 8) & 255
        more: cython.int = labels - cython.cast(cython.int, (self.index.owners[OWNER * above + 4] >> 8) & 255)
        i: cython.uint
        if more < 0:
            return False
        while more:
            one += 1 + data[one]
            more -= 1
        for i in range(self.index.owners[OWNER * above + 4] & 255):
            if self.index.lower[data[one + i]] != self.index.lower[data[other + i]]:
                return False
        return True

    def parent(self, owner):
        """Return the owner one label above this one, which is not the apex."""
        place: cython.uint = self.index.owners[OWNER * owner]
        length: cython.int = self.index.measure(self.packed.data, place) & 255
        first: cython.int = 1 + self.packed.data[place]
        return self.index.find(self.packed.data, self.packed.data, place + first, length - first, self.index.hashes[1])

    def _list_number(self, number):
        if self.lists_count == self.lists_room:
            self.lists_room += (self.lists_room >> 1) + 64
            if cython.compiled:
                lists = cython.cast(cython.p_uint, realloc(self.lists, cython.cast(cython.size_t, self.lists_room) * 4))
                if lists == cython.NULL:
                    self.lists_room = self.lists_count
                    return False
                self.lists = lists
            else:
                self.lists.extend([0] * (self.lists_room - self.lists_count))
        self.lists[self.lists_count] = number
        self.lists_count += 1
        return True

    def _list(self):
        """Make the lists of all RRsets, in canonical order."""
        owner: cython.uint
        first: cython.uint
        record: cython.uint
        rdtype: cython.uint
        counts: cython.uint
        body: cython.uint
        pointers: cython.uint
        flags: cython.uint
        for owner in range(self.index.count):
            flags = self.index.owners[OWNER * owner + 4] >> 16
            if not flags & HAS_NAMES:
                continue
            record = self.index.owners[OWNER * owner + 1]
            while record != NONE:
                first = record
                rdtype = self.packed.rows[ROW * record + 2] >> 16
                counts = self.lists_count
                if (rdtype == 33 or self.name_in(rdtype) >= 0) and not self._list_number(0):
                    return NO_MEMORY
                body = 0
                while record != NONE and self.packed.rows[ROW * record + 2] >> 16 == rdtype:
                    if not self._list_pointers(record, body + 12):
                        return NO_MEMORY
                    body += 12 + self.compressed_length(record)
                    record = self.packed.rows[ROW * record + 5]
                if counts == self.lists_count:
                    continue
                pointers = self.lists_count - counts - 1
                if rdtype == 2 or rdtype == 15 or rdtype == 33:
                    if rdtype == 2 and flags & CUT and not self._list_hosts(owner, first, counts + 1 + pointers, True):
                        return NO_MEMORY
                    if not self._list_hosts(owner, first, counts + 1 + pointers, False):
                        return NO_MEMORY
                self.lists[counts] = pointers | ((self.lists_count - counts - 1 - pointers) << 16)
        # Once more for the SOA of negative answers.
        counts = self.lists_count
        if not self._list_number(0) or not self._list_pointers(self.soa, 12):
            return NO_MEMORY
        self.lists[counts] = self.lists_count - counts - 1
        return GOOD

    def _list_pointers(self, record, body):
        """List where the pointers to the apex stand in a record whose rdata begins at ``body``."""
        at: cython.uint = self.packed.rows[ROW * record + 3]
        rdtype: cython.uint = self.packed.rows[ROW * record + 2] >> 16
        names: cython.int = 2 if rdtype == 6 else 1
        begins: cython.int = self.name_in(rdtype)
        start: cython.uint
        if begins < 0 or self.index.apex_length <= 2:
            return True
        at += begins
        body += begins
        while names:
            begins = self.index.begins_apex(self.packed.data, at)
            if begins >= 0:
                if not self._list_number(body + begins):
                    return False
                body += begins + 2
                at += begins + self.index.apex_length
            else:
                start = at
                while self.packed.data[at]:
                    at += 1 + self.packed.data[at]
                at += 1
                body += at - start
            names -= 1
        return True

    def _list_hosts(self, owner, record, listed, needed):
        """List the address RRsets of an RRset's hosts; in a referral those below the cut come first, they are needed."""
        data = self.packed.data
        rows = self.packed.rows
        rdtype: cython.uint = rows[ROW * record + 2] >> 16
        at: cython.uint
        host: cython.uint
        length: cython.int
        address: cython.uint
        number: cython.uint
        before: cython.uint
        i: cython.uint
        while record != NONE and rows[ROW * record + 2] >> 16 == rdtype:
            at = rows[ROW * record + 3] + (0 if rdtype == 2 else 2 if rdtype == 15 else 6)
            record = rows[ROW * record + 5]
            if self.index.begins_apex(data, at) < 0:
                continue
            length = self.index.measure(data, at) & 255
            host = self.index.find(data, data, at, length, self.index.hashes[0])
            if host == NONE or (needed and not self._is_below(host, owner)):
                continue
            if rdtype != 2 and (self.index.owners[OWNER * host + 4] >> 16) & (CUT | BELOW_CUT):
                continue
            address = self.index.owners[OWNER * host + 1]
            number = self.index.owners[OWNER * host + 2]
            before = NONE
            while address != NONE:
                if rows[ROW * address + 2] >> 16 != before:
                    if before != NONE:
                        number += 1
                    before = rows[ROW * address + 2] >> 16
                    if before == 1 or before == 28:
                        for i in range(listed, self.lists_count):
                            if self.lists[i] == number:
                                break
                        else:
                            if self.lists_count - listed < _MOST_HOSTS and not self._list_number(number):
                                return False
                address = rows[ROW * address + 5]
        return True
