"""Whether two packed records are the same, so that one of them is dropped (RFC 2181 section 5).

Names in rdata are the same whatever their letters' case, in the types that RFC 4034 section 6.2 lists; other octets are not.
The same source runs compiled and uncompiled.
"""

# No `from __future__ import annotations` here: the annotations are C types.
import cython

if cython.compiled:
    from cython.cimports.mailname.zone.owner_index import NONE
    from cython.cimports.mailname.zone.packed import ROW
else:
    from mailname.zone.owner_index import NONE
    from mailname.zone.packed import ROW

    DIFFERENT, SAME, UNCERTAIN = 0, 1, 2

_32_BITS = cython.declare(cython.uint, 0xFFFFFFFF)


def hash_rdata(packed, lower, record):
    """Hash a record's rdata, whatever its letters' case."""
    at: cython.uint = packed.rows[ROW * record + 3]
    end: cython.uint = at + (packed.rows[ROW * record + 2] & 65535)
    hashed: cython.uint = 0x811C9DC5
    while at < end:
        hashed = ((hashed ^ lower[packed.data[at]]) * 0x01000193) & _32_BITS
        at += 1
    return hashed ^ (hashed >> 15)


def compare_rdata(packed, lower, one, other):
    """Tell whether two records of one RRset are the same: names in them are, whatever their letters' case."""
    data = packed.data
    length: cython.uint = packed.rows[ROW * one + 2] & 65535
    rdtype: cython.uint = packed.rows[ROW * one + 2] >> 16
    a: cython.uint = packed.rows[ROW * one + 3]
    b: cython.uint = packed.rows[ROW * other + 3]
    i: cython.uint
    first: cython.uint = NONE  # where they differ in case
    last: cython.uint = 0
    if length != packed.rows[ROW * other + 2] & 65535:
        return DIFFERENT
    for i in range(length):
        if data[a + i] != data[b + i]:
            if lower[data[a + i]] != lower[data[b + i]]:
                return DIFFERENT
            if first == NONE:
                first = i
            last = i
    if first == NONE:
        return SAME
    names: cython.int = 1
    begins: cython.uint
    if rdtype == 2 or rdtype == 5 or rdtype == 12 or rdtype == 39:
        begins = 0
    elif rdtype == 15:
        begins = 2
    elif rdtype == 33:
        begins = 6
    elif rdtype == 46:
        begins = 18
    elif rdtype == 6:
        begins = 0
        names = 2
    elif (
        rdtype == 1
        or rdtype == 16
        or rdtype == 28
        or rdtype == 43
        or rdtype == 44
        or rdtype == 47
        or rdtype == 48
        or 50 <= rdtype <= 52
        or rdtype == 59
        or rdtype == 60
        or rdtype == 257
        or rdtype >= 65280
    ):
        return DIFFERENT
    else:
        return UNCERTAIN
    i = begins
    while names:
        while data[a + i]:
            i += 1 + data[a + i]
        i += 1
        names -= 1
    return SAME if first >= begins and last < i else DIFFERENT
