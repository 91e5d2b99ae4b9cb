"""The additional RRsets of NS, MX and SRV when hosts come, go, or come to lie below a zone cut: the lists that change.

They are the same that ``image_build`` makes. The same source runs compiled and uncompiled.
"""

# No `from __future__ import annotations` here: the annotations are C types.
import cython

from mailname.zone.image_merge_plan import MergePlan
from mailname.zone.image_merge_view import ImageView

if cython.compiled:
    from cython.cimports.libc.stdlib import free, realloc
    from cython.cimports.mailname.zone.image_merge_view import NOWHERE, has_list
else:
    from mailname.zone.image_merge_view import NOWHERE, has_list

_CUTS = cython.declare(cython.uint, 3)  # at a cut, or below
_CUT = cython.declare(cython.uint, 1)
_MOST_HOSTS = cython.declare(cython.uint, 255)
_32_BITS = cython.declare(cython.uint, 0xFFFFFFFF)


class HostLists(MergePlan):
    """The plan, and the lists that have to be made.

    ``made`` holds one list behind the other: how many numbers, and the numbers. The first are those of the old RRsets in
    ``again``, then one for each of the new RRsets that have lists. ``lists`` is how many numbers all lists take afterwards.
    """

    def __cinit__(self) -> None:
        if cython.compiled:
            self.made = cython.NULL

    def __init__(self, old: ImageView, new: ImageView) -> None:
        MergePlan.__init__(self, old, new)
        octet: cython.int
        self.made_count = self.made_room = self.again_count = self.lists = 0
        self.host_length = self.host_hash = self.moved_mask = 0
        if not cython.compiled:
            self.made = []
            self.again = []
            self.lowered = bytearray(256)
            self.host = bytearray(512)
        for octet in range(256):
            self.lowered[octet] = octet + 32 if 65 <= octet <= 90 else octet
        self.apex_hash = self.old.u32(self.old.nodes_at + 28)

    def __dealloc__(self) -> None:
        if cython.compiled:
            free(self.made)

    def make_lists(self):
        """Make the lists; False where memory ends."""
        i: cython.uint
        number: cython.uint
        entry: cython.uint
        pointer: cython.uint = 0
        size: cython.longlong = self.old.list_start(self.old.rrsets - 1)  # that of the negative SOA is the new image's
        if self._moved() and not self._search():
            return False
        for i in range(self.again_count):
            number = self.again[i]
            if not self._list(self.old, self.old.u32(self.old.rrset(number) + 36), number):
                return False
            size += cython.cast(cython.longlong, self.made[pointer]) - self.old.u16(self.old.rrset(number) + 28)
            pointer += 1 + self.made[pointer]
        for number in range(self.new.nodes):
            if self.was_there(number):
                size -= self.old.list_start(self.old.first(self.places[number] + 1))
                size += self.old.list_start(self.old.first(self.places[number]))
            if not self.stays(number):
                continue
            for i in range(self.new.first(number), self.new.first(number) + self.new.count(number)):
                entry = self.new.rrset(i)
                if not has_list(self.new.u16(entry)):
                    continue
                if not self._list(self.new, number, i):
                    return False
                size += 1 + self.new.u16(entry + 6) + self.made[pointer]
                pointer += 1 + self.made[pointer]
        size += 1 + self.new.u16(self.new.rrset(self.new.rrsets - 1) + 6)
        self.lists = cython.cast(cython.uint, size)
        return True

    def _put(self, number):
        if self.made_count == self.made_room:
            self.made_room += (self.made_room >> 1) + 256
            if cython.compiled:
                made = cython.cast(cython.p_uint, realloc(self.made, 4 * cython.cast(cython.size_t, self.made_room)))
                if made == cython.NULL:
                    self.made_room = self.made_count
                    self.short_of_memory = True
                    return False
                self.made = made
            else:
                self.made.extend([0] * (self.made_room - self.made_count))
        self.made[self.made_count] = number
        self.made_count += 1
        return True

    def addresses(self, view, node):
        """Tell which addresses a node has, and whether it is at or below a zone cut; 0 when it has none."""
        found: cython.uint = (1 if view.with_type(node, 1) != NOWHERE else 0) | (2 if view.with_type(node, 28) != NOWHERE else 0)
        return found | ((view.flags_of(node) & _CUTS) << 2) if found else 0

    def _moved(self):
        """Put the hashes of the hosts whose addresses come, go, or are reached otherwise, into a table; False for none."""
        number: cython.uint
        size: cython.uint = 16
        place: cython.uint
        before: cython.uint
        after: cython.uint
        some: cython.bint = False
        while size < 4 * self.new.nodes:
            size *= 2
        self.moved = self.take(2 * size)
        if self.short_of_memory:
            return True
        for place in range(2 * size):
            self.moved[place] = 0
        self.moved_mask = size - 1
        for number in range(self.new.nodes):
            before = self.addresses(self.old, self.places[number]) if self.was_there(number) else 0
            after = self.addresses(self.new, number) if self.stays(number) else 0
            if before == after:
                continue
            some = True
            place = self.new.u32(self.new.node(number) + 28) & self.moved_mask
            while self.moved[2 * place + 1]:
                place = (place + 1) & self.moved_mask
            self.moved[2 * place] = self.new.u32(self.new.node(number) + 28)
            self.moved[2 * place + 1] = 1
        return some

    def _search(self):
        """Find the RRsets that are not touched, and name such a host."""
        number: cython.uint
        start: cython.uint = 0
        if self.short_of_memory:
            return False
        self.again = self.take(self.old.rrsets)
        if self.short_of_memory:
            return False
        for number in range(self.new.nodes):
            self._search_run(self.old.first(start), self.old.first(self.places[number]))
            start = self.places[number] + (1 if self.was_there(number) else 0)
        self._search_run(self.old.first(start), self.old.rrsets - 1)
        return True

    def _search_run(self, start, end):
        number: cython.uint
        entry: cython.uint
        rdtype: cython.uint
        for number in range(start, end):
            entry = self.old.rrset(number)
            rdtype = self.old.data[entry]
            if (rdtype == 2 or rdtype == 15 or rdtype == 33) and self.old.data[entry + 1] == 0 and self._names_moved(entry):
                self.again[self.again_count] = number
                self.again_count += 1
        return True

    def _names_moved(self, entry):
        at: cython.uint = self.old.blob_at + self.old.u32(entry + 12)
        end: cython.uint = at + self.old.u32(entry + 16)
        place: cython.uint
        while at < end:
            if self._read_host(self.old, at, self.old.u16(entry)):
                place = self.host_hash & self.moved_mask
                while self.moved[2 * place + 1]:
                    if self.moved[2 * place] == self.host_hash:
                        return True
                    place = (place + 1) & self.moved_mask
            at += 12 + ((cython.cast(cython.uint, self.old.data[at + 10]) << 8) | self.old.data[at + 11])
        return False

    def _read_host(self, view, at, rdtype):
        """Read the host that a record names, in lower case and with its hash; False where it is not in the zone."""
        begins: cython.uint = at + 12 + (0 if rdtype == 2 else 2 if rdtype == 15 else 6)
        apex: cython.uint = view.lower(0)
        stop: cython.uint = begins
        length: cython.uint
        i: cython.uint
        hashed: cython.uint
        while view.data[stop] and view.data[stop] < 0xC0:
            stop += 1 + view.data[stop]
        length = stop - begins
        if view.data[stop]:
            hashed = self.apex_hash
        else:
            # Written out: it may end in the apex all the same.
            length += 1
            if length < view.apex_length or (view.apex_length > 2 and rdtype != 33):
                return False
            length -= view.apex_length
            i = 0
            while i < length:
                i += 1 + view.data[begins + i]
            if i != length:
                return False
            for i in range(view.apex_length):
                if self.lowered[view.data[begins + length + i]] != view.data[apex + i]:
                    return False
            hashed = self.apex_hash
        i = length
        while i:
            i -= 1
            self.host[i] = self.lowered[view.data[begins + i]]
            hashed = ((hashed ^ self.host[i]) * 0x01000193) & _32_BITS
        self.host_hash = hashed
        for i in range(view.apex_length):
            self.host[length + i] = view.data[apex + i]
        self.host_length = length + view.apex_length
        return True

    def _list(self, view, node, number):
        """Make the list of an RRset's additional RRsets."""
        entry: cython.uint = view.rrset(number)
        rdtype: cython.uint = view.u16(entry)
        listed: cython.uint
        if not self._put(0):
            return False
        listed = self.made_count
        if rdtype == 2 or rdtype == 15 or rdtype == 33:
            if rdtype == 2 and view.flags_of(node) & _CUT and not self._list_hosts(view, node, entry, listed, True):
                return False
            if not self._list_hosts(view, node, entry, listed, False):
                return False
        self.made[listed - 1] = self.made_count - listed
        return True

    def _list_hosts(self, view, node, entry, listed, needed):
        """List the addresses of an RRset's hosts; of those below the zone cut alone where they are ``needed``."""
        rdtype: cython.uint = view.u16(entry)
        at: cython.uint = view.blob_at + view.u32(entry + 12)
        end: cython.uint = at + view.u32(entry + 16)
        is_meant: cython.bint
        while at < end:
            is_meant = self._read_host(view, at, rdtype) and (not needed or self._is_host_below(view, node))
            if is_meant and not self._list_addresses(listed, rdtype == 2):
                return False
            at += 12 + ((cython.cast(cython.uint, view.data[at + 10]) << 8) | view.data[at + 11])
        return True

    def _is_host_below(self, view, node):
        at: cython.uint = view.lower(node)
        length: cython.uint = view.data[view.node(node) + 8]
        skipped: cython.uint = 0
        i: cython.uint
        while self.host_length - skipped > length:
            skipped += 1 + self.host[skipped]
        if self.host_length - skipped != length:
            return False
        for i in range(length):
            if self.host[skipped + i] != view.data[at + i]:
                break
        else:
            return True
        return False

    def _list_addresses(self, listed, any_place):
        """List the address RRsets of the host that was read, unless they are listed; at or below a cut only for name servers."""
        number: cython.uint = self.new.find(self.host, 0, self.host_length, self.host_hash)
        if number != NOWHERE:
            return not self.stays(number) or self._list_of(self.new, number, listed, any_place)
        number = self.old.find(self.host, 0, self.host_length, self.host_hash)
        return number == NOWHERE or self._list_of(self.old, number, listed, any_place)

    def _list_of(self, view, number, listed, any_place):
        first: cython.uint = view.first(number)
        rdtype: cython.uint
        rrset: cython.uint
        i: cython.uint
        j: cython.uint
        if not any_place and view.flags_of(number) & _CUTS:
            return True
        for i in range(first, first + view.count(number)):
            rdtype = view.u16(view.rrset(i))
            if rdtype != 1 and rdtype != 28:
                continue
            rrset = self.rrset_map[i] if view is self.old else self.firsts[number] + i - first
            for j in range(listed, self.made_count):
                if self.made[j] == rrset:
                    break
            else:
                if rrset != NOWHERE and self.made_count - listed < _MOST_HOSTS and not self._put(rrset):
                    return False
        return True
