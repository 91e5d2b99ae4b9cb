"""The records of one step of a journal: written from packed changes, and read again, without a Python object per record.

They stand as in a difference sequence of an incremental transfer (RFC 1995 section 4), in wire form and uncompressed: the SOA
before, what was removed, the SOA afterwards, what was added. The same source runs compiled, without the interpreter's lock, and
uncompiled.
"""

# No `from __future__ import annotations` here: the annotations are C types.
import cython

from mailname.zone.packed import PackedRecords

if cython.compiled:
    from cython.cimports.cpython.bytes import PyBytes_FromStringAndSize
    from cython.cimports.libc.string import memcpy
    from cython.cimports.mailname.transfer.ixfr_fill import name_end
    from cython.cimports.mailname.zone.packed import ROW
else:
    from mailname.transfer.ixfr_fill import name_end
    from mailname.zone.packed import ROW

_SOA = cython.declare(cython.uint, 6)
_LONGEST_SOA = cython.declare(cython.uint, 2 * 255 + 20)


def written(packed: PackedRecords) -> bytes:
    """Return the octets of changes: what is removed first, the SOA before all else on both sides."""
    size: cython.ulonglong
    if not cython.compiled:
        out = bytearray(_size(packed))
        _fill(packed, out)
        return bytes(out)
    with cython.nogil:
        size = _size(packed)
    made = PyBytes_FromStringAndSize(cython.NULL, size)
    to = cython.cast(cython.p_uchar, cython.cast(cython.p_char, made))
    with cython.nogil:
        _fill(packed, to)
    return made


def _size(packed):
    size: cython.ulonglong = 0
    record: cython.uint
    place: cython.uint
    for record in range(packed.count):
        if packed.rows[ROW * record + 2] >> 16:
            place = packed.rows[ROW * record]
            size += name_end(packed.data, place, packed.size) - place + 10 + (packed.rows[ROW * record + 2] & 65535)
    return size


def _fill(packed, out):
    at: cython.size_t = 0
    record: cython.uint
    row: cython.uint
    place: cython.uint
    length: cython.uint
    for record in range(packed.count):
        row = ROW * record
        if packed.rows[row + 2] >> 16 == 0:
            continue
        place = packed.rows[row]
        length = name_end(packed.data, place, packed.size) - place
        if cython.compiled:
            memcpy(out + at, packed.data + place, length)
        else:
            out[at : at + length] = packed.data[place : place + length]
        at += length
        out[at] = packed.rows[row + 2] >> 24
        out[at + 1] = (packed.rows[row + 2] >> 16) & 255
        out[at + 2] = 0
        out[at + 3] = 1
        out[at + 4] = packed.rows[row + 1] >> 24
        out[at + 5] = (packed.rows[row + 1] >> 16) & 255
        out[at + 6] = (packed.rows[row + 1] >> 8) & 255
        out[at + 7] = packed.rows[row + 1] & 255
        length = packed.rows[row + 2] & 65535
        out[at + 8] = length >> 8
        out[at + 9] = length & 255
        at += 10
        place = packed.rows[row + 3]
        if cython.compiled:
            memcpy(out + at, packed.data + place, length)
        else:
            out[at : at + length] = packed.data[place : place + length]
        at += length


class StepReader:
    """Reads steps into changes.

    Attributes:
        packed: where the records go; each is marked as removed (0) or added (1).
        before: the serial of the last step's first SOA.
        after: the serial of its last SOA.

    """

    def __init__(self, packed: PackedRecords) -> None:
        self.packed = packed
        self.before = self.after = 0

    def read(self, octets: object, at: cython.size_t, end: cython.size_t) -> bool:
        """Read the step between two places; False where it is not one, or memory ends. Nothing is read beyond ``end``."""
        good: cython.bint
        if end > len(octets) or at > end:
            return False
        if cython.compiled:
            view: cython.const_uchar[::1] = octets
            if at == end:
                return False
            data = cython.cast(cython.p_uchar, cython.address(view[0]))
            with cython.nogil:
                good = self._read(data, at, end)
        else:
            good = self._read(octets, at, end)
        return good

    def _read(self, octets, at, end):
        soas: cython.uint = 0
        stop: cython.size_t
        length: cython.size_t
        owner: cython.uint
        rdtype: cython.uint
        serial: cython.size_t
        while at < end:
            stop = name_end(octets, at, end)
            if stop == 0 or end - stop < 10:
                return False
            length = (cython.cast(cython.uint, octets[stop + 8]) << 8) | octets[stop + 9]
            rdtype = (cython.cast(cython.uint, octets[stop]) << 8) | octets[stop + 1]
            if end - stop - 10 < length or rdtype == 0 or octets[stop + 2] or octets[stop + 3] != 1 or octets[stop + 4] & 0x80:
                return False
            if rdtype == _SOA:
                if length < 22 or length > _LONGEST_SOA or soas == 2:
                    return False
                serial = stop + 10 + length - 20
                self.after = (
                    (cython.cast(cython.uint, octets[serial]) << 24)
                    | (cython.cast(cython.uint, octets[serial + 1]) << 16)
                    | (cython.cast(cython.uint, octets[serial + 2]) << 8)
                    | octets[serial + 3]
                )
                if soas == 0:
                    self.before = self.after
                soas += 1
            elif soas == 0:
                return False
            if not self.packed.reserve(cython.cast(cython.uint, stop - at + length)):
                return False
            owner = self.packed.size
            if cython.compiled:
                memcpy(self.packed.data + owner, octets + at, stop - at)
                memcpy(self.packed.data + owner + (stop - at), octets + stop + 10, length)
            else:
                self.packed.data[owner : owner + stop - at] = octets[at:stop]
                self.packed.data[owner + stop - at : owner + stop - at + length] = octets[stop + 10 : stop + 10 + length]
            self.packed.size += cython.cast(cython.uint, stop - at + length)
            self.packed.finish(
                owner,
                (cython.cast(cython.uint, octets[stop + 4]) << 24)
                | (cython.cast(cython.uint, octets[stop + 5]) << 16)
                | (cython.cast(cython.uint, octets[stop + 6]) << 8)
                | octets[stop + 7],
                rdtype,
                owner + cython.cast(cython.uint, stop - at),
                cython.cast(cython.uint, length),
                soas - 1,
            )
            at = stop + 10 + length
        return soas == 2
