"""Packed records grouped into RRsets, owners in canonical order, checked for what may stand together.

What is refused, is refused with a number; ``ZoneBuilder`` finds the words. The same source runs compiled, without the
interpreter's lock, and uncompiled.
"""

# No `from __future__ import annotations` here: the annotations are C types.
import cython

from mailname.zone.canonical_order import CanonicalOrder
from mailname.zone.owner_index import OwnerIndex

if cython.compiled:
    from cython.cimports.libc.stdlib import free, realloc
    from cython.cimports.mailname.zone.owner_index import NONE, OWNER
    from cython.cimports.mailname.zone.packed import ROW
    from cython.cimports.mailname.zone.same_rdata import DIFFERENT, SAME, UNCERTAIN, compare_rdata, hash_rdata
else:
    from mailname.zone.owner_index import NONE, OWNER
    from mailname.zone.packed import ROW
    from mailname.zone.same_rdata import DIFFERENT, SAME, UNCERTAIN, compare_rdata, hash_rdata

    GOOD, NO_MEMORY, NO_SOA, NO_NS, SOA_BELOW_APEX, SECOND_SINGLETON, CNAME_AND_OTHER_DATA, UNCERTAIN_DUPLICATE, TOO_LARGE = (
        range(9)
    )
    # Flags of an owner beside those of a node in an image.
    HAS_DNAME, HAS_CNAME, NSEC3_OWNER, HAS_NAMES, HAS_NS, HAS_NSEC3, ONLY_HASHED = 4, 8, 64, 0x1000, 0x2000, 0x4000, 0x8000
    HAS_NSEC = 0x100

_FEW = cython.declare(cython.uint, 16)  # so many records are compared each with each
_MOST_RECORDS = cython.declare(cython.uint, 65535)  # of one RRset: more fit into no message


class RecordGroups:
    """The RRsets of one zone. May be used again for the next zone.

    Each owner's records are chained, types ascending; the second number of an owner is its first record, the third one the
    number of its first RRset.

    Attributes:
        records: how many there are without duplicates.
        rrsets: how many there are.
        blob_size: octets of names and bodies, the negative SOA's not counted.
        signed: there is an RRSIG.

    """

    def __cinit__(self) -> None:
        if cython.compiled:
            self.chain = self.spare = self.noted = cython.NULL

    def __init__(self) -> None:
        self.index = OwnerIndex()
        self.order = CanonicalOrder()
        self.chain_room = self.noted_count = self.noted_room = 0
        if not cython.compiled:
            self.chain = []
            self.spare = []
            self.noted = []

    def __dealloc__(self) -> None:
        if cython.compiled:
            free(self.chain)
            free(self.spare)
            free(self.noted)

    def other_ttls(self) -> list:
        """Return the records that have another TTL than the first of their RRset, in the order of their coming."""
        return sorted(self.noted[i] for i in range(self.noted_count))

    def group(self):
        """Find the RRsets of ``packed``; return GOOD, or why they cannot be a zone."""
        self.records = self.rrsets = self.noted_count = 0
        self.nsec = self.signed = False
        self.blob_size = self.index.apex_length
        self.soa = self.parameters = NONE
        if not self.index.take(self.packed) or not self.index.add_empty_non_terminals(self.packed.data):
            return NO_MEMORY
        if not self.order.sort(self.index, self.packed.data):
            return NO_MEMORY
        return self._group()

    def compressed_length(self, record):
        """Return the length of a record's rdata with the apex in its names as a pointer, as far as they may have one."""
        at: cython.uint = self.packed.rows[ROW * record + 3]
        length: cython.uint = self.packed.rows[ROW * record + 2] & 65535
        rdtype: cython.uint = self.packed.rows[ROW * record + 2] >> 16
        names: cython.int = 2 if rdtype == 6 else 1
        place: cython.int = self.name_in(rdtype)
        if place < 0 or self.index.apex_length <= 2:
            return length
        at += place
        while names:
            if self.index.begins_apex(self.packed.data, at) >= 0:
                length -= self.index.apex_length - 2
            while self.packed.data[at]:
                at += 1 + self.packed.data[at]
            at += 1
            names -= 1
        return length

    def name_in(self, rdtype):
        """Return where names begin in rdata that may be compressed, -1 for other types (RFC 3597 section 4)."""
        if rdtype == 2 or rdtype == 5 or rdtype == 12 or rdtype == 6:
            return 0
        return 2 if rdtype == 15 else -1

    def _group(self):
        """Group each owner's records by type, types ascending, and check what may stand together."""
        j: cython.int
        owner: cython.uint
        place: cython.uint
        length: cython.int
        result: cython.int
        for owner in range(self.index.count):
            result = self._group_owner(owner)
            if result != GOOD:
                return result
            if owner == 0:
                if self.soa == NONE:
                    return NO_SOA
                if not (self.index.owners[OWNER * owner + 4] >> 16) & HAS_NS:
                    return NO_NS
            place = self.index.owners[OWNER * owner]
            length = self.index.owners[OWNER * owner + 4] & 255
            self.blob_size += length
            for j in range(length):
                if 65 <= self.packed.data[place + j] <= 90:
                    self.blob_size += length
                    break
            if self.blob_size >> 31:
                return TOO_LARGE
        return GOOD if self.soa != NONE else NO_SOA

    def _collect(self, owner):
        """Put an owner's records into ``chain``, types ascending, each type's in the order of their coming; return how many."""
        rows = self.packed.rows
        count: cython.uint = 0
        taken: cython.uint
        i: cython.uint
        rdtype: cython.uint
        before: cython.uint = 0
        next_type: cython.uint
        in_order: cython.bint = True
        record: cython.uint = self.index.owners[OWNER * owner + 1]
        while record != NONE:
            if count >= self.chain_room and not self._room(count + 1):
                return NONE
            rdtype = rows[ROW * record + 2] >> 16
            if rdtype < before:
                in_order = False
            before = rdtype
            self.chain[count] = record
            count += 1
            record = rows[ROW * record + 5]
        if in_order:
            return count
        for i in range(count):
            self.spare[i] = self.chain[i]
        taken = 0
        before = 0
        while taken < count:
            next_type = NONE
            for i in range(count):
                rdtype = rows[ROW * self.spare[i] + 2] >> 16
                if rdtype >= before and rdtype < next_type:
                    next_type = rdtype
            for i in range(count):
                if rows[ROW * self.spare[i] + 2] >> 16 == next_type:
                    self.chain[taken] = self.spare[i]
                    taken += 1
            before = next_type + 1
        return count

    def _group_owner(self, owner):
        rows = self.packed.rows
        count: cython.uint = self._collect(owner)
        first: cython.uint = 0
        end: cython.uint
        kept: cython.int
        i: cython.uint
        rdtype: cython.uint
        ttl: cython.uint
        flags: cython.uint = 0
        beside: cython.bint = False  # something that may not stand beside a CNAME
        hashed: cython.bint = True
        link: cython.uint = NONE
        signatures: cython.uint = NONE
        if count == NONE:
            return NO_MEMORY
        self.index.owners[OWNER * owner + 1] = NONE
        self.index.owners[OWNER * owner + 2] = self.rrsets
        while first < count:
            rdtype = rows[ROW * self.chain[first] + 2] >> 16
            ttl = rows[ROW * self.chain[first] + 1]
            end = first + 1
            while end < count and rows[ROW * self.chain[end] + 2] >> 16 == rdtype:
                if rdtype != 46 and rows[ROW * self.chain[end] + 1] != ttl and not self._note(self.chain[end]):
                    return NO_MEMORY
                end += 1
            kept = end - first
            if kept > 1 and not self.trusted:
                kept = self._without_duplicates(first, end)
                if kept < 0:
                    return NO_MEMORY if kept == -1 else UNCERTAIN_DUPLICATE
            if kept > _MOST_RECORDS:
                return TOO_LARGE
            if rdtype == 46:
                self._sort_by_covered(first, first + kept)
            for i in range(first, first + kept):
                if link == NONE:
                    self.index.owners[OWNER * owner + 1] = self.chain[i]
                else:
                    rows[ROW * link + 5] = self.chain[i]
                link = self.chain[i]
                self.blob_size += 12 + self.compressed_length(link)
            if rdtype == 6:
                if owner or (self.index.owners[OWNER * owner + 4] & 255) != self.index.apex_length:
                    return SOA_BELOW_APEX
                self.soa = self.chain[first]
            if kept > 1 and (rdtype == 5 or rdtype == 6 or rdtype == 39):
                return SECOND_SINGLETON
            if rdtype == 46:
                signatures = self.chain[first]
            if rdtype == 5:
                flags |= HAS_CNAME
            elif rdtype == 39:
                flags |= HAS_DNAME
            elif rdtype == 2:
                flags |= HAS_NS
            elif rdtype == 50:
                flags |= HAS_NSEC3 | NSEC3_OWNER
            elif rdtype == 51 and owner == 0:
                self.parameters = self.chain[first]
            elif rdtype == 47:
                flags |= HAS_NSEC
                if owner == 0:
                    self.nsec = True
            if self.name_in(rdtype) >= 0 or rdtype == 33:
                flags |= HAS_NAMES
            if rdtype != 5 and rdtype != 46 and rdtype != 47 and rdtype != 25:
                beside = True
            if rdtype != 50 and rdtype != 46:
                hashed = False
            self.records += kept
            self.rrsets += 1
            first = end
        if link != NONE:
            rows[ROW * link + 5] = NONE
        if signatures != NONE:
            self.signed = True
            self._give_ttl(owner, signatures)
        if beside and flags & HAS_CNAME:
            return CNAME_AND_OTHER_DATA
        if hashed and flags & HAS_NSEC3:
            flags |= ONLY_HASHED
        self.index.owners[OWNER * owner + 4] = self.index.owners[OWNER * owner + 4] | (flags << 16)
        return GOOD

    def _covered(self, record):
        """Return the type that a signature covers."""
        at: cython.uint = self.packed.rows[ROW * record + 3]
        return (self.packed.data[at] << 8) | self.packed.data[at + 1]

    def _sort_by_covered(self, first, end):
        """Put signatures in order of the types that they cover; those of one type stay as they came."""
        width: cython.uint = 1
        left: cython.uint
        right: cython.uint
        middle: cython.uint
        last: cython.uint
        i: cython.uint
        while width < end - first:
            left = first
            while left + width < end:
                middle = right = left + width
                last = end if end - middle < width else middle + width
                for i in range(left, last):  # what comes from the right has to be less
                    if left < middle and (right == last or self._covered(self.chain[left]) <= self._covered(self.chain[right])):
                        self.spare[i] = self.chain[left]
                        left += 1
                    else:
                        self.spare[i] = self.chain[right]
                        right += 1
                for i in range(middle - width, last):
                    self.chain[i] = self.spare[i]
                left = last
            width *= 2

    def _give_ttl(self, owner, signatures):
        """Give signatures the TTL of what the first of them covers (RFC 4034 section 3): see ``zone.signatures``."""
        rows = self.packed.rows
        data = self.packed.data
        record: cython.uint = signatures
        own: cython.uint = rows[ROW * signatures + 1]
        at: cython.uint
        covered: cython.uint = NONE
        while record != NONE and rows[ROW * record + 2] >> 16 == 46:
            at = rows[ROW * record + 3]
            if ((data[at] << 8) | data[at + 1]) < covered:
                covered = (data[at] << 8) | data[at + 1]
                # Where what they cover is not there, they say themselves which TTL it had.
                rows[ROW * signatures + 1] = (
                    (cython.cast(cython.uint, data[at + 4]) << 24) | (data[at + 5] << 16) | (data[at + 6] << 8) | data[at + 7]
                )
            record = rows[ROW * record + 5]
        record = self.index.owners[OWNER * owner + 1]
        while record != NONE and rows[ROW * record + 2] >> 16 < covered:
            record = rows[ROW * record + 5]
        if record != NONE and rows[ROW * record + 2] >> 16 == covered:
            rows[ROW * signatures + 1] = own if covered == 46 else rows[ROW * record + 1]

    def _room(self, count):
        """Make room in ``chain`` and ``spare``."""
        room: cython.uint = count + (count >> 1) + 64
        if cython.compiled:
            chain = cython.cast(cython.p_uint, realloc(self.chain, cython.cast(cython.size_t, room) * 4))
            if chain == cython.NULL:
                return False
            self.chain = chain
            # Four times as many, as a hash table of records needs them.
            spare = cython.cast(cython.p_uint, realloc(self.spare, cython.cast(cython.size_t, room) * 16))
            if spare == cython.NULL:
                return False
            self.spare = spare
        else:
            self.chain.extend([0] * (room - self.chain_room))
            self.spare.extend([0] * (4 * (room - self.chain_room)))
        self.chain_room = room
        return True

    def _note(self, record):
        if not cython.compiled:
            self.noted = self.noted[: self.noted_count]
            self.noted.append(record)
        else:
            if self.noted_count == self.noted_room:
                noted = cython.cast(cython.p_uint, realloc(self.noted, cython.cast(cython.size_t, 2 * self.noted_room + 16) * 4))
                if noted == cython.NULL:
                    return False
                self.noted = noted
                self.noted_room = 2 * self.noted_room + 16
            self.noted[self.noted_count] = record
        self.noted_count += 1
        return True

    def _without_duplicates(self, first, end):
        """Drop the later ones of equal records of one RRset; return how many are left, -1 without memory, -2 when uncertain."""
        kept: cython.uint = first
        size: cython.uint = 1
        place: cython.uint
        i: cython.uint
        j: cython.uint
        result: cython.int
        few: cython.bint = end - first <= _FEW
        if not few:
            while size < 2 * (end - first):
                size *= 2
            for i in range(size):
                self.spare[i] = NONE
        for i in range(first, end):
            result = DIFFERENT
            place = 0
            if few:
                for j in range(first, kept):
                    result = compare_rdata(self.packed, self.index.lower, self.chain[j], self.chain[i])
                    if result != DIFFERENT:
                        break
            else:
                place = hash_rdata(self.packed, self.index.lower, self.chain[i]) & (size - 1)
                while self.spare[place] != NONE:
                    result = compare_rdata(self.packed, self.index.lower, self.spare[place], self.chain[i])
                    if result != DIFFERENT:
                        break
                    place = (place + 1) & (size - 1)
            if result == UNCERTAIN:
                return -2
            if result == SAME:
                continue
            if not few:
                self.spare[place] = self.chain[i]
            self.chain[kept] = self.chain[i]
            kept += 1
        return kept - first
