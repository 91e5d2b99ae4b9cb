"""A prepared zone written down as an image, in one go and into its final place (the layout is described in ``image``).

The same source runs compiled, without the interpreter's lock, and uncompiled.
"""

# No `from __future__ import annotations` here: the annotations are C types.
import cython

from mailname.zone.image_build import ImageBuilder

if cython.compiled:
    from cython.cimports.cpython.bytes import PyBytes_FromStringAndSize
    from cython.cimports.libc.string import memcpy, memset
    from cython.cimports.mailname.zone.denial_chain import HASHED, IN_CHAIN, digit_of
    from cython.cimports.mailname.zone.image_build import BELOW_CUT, CUT
    from cython.cimports.mailname.zone.image_signatures import sign, sign_negative
    from cython.cimports.mailname.zone.owner_index import NONE, OWNER, fetch
    from cython.cimports.mailname.zone.packed import ROW
else:
    from mailname.zone.denial_chain import HASHED, IN_CHAIN, digit_of
    from mailname.zone.image_build import BELOW_CUT, CUT
    from mailname.zone.image_signatures import sign, sign_negative
    from mailname.zone.owner_index import NONE, OWNER
    from mailname.zone.packed import ROW

_MANY = cython.declare(cython.uint, 1 << 13)  # nodes
_HEADER_SIZE = cython.declare(cython.uint, 128)
_WRITTEN_FLAGS = cython.declare(cython.uint, 0xFF)
_ZONE_SIGNED = cython.declare(cython.int, 1)
_ZONE_HIDES = cython.declare(cython.int, 2)
_ZONE_ODD = cython.declare(cython.int, 4)


class Layout:
    """One image in the making. May be used again for the next one.

    Args:
        magic: the image's first octets.

    """

    def __init__(self, magic: bytes) -> None:
        self.magic = magic
        self.first = cython.cast(cython.p_uchar, cython.cast(cython.p_char, magic)) if cython.compiled else magic

    def begin(self, builder: ImageBuilder) -> None:
        """Take what is to be laid out."""
        self.builder = builder

    def fits(self) -> bool:
        """Find out where everything goes; tell whether the image is as small as it must be."""
        return self.measure()

    def measure(self):
        """Do what ``fits`` says, without the interpreter."""
        nodes: cython.ulonglong = self.builder.index.count
        size: cython.ulonglong = 8
        while size < 2 * nodes:
            size *= 2
        at: cython.ulonglong = _HEADER_SIZE + 8 * size
        self.mask = cython.cast(cython.uint, size - 1)
        self.slots = _HEADER_SIZE
        self.nodes = cython.cast(cython.uint, at)
        at += 32 * nodes
        self.rrsets = cython.cast(cython.uint, at)
        at += 40 * (cython.cast(cython.ulonglong, self.builder.rrsets) + 1)
        self.lists = cython.cast(cython.uint, at)
        at += 4 * cython.cast(cython.ulonglong, self.builder.lists_count)
        self.chain = cython.cast(cython.uint, at)
        at += cython.cast(cython.ulonglong, self.builder.link_size) * self.builder.links
        self.blob = cython.cast(cython.uint, at)
        self.total = at + self.builder.blob_size + 12 + self.builder.compressed_length(self.builder.soa)
        self.total += self.builder.soa_signatures
        return (self.total >> 32) == 0

    def write(self) -> bytes:
        """Write the image; it ``fits``."""
        if cython.compiled:
            image = PyBytes_FromStringAndSize(cython.NULL, self.total)
            place = cython.cast(cython.p_uchar, cython.cast(cython.p_char, image))
            with cython.nogil:
                self.write_to(place)
            return image
        self.write_to(bytearray(self.total))
        return bytes(self.out)

    def write_to(self, out):
        """Write the image into memory that somebody else holds."""
        self.out = out
        if cython.compiled:
            memcpy(out, self.first, 8)
            memset(out + 8, 0, self.nodes - 8)
        else:
            out[:8] = self.first
        self._write()

    def _write_header(self):
        """Write the header (see ``image``) and return the TTL of negative answers (RFC 2308 section 5)."""
        row: cython.uint = ROW * self.builder.soa
        ttl: cython.uint = self.builder.packed.rows[row + 1]
        end: cython.uint = self.builder.packed.rows[row + 3] + (self.builder.packed.rows[row + 2] & 65535)
        minimum: cython.uint = self._number(end - 4)
        self._put32(8, cython.cast(cython.uint, self.total))
        self._put32(12, self.builder.index.count)
        self._put32(16, self.builder.rrsets + 1)
        self._put32(20, self.mask)
        self._put32(24, self.slots)
        self._put32(28, self.nodes)
        self._put32(32, self.rrsets)
        self._put32(36, self.lists)
        self._put32(40, self.blob)
        self._put32(44, self.builder.records)
        self._put32(48, self._number(end - 20))  # the serial
        if ttl > minimum:
            ttl = minimum
        self._put32(52, ttl)
        self.out[60] = self.builder.index.apex_length  # it stands where the blob begins
        self.out[61] = (
            (_ZONE_SIGNED if self.builder.signed or self.builder.links else 0)
            | (_ZONE_HIDES if self.builder.hides else 0)
            | (_ZONE_ODD if self.builder.odd else 0)
        )
        self._put32(116, self.chain)
        self._put32(120, self.builder.links)
        return ttl

    def _number(self, at):
        """Return the number that stands in the records' data, the highest octet first."""
        data = self.builder.packed.data
        return (cython.cast(cython.uint, data[at]) << 24) | (data[at + 1] << 16) | (data[at + 2] << 8) | data[at + 3]

    def _write(self):
        owners = self.builder.index.owners
        negative_ttl: cython.uint = self._write_header()
        node: cython.uint
        parent: cython.uint
        record: cython.uint
        flags: cython.uint
        at: cython.uint
        place: cython.uint
        cut: cython.uint = NONE
        i: cython.uint
        self.next_rrset = self.next_list = 0
        self.next_link = self.chain
        self.blob_end = self.blob
        self._enter_all()
        self._copy(self.builder.index.apex, 0, self.builder.index.apex_length)
        for node in range(self.builder.index.count):
            flags = owners[OWNER * node + 4] >> 16
            if flags & CUT:
                cut = node
            elif not flags & BELOW_CUT:
                cut = NONE
            if node + 16 < self.builder.index.count:
                self._fetch(node + 16)
            at = self.nodes + 32 * node
            self._name(at, node)
            self._put16(at + 10, flags & _WRITTEN_FLAGS)
            self._put32(at + 12, cut)
            self._put32(at + 16, NONE)
            self._put32(at + 20, self.next_rrset)
            record = owners[OWNER * node + 1]
            while record != NONE:
                record = self._rrset(node, record)
            if self.builder.signed:
                sign(self.out, self.blob, self.rrsets + 40 * owners[OWNER * node + 2], self.rrsets + 40 * self.next_rrset)
            if flags & IN_CHAIN:
                self._link(node)
            self._put16(at + 24, self.next_rrset - owners[OWNER * node + 2])
            self._put16(at + 26, 0)
            self._put32(at + 28, owners[OWNER * node + 3])
            if flags & HASHED:
                continue
            place = owners[OWNER * node]
            if node and self.builder.packed.data[place] == 1 and self.builder.packed.data[place + 1] == 42:
                parent = self.builder.parent(node)
                self._put32(self.nodes + 32 * parent + 16, node)
        # The SOA of negative answers, which has the TTL of RFC 2308 section 5; its list is the last one.
        place = self.blob_end
        self._record(self.builder.soa, negative_ttl)
        self._fixed(self.builder.index.count, 6, 1, negative_ttl, place)
        sign_negative(self.out, self.blob, self.blob_end, self.rrsets, self.rrsets + 40 * (self.next_rrset - 1), negative_ttl)
        for i in range(self.builder.lists_count):
            self._put32(self.lists + 4 * i, self.builder.lists[i])

    def _name(self, at, node):
        """Write an owner's name in lower case, and as spelled where that is another."""
        data = self.builder.packed.data
        lower = self.builder.index.lower
        out = self.out
        place: cython.size_t = self.builder.index.owners[OWNER * node]
        length: cython.uint = self.builder.index.owners[OWNER * node + 4] & 255
        to: cython.size_t = self.blob_end
        i: cython.size_t
        other: cython.uint = 0
        self._put32(at, self.blob_end - self.blob)
        for i in range(length):
            out[to + i] = lower[data[place + i]]
            other |= lower[data[place + i]] ^ data[place + i]
        self.blob_end += length
        if other:
            self._put32(at + 4, self.blob_end - self.blob)
            self._copy(data, cython.cast(cython.uint, place), length)
        else:
            self._put32(at + 4, self.blob_end - self.blob - length)
        out[at + 8] = length
        out[at + 9] = ((self.builder.index.owners[OWNER * node + 4] >> 8) & 255) + 1

    def _rrset(self, node, record):
        """Write the RRset that begins with a record; return the owner's next record, or NONE."""
        rows = self.builder.packed.rows
        rdtype: cython.uint = rows[ROW * record + 2] >> 16
        ttl: cython.uint = rows[ROW * record + 1]
        count: cython.uint = 0
        body: cython.uint = self.blob_end
        while record != NONE and rows[ROW * record + 2] >> 16 == rdtype:
            if record == self.builder.used:
                self._put32(124, self.blob_end + 12)
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

    def _link(self, node):
        """Write down that a node is next in the chain; if of NSEC3, with its hash: zeros where an odd label is too short."""
        i: cython.uint
        digit: cython.uint
        bits: cython.uint = 0
        number: cython.uint = 0
        place: cython.uint = self.builder.index.owners[OWNER * node]
        if self.builder.used != NONE:
            for i in range(32):
                digit = digit_of(self.builder.packed.data[place + 1 + i]) if i < self.builder.packed.data[place] else 0
                bits = ((bits << 5) | (digit & 31)) & 0xFFF
                number += 5
                if number >= 8:
                    number -= 8
                    self.out[self.next_link] = (bits >> number) & 255
                    self.next_link += 1
        self._put32(self.next_link, node)
        self.next_link += 4

    def _record(self, record, ttl):
        """Write a record as it goes into an answer: its owner is a pointer to the question."""
        data = self.builder.packed.data
        rows = self.builder.packed.rows
        rdtype: cython.uint = rows[ROW * record + 2] >> 16
        at: cython.uint = rows[ROW * record + 3]
        end: cython.uint = at + (rows[ROW * record + 2] & 65535)
        length: cython.uint = self.builder.compressed_length(record)
        to: cython.size_t = self.blob_end
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

    def _enter_all(self):
        """Put all nodes that questions may find into the hash index.

        Of many nodes, those whose slots lie near one another are put in together, since what is not in the processor's cache
        costs most. They are gathered where RRsets and bodies will stand.
        """
        owners = self.builder.index.owners
        count: cython.uint = self.builder.index.count
        node: cython.uint
        shift: cython.uint = 0
        part: cython.uint
        total: cython.uint = 0
        many: cython.uint
        place: cython.size_t
        counts: cython.uint[256]
        if not cython.compiled:
            counts = [0] * 256
        if count < _MANY or self.total < self.rrsets + 8 * cython.cast(cython.ulonglong, count):
            for node in range(count):
                if not (owners[OWNER * node + 4] >> 16) & HASHED:
                    self._enter(node, owners[OWNER * node + 3])
            return
        while self.mask >> shift > 255:
            shift += 1
        for part in range(256):
            counts[part] = 0
        for node in range(count):
            if not (owners[OWNER * node + 4] >> 16) & HASHED:
                counts[(owners[OWNER * node + 3] & self.mask) >> shift] += 1
        for part in range(256):
            many = counts[part]
            counts[part] = total
            total += many
        for node in range(count):
            if not (owners[OWNER * node + 4] >> 16) & HASHED:
                part = (owners[OWNER * node + 3] & self.mask) >> shift
                place = self.rrsets + 8 * cython.cast(cython.size_t, counts[part])
                counts[part] += 1
                self._put32(place, owners[OWNER * node + 3])
                self._put32(place + 4, node)
        place = self.rrsets
        while total:
            total -= 1
            self._enter(self._get32(place + 4), self._get32(place))
            place += 8

    def _enter(self, node, hashed):
        """Put a node into the hash index."""
        place: cython.uint = hashed & self.mask
        at: cython.uint = self.slots + 8 * place
        while self._get32(at + 4):
            place = (place + 1) & self.mask
            at = self.slots + 8 * place
        self._put32(at, hashed)
        self._put32(at + 4, node + 1)

    def _fetch(self, node):
        """Ask for the memory of a node whose turn comes soon."""
        if cython.compiled:
            fetch(self.builder.packed.data + self.builder.index.owners[OWNER * node])
            if self.builder.index.owners[OWNER * node + 1] != NONE:
                fetch(self.builder.packed.rows + ROW * self.builder.index.owners[OWNER * node + 1])

    def _put16(self, at, value):
        out = self.out
        out[at] = value & 255
        out[at + 1] = value >> 8

    def _put32(self, at, value):
        out = self.out
        out[at] = value & 255
        out[at + 1] = (value >> 8) & 255
        out[at + 2] = (value >> 16) & 255
        out[at + 3] = value >> 24

    def _get32(self, at):
        out = self.out
        return out[at] | (out[at + 1] << 8) | (out[at + 2] << 16) | (cython.cast(cython.uint, out[at + 3]) << 24)

    def _copy(self, source, start, length):
        """Put octets at the end of the blob."""
        if cython.compiled:
            memcpy(self.out + self.blob_end, source + start, length)
        else:
            self.out[self.blob_end : self.blob_end + length] = source[start : start + length]
        self.blob_end += length
