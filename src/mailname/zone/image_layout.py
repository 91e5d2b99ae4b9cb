"""A prepared zone written down as an image, in one go and into its final place (the layout is described in ``image``).

The same source runs compiled, without the interpreter's lock, and uncompiled.
"""

# No `from __future__ import annotations` here: the annotations are C types.
import cython

from mailname.zone.image_build import ImageBuilder

if cython.compiled:
    from cython.cimports.cpython.bytes import PyBytes_FromStringAndSize
    from cython.cimports.libc.string import memcpy, memset
    from cython.cimports.mailname.zone.image_build import BELOW_CUT, CUT, HASHED
    from cython.cimports.mailname.zone.owner_index import NONE, OWNER, fetch
    from cython.cimports.mailname.zone.packed import ROW
else:
    from mailname.zone.image_build import BELOW_CUT, CUT, HASHED
    from mailname.zone.owner_index import NONE, OWNER
    from mailname.zone.packed import ROW

_WRITTEN_FLAGS = cython.declare(cython.uint, 0xFF)


class Layout:
    """One image in the making.

    Args:
        builder: what is laid out; ``prepare`` has found it good.
        mask: the number of slots less one.
        places: where slots, nodes, RRsets, lists and blob begin.

    """

    def __init__(self, builder: ImageBuilder, mask: cython.uint, places: tuple) -> None:
        self.builder = builder
        self.mask = mask
        self.slots, self.nodes, self.rrsets, self.lists, self.blob = places

    def write(self, header: bytes, total: int, negative_ttl: cython.uint) -> bytes:
        """Write the image."""
        if cython.compiled:
            image = PyBytes_FromStringAndSize(cython.NULL, total)
            self.out = cython.cast(cython.p_uchar, cython.cast(cython.p_char, image))
            memcpy(self.out, cython.cast(cython.p_char, header), len(header))
            with cython.nogil:
                memset(self.out + self.slots, 0, self.nodes - self.slots)
                self._write(negative_ttl)
            return image
        self.out = bytearray(total)
        self.out[: len(header)] = header
        self._write(negative_ttl)
        return bytes(self.out)

    def _write(self, negative_ttl):
        owners = self.builder.index.owners
        node: cython.uint
        owner: cython.uint
        parent: cython.uint
        record: cython.uint
        flags: cython.uint
        at: cython.uint
        place: cython.uint
        cut: cython.uint = NONE
        i: cython.uint
        self.next_rrset = self.next_list = 0
        self.blob_end = self.blob
        self._copy(self.builder.index.apex, 0, self.builder.index.apex_length)
        for node in range(self.builder.index.count):
            owner = self.builder.order.order[node]
            flags = owners[OWNER * owner + 4] >> 16
            if flags & CUT:
                cut = node
            elif not flags & BELOW_CUT:
                cut = NONE
            if node + 16 < self.builder.index.count:
                self._fetch(self.builder.order.order[node + 16])
            at = self.nodes + 32 * node
            self._name(at, owner)
            self._put16(at + 10, flags & _WRITTEN_FLAGS)
            self._put32(at + 12, cut)
            self._put32(at + 16, NONE)
            self._put32(at + 20, self.next_rrset)
            record = owners[OWNER * owner + 1]
            while record != NONE:
                record = self._rrset(node, record)
            self._put16(at + 24, self.next_rrset - owners[OWNER * owner + 2])
            self._put16(at + 26, 0)
            self._put32(at + 28, owners[OWNER * owner + 3])
            if flags & HASHED:
                continue
            self._enter(node, owners[OWNER * owner + 3])
            place = owners[OWNER * owner]
            if node and self.builder.packed.data[place] == 1 and self.builder.packed.data[place + 1] == 42:
                parent = self.builder.parent(owner)
                self._put32(self.nodes + 32 * owners[OWNER * parent + 5] + 16, node)
        # The SOA of negative answers, which has the TTL of RFC 2308 section 5; its list is the last one.
        place = self.blob_end
        self._record(self.builder.soa, negative_ttl)
        self._fixed(self.builder.index.count, 6, 1, negative_ttl, place)
        for i in range(self.builder.lists_count):
            self._put32(self.lists + 4 * i, self.builder.lists[i])

    def _name(self, node, owner):
        """Write an owner's name in lower case, and as spelled where that is another."""
        data = self.builder.packed.data
        place: cython.uint = self.builder.index.owners[OWNER * owner]
        length: cython.uint = self.builder.index.owners[OWNER * owner + 4] & 255
        i: cython.uint
        other: cython.bint = False
        self._put32(node, self.blob_end - self.blob)
        for i in range(length):
            self.out[self.blob_end + i] = self.builder.index.lower[data[place + i]]
            if self.out[self.blob_end + i] != data[place + i]:
                other = True
        self.blob_end += length
        if other:
            self._put32(node + 4, self.blob_end - self.blob)
            self._copy(data, place, length)
        else:
            self._put32(node + 4, self.blob_end - self.blob - length)
        self.out[node + 8] = length
        self.out[node + 9] = ((self.builder.index.owners[OWNER * owner + 4] >> 8) & 255) + 1

    def _rrset(self, node, record):
        """Write the RRset that begins with a record; return the owner's next record, or NONE."""
        rows = self.builder.packed.rows
        rdtype: cython.uint = rows[ROW * record + 2] >> 16
        ttl: cython.uint = rows[ROW * record + 1]
        count: cython.uint = 0
        body: cython.uint = self.blob_end
        while record != NONE and rows[ROW * record + 2] >> 16 == rdtype:
            self._record(record, ttl)
            count += 1
            record = rows[ROW * record + 5]
        self._fixed(node, rdtype, count, ttl, body)
        return record

    def _fixed(self, node, rdtype, count, ttl, body):
        """Write the entry of the RRset whose body was written last."""
        at: cython.uint = self.rrsets + 40 * self.next_rrset
        pointers: cython.uint = 0
        others: cython.uint = 0
        self.next_rrset += 1
        if rdtype == 33 or self.builder.name_in(rdtype) >= 0:
            pointers = self.builder.lists[self.next_list] & 65535
            others = self.builder.lists[self.next_list] >> 16
            self.next_list += 1
        self._put16(at, rdtype)
        self._put16(at + 2, 0)
        self._put16(at + 4, count)
        self._put16(at + 6, pointers)
        self._put32(at + 8, ttl)
        self._put32(at + 12, body - self.blob)
        self._put32(at + 16, self.blob_end - body)
        self._put32(at + 20, self.next_list)
        self._put32(at + 24, self.next_list + pointers)
        self._put16(at + 28, others)
        self._put16(at + 30, 0)
        self._put32(at + 32, NONE)
        self._put32(at + 36, node)
        self.next_list += pointers + others

    def _record(self, record, ttl):
        """Write a record as it goes into an answer: its owner is a pointer to the question."""
        data = self.builder.packed.data
        rows = self.builder.packed.rows
        rdtype: cython.uint = rows[ROW * record + 2] >> 16
        at: cython.uint = rows[ROW * record + 3]
        end: cython.uint = at + (rows[ROW * record + 2] & 65535)
        length: cython.uint = self.builder.compressed_length(record)
        to: cython.uint = self.blob_end
        names: cython.int = 2 if rdtype == 6 else 1
        begins: cython.int
        start: cython.uint
        out = self.out
        out[to] = 0xC0
        out[to + 1] = 12
        out[to + 2] = rdtype >> 8
        out[to + 3] = rdtype & 255
        out[to + 4] = 0
        out[to + 5] = 1
        out[to + 6] = ttl >> 24
        out[to + 7] = (ttl >> 16) & 255
        out[to + 8] = (ttl >> 8) & 255
        out[to + 9] = ttl & 255
        out[to + 10] = length >> 8
        out[to + 11] = length & 255
        self.blob_end += 12
        if length != end - at:
            start = at
            at += self.builder.name_in(rdtype)
            while names:
                begins = self.builder.index.begins_apex(data, at)
                if begins >= 0:
                    self._copy(data, start, at + begins - start)
                    out[self.blob_end] = 0xC0
                    out[self.blob_end + 1] = 0
                    self.blob_end += 2
                    at += begins + self.builder.index.apex_length
                    start = at
                else:
                    while data[at]:
                        at += 1 + data[at]
                    at += 1
                names -= 1
            at = start
        self._copy(data, at, end - at)

    def _enter(self, node, hashed):
        """Put a node into the hash index."""
        place: cython.uint = hashed & self.mask
        at: cython.uint = self.slots + 8 * place
        out = self.out
        while out[at + 4] | out[at + 5] | out[at + 6] | out[at + 7]:
            place = (place + 1) & self.mask
            at = self.slots + 8 * place
        self._put32(at, hashed)
        self._put32(at + 4, node + 1)

    def _fetch(self, owner):
        """Ask for the memory of an owner whose turn comes soon."""
        if cython.compiled:
            fetch(self.out + self.slots + 8 * (self.builder.index.owners[OWNER * owner + 3] & self.mask))
            fetch(self.builder.packed.data + self.builder.index.owners[OWNER * owner])

    def _put16(self, at, value):
        self.out[at] = value & 255
        self.out[at + 1] = value >> 8

    def _put32(self, at, value):
        self.out[at] = value & 255
        self.out[at + 1] = (value >> 8) & 255
        self.out[at + 2] = (value >> 16) & 255
        self.out[at + 3] = value >> 24

    def _copy(self, source, start, length):
        """Put octets at the end of the blob."""
        if cython.compiled:
            memcpy(self.out + self.blob_end, source + start, length)
        else:
            self.out[self.blob_end : self.blob_end + length] = source[start : start + length]
        self.blob_end += length
