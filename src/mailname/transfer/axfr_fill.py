"""The messages of an outgoing transfer, filled straight from a zone image, without a Python object for each record.

An owner is written as a pointer to where it, or the longest part of it, stands in the message before: owners come in canonical
order, so that the owner before shares the most with it. The names in rdata of RFC 1035's types are looked up among those that
the message holds (RFC 5936 section 3.4); rdata of other types is not compressed (RFC 3597 section 4). Only names of the same
spelling are taken for the same, but for the apex in rdata, of which an image keeps one spelling. The same source runs compiled,
without the interpreter's lock, and uncompiled.
"""

# No `from __future__ import annotations` here: the annotations are C types.
import cython

from mailname.zone.image import HEADER, NODE, RRSET

if cython.compiled:
    from cython.cimports.cpython.bytes import PyBytes_FromStringAndSize
    from cython.cimports.libc.stdlib import free, malloc
    from cython.cimports.libc.string import memcpy, memset
else:
    PLACES = 2048

    FIRST_SOA, DATA, LAST_SOA, SENT = 0, 1, 2, 3

_ROOM = cython.declare(cython.uint, 65535 + 66000)  # a message, and one record more, which may turn out to be too much
_FARTHEST = cython.declare(cython.uint, 0x3FFF)  # where a pointer can point to (RFC 1035 section 4.1.4)
_TRIES = cython.declare(cython.uint, 4)
_32_BITS = cython.declare(cython.uint, 0xFFFFFFFF)


class MessageFiller:
    """One transfer of one image on its way out.

    Args:
        image: built by this process, or of a pack that ``check_pack`` found good.

    Attributes:
        records: how many the last message holds.
        sent: the SOA that ends the transfer has been written.

    """

    def __cinit__(self) -> None:
        if cython.compiled:
            self.out = cython.NULL

    def __init__(self, image: "bytes | memoryview") -> None:
        fields = HEADER.unpack_from(image)
        self.nodes_at, self.rrsets_at, self.blob = fields[6], fields[7], fields[9]
        self.nodes = fields[2]
        self.node_size, self.rrset_size = NODE.size, RRSET.size
        self.held = image
        if cython.compiled:
            octets: cython.const_uchar[::1] = image
            self.image = cython.cast(cython.p_uchar, cython.address(octets[0]))
            self.out = cython.cast(cython.p_uchar, malloc(_ROOM))
            if self.out == cython.NULL:
                raise MemoryError
        else:
            self.image = image
            self.out = bytearray(_ROOM)
            self.ends = [0] * 130
            self.starts = [0] * 130
            self.hashes = [0] * 130
            self.keys = [0] * PLACES
            self.places = [0] * PLACES
        octet: cython.int
        if not cython.compiled:
            self.lower = [0] * 256
        for octet in range(256):
            self.lower[octet] = octet + 32 if 65 <= octet <= 90 else octet
        self.apex_labels = self.image[self.nodes_at + 9] - 1
        self.apex_hash = self._u32(self.nodes_at + 28)
        self.stage = FIRST_SOA
        self.sent = False
        self.records = 0
        self._go_to(0, self._soa())

    def __dealloc__(self) -> None:
        if cython.compiled:
            free(self.out)

    def fill(self, head: bytes, limit: cython.uint) -> bytes:
        """Return the next message. One that holds a single record may be larger than the limit.

        Args:
            head: the header and the question section, if there is one; the number of answers is put in.
            limit: octets of the message.

        """
        size: cython.uint = len(head)
        if cython.compiled:
            memcpy(self.out, cython.cast(cython.p_char, head), size)
            with cython.nogil:
                self._fill(size, limit)
        else:
            self.out[:size] = head
            self._fill(size, limit)
        self.out[6] = self.records >> 8
        self.out[7] = self.records & 255
        if cython.compiled:
            return PyBytes_FromStringAndSize(cython.cast(cython.p_char, self.out), self.size)
        return bytes(self.out[: self.size])

    def _fill(self, size, limit):
        self.size = size
        self.records = 0
        self.owner = _32_BITS
        self.apex = 0
        if cython.compiled:
            memset(self.places, 0, 2 * PLACES)
        else:
            self.places = [0] * PLACES
        self._begin_names(size)
        while self.stage != SENT:
            size = self.size
            self._record()
            if self.size > limit and self.records:
                self.size = size
                return
            self.records += 1
            self._go_on()
        self.sent = True

    def _begin_names(self, size):
        """Take the question's name, if there is one, for the first to be pointed to."""
        at: cython.uint = 12
        labels: cython.uint = 0
        i: cython.uint
        self.known = 0
        if size == 12:
            return
        while self.out[at]:
            self.starts[labels] = at
            labels += 1
            at += 1 + self.out[at]
        for i in range(labels):
            self.ends[i] = self.starts[labels - 1 - i]
        self.known = labels
        self.apex = 12

    def _soa(self):
        """Return the number of the SOA's RRset."""
        number: cython.uint = self._u32(self.nodes_at + 20)
        while self._u16(self.rrsets_at + self.rrset_size * number) != 6:
            number += 1
        return number

    def _go_to(self, node, rrset):
        """Make an RRset's first record the next."""
        at: cython.uint = self.rrsets_at + self.rrset_size * rrset
        self.node = node
        self.rrset = rrset
        self.left = self._u16(at + 4)
        self.at = self.blob + self._u32(at + 12)

    def _go_on(self):
        """Go to the next record."""
        node: cython.uint = self.nodes_at + self.node_size * self.node
        rrset: cython.uint
        if self.stage == FIRST_SOA:
            self.stage = DATA
            rrset = self._u32(node + 20)
        elif self.stage == LAST_SOA:
            self.stage = SENT
            return
        else:
            self.left -= 1
            if self.left:
                self.at += 12 + ((self.image[self.at + 10] << 8) | self.image[self.at + 11])
                return
            rrset = self.rrset + 1
        while True:
            while rrset == self._u32(node + 20) + self._u16(node + 24):
                if self.node + 1 == self.nodes:
                    self.stage = LAST_SOA
                    self._go_to(0, self._soa())
                    return
                self.node += 1
                node += self.node_size
                rrset = self._u32(node + 20)
            if self.node or self._u16(self.rrsets_at + self.rrset_size * rrset) != 6:
                break
            rrset += 1
        self._go_to(self.node, rrset)

    def _record(self):
        """Write the record whose turn it is."""
        image = self.image
        out = self.out
        at: cython.uint = self.at + 2
        rdtype: cython.uint = (image[at] << 8) | image[at + 1]
        length: cython.uint = (image[at + 8] << 8) | image[at + 9]
        begin: cython.uint
        if self.owner == self.node:
            out[self.size] = 0xC0 | (self.owner_at >> 8)
            out[self.size + 1] = self.owner_at & 255
            self.size += 2
        else:
            self._owner()
        begin = self.size
        if rdtype == 2 or rdtype == 5 or rdtype == 12:
            self._copy(at, 10)
            self._name(at + 10)
        elif rdtype == 15:
            self._copy(at, 12)
            self._name(at + 12)
        elif rdtype == 6:
            self._copy(at, 10)
            at = self._name(self._name(at + 10))
            self._copy(at, 20)
        else:
            self._copy(at, 10 + length)
            return
        length = self.size - begin - 10
        out[begin + 8] = length >> 8
        out[begin + 9] = length & 255

    def _owner(self):
        """Write a node's owner, and remember where its parts stand."""
        image = self.image
        out = self.out
        node: cython.uint = self.nodes_at + self.node_size * self.node
        name: cython.uint = self.blob + self._u32(node + 4)
        hashed: cython.uint = self._u32(node + 28)
        labels: cython.uint = 0
        at: cython.uint = name
        shared: cython.uint = 0
        found: cython.uint
        i: cython.uint
        begin: cython.uint = self.size
        while image[at]:
            self.starts[labels] = at
            labels += 1
            at += 1 + image[at]
        while shared < labels and shared < self.known:
            at = self.starts[labels - 1 - shared]
            found = self.ends[shared]
            for i in range(image[at] + 1):
                if image[at + i] != out[found + i]:
                    break
            else:
                shared += 1
                continue
            break
        # What stands too far behind cannot be pointed to, but its end can.
        while shared and self.ends[shared - 1] > _FARTHEST:
            shared -= 1
        if shared + 1 == labels:
            found = self._find(name, hashed)
            if found:
                self.ends[shared] = found
                shared += 1
        i = labels
        at = name
        while i > shared:
            i -= 1
            self.ends[i] = self.size
            self._copy(at, 1 + image[at])
            at += 1 + image[at]
        if shared:
            out[self.size] = 0xC0 | (self.ends[shared - 1] >> 8)
            out[self.size + 1] = self.ends[shared - 1] & 255
            self.size += 2
        else:
            out[self.size] = 0
            self.size += 1
        self.known = labels
        if self.apex == 0 and self.apex_labels:
            self.apex = self.ends[self.apex_labels - 1]
        self.owner = _32_BITS
        if labels and self.ends[labels - 1] <= _FARTHEST:
            self.owner = self.node
            self.owner_at = self.ends[labels - 1]
            if self.owner_at == begin:
                self._enter(hashed, begin)

    def _name(self, at):
        """Write the name in rdata that begins at a place; return where it ends. It may end in a pointer to the apex."""
        image = self.image
        begin: cython.uint = at
        labels: cython.uint = 0
        i: cython.uint
        known: cython.uint
        found: cython.uint = 0
        hashed: cython.uint = 0x050C5D1F  # of the root: name_hash of one octet 0
        while 0 < image[at] < 64:
            self.starts[labels] = at
            labels += 1
            at += 1 + image[at]
        end: cython.uint = at + 1
        if image[at]:
            end = at + 2
            hashed = self.apex_hash
        self.starts[labels] = at
        known = labels
        while known:
            known -= 1
            i = self.starts[known + 1]
            while i > self.starts[known]:
                i -= 1
                hashed = ((hashed ^ self.lower[image[i]]) * 0x01000193) & _32_BITS
            self.hashes[known] = hashed
        while known < labels:
            found = self._find(self.starts[known], self.hashes[known])
            if found:
                break
            known += 1
        if found == 0 and image[at]:
            found = self.apex
        for i in range(known):
            if self.size + self.starts[i] - begin <= _FARTHEST:
                self._enter(self.hashes[i], self.size + self.starts[i] - begin)
        self._copy(begin, self.starts[known] - begin)
        if found:
            self.out[self.size] = 0xC0 | (found >> 8)
            self.out[self.size + 1] = found & 255
            self.size += 2
        else:
            self.out[self.size] = 0
            self.size += 1
        return end

    def _find(self, name, hashed):
        """Return where a name, given by its place in the image, stands in the message; 0 where it does not."""
        place: cython.uint = hashed & (PLACES - 1)
        tries: cython.uint = _TRIES
        while tries and self.places[place]:
            if self.keys[place] == hashed and self._is_same(name, self.places[place]):
                return self.places[place]
            place = (place + 1) & (PLACES - 1)
            tries -= 1
        return 0

    def _is_same(self, name, at):
        image = self.image
        out = self.out
        i: cython.uint
        while True:
            while out[at] >= 0xC0:
                at = ((out[at] & 0x3F) << 8) | out[at + 1]
            if image[name] >= 0xC0:
                return at == self.apex
            for i in range(image[name] + 1):
                if image[name + i] != out[at + i]:
                    return False
            if image[name] == 0:
                return True
            at += 1 + image[name]
            name += 1 + image[name]

    def _enter(self, hashed, at):
        """Remember where a name stands; where too many have hashes like it, the first of them is forgotten."""
        place: cython.uint = hashed & (PLACES - 1)
        i: cython.uint
        for i in range(_TRIES):
            if self.places[(place + i) & (PLACES - 1)] == 0:
                place = (place + i) & (PLACES - 1)
                break
        self.keys[place] = hashed
        self.places[place] = at

    def _copy(self, at, count):
        """Write octets of the image."""
        if cython.compiled:
            memcpy(self.out + self.size, self.image + at, count)
        else:
            self.out[self.size : self.size + count] = self.image[at : at + count]
        self.size += count

    def _u16(self, at):
        return self.image[at] | (self.image[at + 1] << 8)

    def _u32(self, at):
        image = self.image
        return image[at] | (image[at + 1] << 8) | (image[at + 2] << 16) | (cython.cast(cython.uint, image[at + 3]) << 24)
