"""The records of transfer messages, packed as they arrive, without a Python object for each record.

A record of a usual type is judged here as dnspython judges it. One of another type, or one that is not as it should be, is left
to the caller (RARE), and so is a message that is odd in any other way (ODD): he finds the words for what is wrong. Nothing is
read outside the message. The same source runs compiled, without the interpreter's lock, and uncompiled.
"""

# No `from __future__ import annotations` here: the annotations are C types.
import cython

from mailname.zone.packed import PackedRecords

if cython.compiled:
    from cython.cimports.libc.string import memcpy
else:
    DONE, RARE, ODD, FULL, MET_SOA = 0, 1, 2, 3, 4

_NOWHERE = cython.declare(cython.uint, 0xFFFFFFFF)
_MOST_HOPS = cython.declare(cython.int, 16)  # pointers in one name; dnspython follows no more


class RecordReader:
    """The records of one transfer.

    Args:
        apex: the zone's, in lower-case wire form.

    Attributes:
        packed: the records so far, without the SOA that ends the transfer; the first one is the SOA.
        ended: the SOA that ends the transfer was there.
        rdtype: of the record at which ``run`` stopped with RARE.
        rdata_at: where its rdata stands in the message.
        rdata_length: how many octets it has.
        differences: of an incremental transfer: ``run`` stops at each SOA of the apex with MET_SOA; it is taken or skipped then.
        mark: what is told beside the records that come now, as packed records have it.

    """

    def __init__(self, apex: bytes) -> None:
        self.packed = PackedRecords()
        self.ended = self.differences = False
        self.mark = self.soa_length = 0
        self.owner = self.owner_at = _NOWHERE
        self.rdtype = self.rdata_at = self.rdata_length = 0
        if not cython.compiled:
            self.apex = bytearray(256)
            self.lower = [0] * 256
        self.apex_length = len(apex)
        octet: cython.int
        for octet in range(self.apex_length):
            self.apex[octet] = apex[octet]
        for octet in range(256):
            self.lower[octet] = octet + 32 if 65 <= octet <= 90 else octet

    def begin(self, message: bytes, at: cython.uint, records: cython.uint) -> None:
        """Begin with a message whose answer section begins at ``at`` and says to hold so many records."""
        self.held = message
        self.size = len(message)
        if cython.compiled:
            self.wire = cython.cast(cython.p_uchar, cython.cast(cython.p_char, message))
        else:
            self.wire = message
        self.at = at
        self.left = records
        self.owner_at = _NOWHERE
        self.count_before = self.packed.count
        self.size_before = self.packed.size

    def back(self) -> None:
        """Forget what was read of this message."""
        self.packed.count = self.count_before
        self.packed.size = self.size_before
        self.owner = self.owner_at = _NOWHERE
        self.ended = False

    def run(self, most: cython.uint) -> int:
        """Read on; return DONE, RARE, ODD or, where there is no room for more, FULL.

        Args:
            most: the number of records, with the last SOA, that a transfer may have.

        """
        result: cython.int
        if cython.compiled:
            with cython.nogil:
                result = self._run(most)
        else:
            result = self._run(most)
        return result

    def take(self, rdata: bytes) -> bool:
        """Take the rdata, uncompressed, of the record at which ``run`` stopped; False where there is no room."""
        if not self.packed.reserve(len(rdata)):
            return False
        place: cython.uint = self.packed.put(rdata)
        self.packed.finish(self.owner, self.ttl, self.rdtype, place, len(rdata), self.mark)
        self.skip()
        return True

    def skip(self) -> None:
        """Leave the record at which ``run`` stopped."""
        self.at = self.rdata_at + self.rdata_length
        self.left -= 1

    @property
    def octets(self) -> int:
        """The octets of all names and rdata so far."""
        return self.packed.size

    @property
    def rest(self) -> int:
        """How many records of the message are still to be read."""
        return self.left

    def soa(self) -> bytes:
        """Return the rdata, uncompressed, of the SOA at which ``run`` stopped."""
        return bytes(self.packed.data[self.packed.size : self.packed.size + self.soa_length])

    def _run(self, most):
        wire = self.wire
        at: cython.uint
        length: cython.int
        while self.left:
            if self.ended or self.packed.count >= most or not self.packed.reserve(1024):
                return ODD if self.ended or self.packed.count >= most else FULL
            if not self._owner() or self.size - self.at < 10:
                return ODD
            at = self.at
            self.rdtype = (wire[at] << 8) | wire[at + 1]
            self.rdata_length = (wire[at + 8] << 8) | wire[at + 9]
            self.rdata_at = at + 10
            # No class but IN; no type that is no data: 0, OPT, and those of questions and messages, 128 to 255.
            if wire[at + 2] or wire[at + 3] != 1 or self.rdtype == 0 or self.rdtype == 41 or 128 <= self.rdtype < 256:
                return ODD
            if self.size - self.rdata_at < self.rdata_length or (
                self.packed.count == 0 and self.rdtype != 6 and not self.differences
            ):
                return ODD
            if wire[at + 4] & 0x80:  # RFC 2181 section 8
                self.ttl = 0
            else:
                self.ttl = (wire[at + 4] << 24) | (wire[at + 5] << 16) | (wire[at + 6] << 8) | wire[at + 7]
            if not self.packed.reserve(1024 + self.rdata_length):
                return FULL
            length = self._rdata(self.rdtype, self.rdata_at, self.rdata_at + self.rdata_length, self.packed.size)
            if self.rdtype == 6:
                if length < 0:
                    return ODD
                if self.differences:
                    self.soa_length = length
                    return MET_SOA if self._is_of_apex() else ODD
                if not self._soa(length):
                    return ODD
            elif length < 0:
                return RARE
            if not self.ended:
                self.packed.finish(self.owner, self.ttl, self.rdtype, self.packed.size, length, self.mark)
                self.packed.size += length
            self.at = self.rdata_at + self.rdata_length
            self.left -= 1
        return DONE if self.at == self.size else ODD

    def _owner(self):
        """Read an owner in the zone, and keep it, if it is another than the one before."""
        wire = self.wire
        data = self.packed.data
        at: cython.uint = self.at
        target: cython.uint = at
        place: cython.uint = self.packed.size
        length: cython.int
        i: cython.int
        if self.size - at >= 2 and wire[at] >= 0xC0:
            target = ((wire[at] & 0x3F) << 8) | wire[at + 1]
            if target == self.owner_at:
                self.at += 2
                return True
        length = self._name(at, self.size, True, place)
        if length < 0:
            return False
        self.at = self.after
        self.owner_at = target
        if self.owner != _NOWHERE:
            for i in range(length):
                if data[self.owner + i] != data[place + i]:
                    break
            else:
                return True
        if not self._is_in_zone(place, length):
            return False
        self.owner = place
        self.packed.size += length
        return True

    def _is_in_zone(self, place, length):
        data = self.packed.data
        begins: cython.int = length - self.apex_length
        at: cython.int = 0
        i: cython.int
        if begins < 0:
            return False
        while at < begins:
            at += 1 + data[place + at]
        i = 0
        while i < self.apex_length and self.lower[data[at + place + i]] == self.apex[i]:
            i += 1
        return at == begins and i == self.apex_length

    def _is_of_apex(self):
        """Tell whether the owner, which is in the zone, is the apex."""
        end: cython.uint = self.owner
        while self.packed.data[end]:
            end += 1 + self.packed.data[end]
        return end + 1 - self.owner == self.apex_length

    def _soa(self, length):
        """Take a SOA, which must be the apex's, as the first or the last record; False where it is neither."""
        data = self.packed.data
        rows = self.packed.rows
        i: cython.int
        first: cython.uint
        one: cython.uint
        other: cython.uint
        if not self._is_of_apex():
            return False
        if self.packed.count == 0:
            return True
        first = rows[3]
        if cython.cast(cython.int, rows[2] & 65535) != length:
            return False
        # Names are the same whatever their letters' case, numbers are not.
        for i in range(length):
            one = data[first + i]
            other = data[self.packed.size + i]
            if one != other and (i >= length - 20 or self.lower[one] != self.lower[other]):
                return False
        self.ended = True
        return True

    def _name(self, at, end, compressed, to):
        """Write out the name that begins at a place; return its length, or -1. ``after`` is where it ends in the message."""
        wire = self.wire
        data = self.packed.data
        start: cython.uint = at
        lowest: cython.uint = at
        target: cython.uint
        length: cython.int = 0
        count: cython.uint
        hops: cython.int = 0
        i: cython.uint
        while True:
            if at >= end:
                return -1
            count = wire[at]
            at += 1
            if count == 0:
                data[to + length] = 0
                if hops == 0:
                    self.after = at
                return length + 1
            if count < 64:
                if end - at < count or length + 1 + count > 254:
                    return -1
                data[to + length] = count
                if cython.compiled and count > 16:
                    memcpy(data + to + length + 1, wire + at, count)
                else:
                    for i in range(count):
                        data[to + length + 1 + i] = wire[at + i]
                length += 1 + count
                at += count
                continue
            if count < 192 or not compressed or at >= end or hops == _MOST_HOPS:
                return -1
            target = ((count & 0x3F) << 8) | wire[at]
            if target >= lowest:  # only what was there before can be pointed to
                return -1
            if hops == 0:
                self.after = at + 1
            hops += 1
            lowest = target
            end = start
            start = at = target

    def _rdata(self, rdtype, at, end, to):
        """Write rdata out, names uncompressed; return its length, or -1 where it is not plain."""
        wire = self.wire
        length: cython.int = end - at
        if rdtype == 1:
            return self._copy(at, end, to) if length == 4 else -1
        if rdtype == 28:
            return self._copy(at, end, to) if length == 16 else -1
        if rdtype == 2 or rdtype == 5 or rdtype == 12:
            return self._with_name(0, at, end, 0, to)
        if rdtype == 15:
            return self._with_name(2, at, end, 0, to)
        if rdtype == 33:
            return self._with_name(6, at, end, 0, to)
        if rdtype == 16 or rdtype == 99:
            return self._copy(at, end, to) if length and self._strings(at, end) else -1
        if rdtype == 6:
            return self._two_names(at, end, to)
        if rdtype == 39:
            length = self._name(at, end, False, to)
            return length if length > 0 and self.after == end else -1
        if rdtype == 43:
            return self._copy(at, end, to) if length >= 4 and _is_digest(wire[at + 3], length - 4) else -1
        if rdtype == 46:
            length = self._name(at + 18, end, False, to) if length > 18 else -1
            return self._copy(at, end, to) if length > 0 else -1
        if rdtype == 47:
            length = self._name(at, end, False, to)
            return self._copy(at, end, to) if length > 0 and self._bitmap(self.after, end) else -1
        if rdtype == 48:
            return self._copy(at, end, to) if length >= 4 else -1
        if rdtype == 50:
            return self._copy(at, end, to) if self._nsec3(at, end) else -1
        if rdtype == 51:
            return self._copy(at, end, to) if length >= 5 and length == 5 + wire[at + 4] else -1
        if rdtype == 257:
            return self._copy(at, end, to) if self._caa(at, end) else -1
        if rdtype >= 65280:  # of these nobody knows the structure (RFC 3597 section 3)
            return self._copy(at, end, to)
        return -1

    def _copy(self, at, end, to):
        count: cython.uint = end - at
        if cython.compiled:
            memcpy(self.packed.data + to, self.wire + at, count)
        else:
            self.packed.data[to : to + count] = self.wire[at:end]
        return count

    def _with_name(self, before, at, end, behind, to):
        """Write rdata that ends in a name, after some octets."""
        length: cython.int
        if end - at <= before:
            return -1
        self._copy(at, at + before, to)
        length = self._name(at + before, end, True, to + before)
        return before + length if length > 0 and end - self.after == behind else -1

    def _two_names(self, at, end, to):
        first: cython.int = self._name(at, end, True, to)
        second: cython.int
        if first < 0:
            return -1
        second = self._with_name(0, self.after, end, 20, to + first)
        return first + second + self._copy(end - 20, end, to + first + second) if second > 0 else -1

    def _strings(self, at, end):
        while at < end:
            at += 1 + self.wire[at]
        return at == end

    def _bitmap(self, at, end):
        """Tell whether the types that an owner has are written as RFC 4034 section 4.1.2 says."""
        wire = self.wire
        window: cython.int = -1
        count: cython.uint
        while at < end:
            if end - at < 2 or wire[at] <= window:
                return False
            window = wire[at]
            count = wire[at + 1]
            if count == 0 or count > 32 or end - at - 2 < count or wire[at + 1 + count] == 0:
                return False
            at += 2 + count
        return True

    def _nsec3(self, at, end):
        wire = self.wire
        if end - at < 5 or end - at < 6 + cython.cast(cython.uint, wire[at + 4]):
            return False
        at += 5 + wire[at + 4]
        if wire[at] == 0 or end - at - 1 < wire[at]:
            return False
        return self._bitmap(at + 1 + wire[at], end)

    def _caa(self, at, end):
        wire = self.wire
        if end - at < 2 or wire[at + 1] == 0 or end - at - 2 < wire[at + 1]:
            return False
        end = at + 2 + wire[at + 1]
        at += 2
        while at < end and (48 <= wire[at] <= 57 or 97 <= (wire[at] | 32) <= 122):
            at += 1
        return at == end


def _is_digest(kind, length):
    """Tell whether a digest has the length that its type wants (RFC 3658, 4509, 5933, 6605)."""
    if kind == 1:
        return length == 20
    if kind == 2 or kind == 3:
        return length == 32
    return length == 48 if kind == 4 else kind != 0
