"""Records packed one behind the other: what scanning makes and the image is built from, without a Python object per record.

``data`` holds names in wire form as spelled, and rdata in wire form, uncompressed; ``rows`` holds six numbers for each record:
where its owner stands in ``data``, its TTL, its type, where its rdata stands and how long it is (both in one number with the
type), where it stood in the text, and one that is the image builder's own. The same source runs compiled and uncompiled.
"""

# No `from __future__ import annotations` here: the annotations are C types.
import cython

if cython.compiled:
    from cython.cimports.libc.stdlib import free, realloc
    from cython.cimports.libc.string import memcpy
else:
    ROW = 6

_MOST = cython.declare(cython.uint, 0x7FFFFFFF)  # octets; what a zone may come to


class PackedRecords:
    """A growing block of packed records."""

    def __cinit__(self) -> None:
        if cython.compiled:
            self.data = cython.NULL
            self.rows = cython.NULL

    def __init__(self) -> None:
        self.size = self.room = self.count = self.rows_room = 0
        if not cython.compiled:
            self.data = bytearray()
            self.rows = []

    def __dealloc__(self) -> None:
        if cython.compiled:
            free(self.data)
            free(self.rows)

    def clear(self) -> None:
        """Forget the records; the memory is kept for the next ones."""
        self.forget()

    def forget(self):
        """Do what ``clear`` says, without the interpreter."""
        self.size = 0
        self.count = 0

    def add(self, owner: cython.uint, ttl: cython.uint, rdtype: cython.uint, rdata: bytes, at: cython.uint) -> None:
        """Add one record.

        Args:
            owner: where its owner's name stands, as ``put`` has told.
            ttl: seconds.
            rdtype: its number; 0 for a name that is there without records.
            rdata: in wire form, uncompressed.
            at: where it stood in the text, or any other number that tells it apart.

        Raises:
            OverflowError: the rdata is longer than a record's can be.

        """
        if len(rdata) > 65535:
            raise OverflowError
        start: cython.uint = self.put(rdata)
        self.finish(owner, ttl, rdtype, start, len(rdata), at)

    def put(self, octets: bytes) -> int:
        """Add octets that belong to no record yet, and return where they stand."""
        if not self.reserve(len(octets)):
            raise MemoryError
        start: cython.uint = self.size
        if cython.compiled:
            memcpy(self.data + start, cython.cast(cython.p_char, octets), len(octets))
        else:
            self.data[start : start + len(octets)] = octets
        self.size += len(octets)
        return start

    def name_at(self, place: cython.uint) -> bytes:
        """Return the name, in wire form, that stands at a place."""
        end: cython.uint = place
        while self.data[end]:
            end += 1 + self.data[end]
        return bytes(self.data[place : end + 1])

    def owner_of(self, record: cython.uint) -> bytes:
        """Return a record's owner, in wire form."""
        return self.name_at(self.rows[ROW * record])

    def rdata_of(self, record: cython.uint) -> bytes:
        """Return a record's rdata."""
        at: cython.uint = self.rows[ROW * record + 3]
        length: cython.uint = self.rows[ROW * record + 2] & 65535
        return bytes(self.data[at : at + length])

    def fields(self, record: cython.uint) -> tuple:
        """Return a record's TTL, type and place in the text."""
        row: cython.uint = ROW * record
        return self.rows[row + 1], self.rows[row + 2] >> 16, self.rows[row + 4]

    def join(self, other: "PackedRecords") -> None:
        """Put another block's records behind these.

        Raises:
            MemoryError: there is no room for them.

        """
        base: cython.uint = self.size
        i: cython.uint
        at: cython.uint
        if not self.reserve(other.size):
            raise MemoryError
        if cython.compiled:
            memcpy(self.data + base, other.data, other.size)
        else:
            self.data[base : base + other.size] = other.data[: other.size]
        self.size += other.size
        for i in range(other.count):
            if not self.reserve(0):
                raise MemoryError
            at = ROW * i
            self.finish(
                base + other.rows[at],
                other.rows[at + 1],
                other.rows[at + 2] >> 16,
                base + other.rows[at + 3],
                other.rows[at + 2] & 65535,
                other.rows[at + 4],
            )

    def reserve(self, octets):
        """Make room for octets and for one more record; False where there is no memory for it."""
        if self.room - self.size < octets:
            if octets > _MOST or self.size > _MOST - octets:
                return False
            if not self._grow_data(self.size + octets + ((self.size + octets) >> 1) + 4096):
                return False
        if self.rows_room == self.count:
            return self._grow_rows(self.count + (self.count >> 1) + 64)
        return True

    def reserve_for(self, records, octets):
        """Make room for what an empty block will hold; that it cannot be had shows later."""
        if octets > self.room:
            self._grow_data(octets)
        if records > self.rows_room:
            self._grow_rows(records)

    def _grow_data(self, room):
        if cython.compiled:
            data = cython.cast(cython.p_uchar, realloc(self.data, room))
            if data == cython.NULL:
                return False
            self.data = data
        else:
            self.data.extend(bytes(room - self.room))
        self.room = room
        return True

    def _grow_rows(self, room):
        if cython.compiled:
            rows = cython.cast(cython.p_uint, realloc(self.rows, cython.cast(cython.size_t, room) * (4 * ROW)))
            if rows == cython.NULL:
                return False
            self.rows = rows
        else:
            self.rows.extend([0] * (ROW * (room - self.rows_room)))
        self.rows_room = room
        return True

    def finish(self, owner, ttl, rdtype, rdata, length, at):
        """Make a record of what stands in ``data`` already; there must be room for it."""
        row: cython.uint = ROW * self.count
        self.rows[row] = owner
        self.rows[row + 1] = ttl
        self.rows[row + 2] = (rdtype << 16) | length
        self.rows[row + 3] = rdata
        self.rows[row + 4] = at
        self.count += 1
