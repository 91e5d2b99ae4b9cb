"""The messages of an outgoing incremental transfer, filled from records that stand one behind the other, uncompressed.

What is cheap is compressed: an owner that is the one before, and the apex at the end of owners and of names in rdata of RFC
1035's types (RFC 3597 section 4), spelled as it is. The same source runs compiled, without the interpreter's lock, and
uncompiled.
"""

# No `from __future__ import annotations` here: the annotations are C types.
import cython

if cython.compiled:
    from cython.cimports.cpython.bytes import PyBytes_FromStringAndSize
    from cython.cimports.libc.stdlib import free, malloc
    from cython.cimports.libc.string import memcmp, memcpy

_ROOM = cython.declare(cython.uint, 65535 + 66000)  # a message, and one record more, which may turn out to be too much
_FARTHEST = cython.declare(cython.uint, 0x3FFF)  # where a pointer can point to (RFC 1035 section 4.1.4)
_LONGEST_NAME = cython.declare(cython.uint, 255)


def name_end(data, at, end):
    """Return where the name that begins at a place ends; 0 where it does not end in time, or is no plain name."""
    start: cython.size_t = at
    while at < end and data[at]:
        if data[at] > 63:
            return 0
        at += 1 + data[at]
    return at + 1 if at < end and at + 1 - start <= _LONGEST_NAME else 0


class StepFiller:
    """Fills one message after the other.

    Args:
        apex: the zone's, in wire form.

    Attributes:
        size: octets that the message under way has.
        records: how many it holds.

    """

    def __cinit__(self) -> None:
        if cython.compiled:
            self.out = cython.NULL

    def __init__(self, apex: bytes) -> None:
        i: cython.uint
        if cython.compiled:
            self.out = cython.cast(cython.p_uchar, malloc(_ROOM))
            if self.out == cython.NULL:
                raise MemoryError
        else:
            self.out = bytearray(_ROOM)
            self.apex = bytearray(256)
        self.apex_length = len(apex)
        for i in range(self.apex_length):
            self.apex[i] = apex[i]
        self.size = self.records = self.apex_at = self.owner_length = self.owner_place = 0
        self.owner_from = 0

    def __dealloc__(self) -> None:
        if cython.compiled:
            free(self.out)

    def begin(self, head: bytes) -> None:
        """Begin a message with its header and the question section, if there is one, whose name is the apex."""
        self.size = len(head)
        if cython.compiled:
            memcpy(self.out, cython.cast(cython.p_char, head), self.size)
        else:
            self.out[: self.size] = head
        self.records = self.owner_length = 0
        self.apex_at = 12 if self.size > 12 and self.apex_length > 1 else 0

    def take(self, octets: object, at: cython.size_t, end: cython.size_t, limit: cython.uint) -> int:
        """Take records from the first place on, as many as fit; return where the next one stands.

        One that does not fit is taken nevertheless when it is the message's only one.

        Raises:
            ValueError: what stands there is no record.

        """
        stopped: cython.size_t
        if end > len(octets) or at > end:
            raise ValueError("beyond the octets that there are")
        if at == end:
            return at
        self.owner_length = 0
        if cython.compiled:
            view: cython.const_uchar[::1] = octets
            data = cython.cast(cython.p_uchar, cython.address(view[0]))
            with cython.nogil:
                stopped = self._take(data, at, end, limit)
        else:
            stopped = self._take(octets, at, end, limit)
        if stopped > end:
            raise ValueError("no record")
        return stopped

    def message(self) -> bytes:
        """Return the message, the number of its answers put in."""
        self.out[6] = self.records >> 8
        self.out[7] = self.records & 255
        if cython.compiled:
            return PyBytes_FromStringAndSize(cython.cast(cython.p_char, self.out), self.size)
        return bytes(self.out[: self.size])

    def _take(self, octets, at, end, limit):
        """Do what ``take`` says; a place behind ``end`` says that there is no record."""
        stop: cython.size_t
        length: cython.size_t
        size: cython.uint
        apex_at: cython.uint
        while at < end:
            stop = name_end(octets, at, end)
            if stop == 0 or end - stop < 10:
                return end + 1
            length = (cython.cast(cython.uint, octets[stop + 8]) << 8) | octets[stop + 9]
            if end - stop - 10 < length:
                return end + 1
            if self.records == 65535:
                return at
            size = self.size
            apex_at = self.apex_at
            if not self._record(octets, at, stop, stop + 10 + length):
                return end + 1
            if self.size > limit and self.records:
                self.size = size
                self.apex_at = apex_at
                return at
            self.records += 1
            at = stop + 10 + length
        return at

    def _record(self, octets, at, stop, end):
        """Write a record whose owner ends at ``stop``."""
        rdtype: cython.uint = (cython.cast(cython.uint, octets[stop]) << 8) | octets[stop + 1]
        place: cython.size_t = stop + 10
        begin: cython.uint
        names: cython.int = 0
        length: cython.uint
        if self.owner_length and self._is_same_owner(octets, at, stop - at):
            self.out[self.size] = 0xC0 | (self.owner_place >> 8)
            self.out[self.size + 1] = self.owner_place & 255
            self.size += 2
        else:
            self.owner_place = self.size
            self.owner_from = at
            self.owner_length = cython.cast(cython.uint, stop - at) if self.size <= _FARTHEST else 0
            if self._put_name(octets, at, stop) == 0:
                return False
        begin = self.size
        self._copy(octets, stop, 10)
        if rdtype == 2 or rdtype == 5 or rdtype == 12:
            names = 1
        elif rdtype == 15:
            if end - place < 3:
                return False
            self._copy(octets, place, 2)
            place += 2
            names = 1
        elif rdtype == 6:
            names = 2
        while names:
            place = self._put_name(octets, place, end)
            if place == 0:
                return False
            names -= 1
        self._copy(octets, place, end - place)
        length = self.size - begin - 10
        self.out[begin + 8] = length >> 8
        self.out[begin + 9] = length & 255
        return True

    def _is_same_owner(self, octets, at, length):
        if length != self.owner_length:
            return False
        if cython.compiled:
            return memcmp(octets + at, octets + self.owner_from, length) == 0
        return octets[at : at + length] == octets[self.owner_from : self.owner_from + length]

    def _put_name(self, octets, at, end):
        """Write a name, its end as a pointer if that is the apex; return where it ends, 0 where it is no name."""
        stop: cython.size_t = name_end(octets, at, end)
        place: cython.size_t = at
        if stop == 0:
            return 0
        if self.apex_length > 1:
            while stop - place > self.apex_length:
                place += 1 + octets[place]
            if stop - place == self.apex_length and self._is_apex(octets, place):
                self._copy(octets, at, place - at)
                if self.apex_at:
                    self.out[self.size] = 0xC0 | (self.apex_at >> 8)
                    self.out[self.size + 1] = self.apex_at & 255
                    self.size += 2
                    return stop
                if self.size <= _FARTHEST:
                    self.apex_at = self.size
                at = place
        self._copy(octets, at, stop - at)
        return stop

    def _is_apex(self, octets, at):
        i: cython.uint
        for i in range(self.apex_length):
            if octets[at + i] != self.apex[i]:
                return False
        return True

    def _copy(self, octets, at, count):
        if cython.compiled:
            memcpy(self.out + self.size, octets + at, count)
        else:
            self.out[self.size : self.size + count] = octets[at : at + count]
        self.size += cython.cast(cython.uint, count)
