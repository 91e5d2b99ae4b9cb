"""Where the last record of a message stands: a TSIG record is that one, and a message of a transfer has thousands before it.

Nothing is read outside the message; names are passed over, not judged. The same source runs compiled and uncompiled.
"""

# No `from __future__ import annotations` here: the annotations are C types.
import cython


def last_record(message: bytes) -> int:
    """Return where the last record of a message begins; -1 where there is none, or something before it has no end."""
    size: cython.int = len(message)
    if cython.compiled:
        return _last(cython.cast(cython.p_uchar, cython.cast(cython.p_char, message)), size)
    return _last(message, size)


def _last(wire, size):
    at: cython.int = 12
    start: cython.int = -1
    left: cython.int
    if size < 12:
        return -1
    left = _u16(wire, 4)
    while left:
        at = _behind_name(wire, at, size)
        if at < 0 or size - at < 4:
            return -1
        at += 4
        left -= 1
    left = _u16(wire, 6) + _u16(wire, 8) + _u16(wire, 10)
    while left:
        start = at
        at = _behind_name(wire, at, size)
        if at < 0 or size - at < 10:
            return -1
        at += 10 + _u16(wire, at + 8)
        if at > size:
            return -1
        left -= 1
    return start


def _behind_name(wire, at, size):
    """Return where a name ends, -1 where it does not."""
    while at < size and 0 < wire[at] < 64:
        at += 1 + wire[at]
    if at >= size:
        return -1
    if wire[at] == 0:
        return at + 1
    return at + 2 if wire[at] >= 192 and size - at >= 2 else -1


def _u16(wire, at):
    return (wire[at] << 8) | wire[at + 1]
