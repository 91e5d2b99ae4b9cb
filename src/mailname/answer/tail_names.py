"""Whether what follows the question in a reply would follow a question about another name below the same node, too.

It would if nothing in it was taken from the labels that are the question's own: no name in it may end in a pointer to one of
them, but for the owner of what a wildcard gives; and no name in it may begin with the labels of the other question.
"""

from __future__ import annotations

import struct

_COUNTS = struct.Struct("!HHH")
_FIXED = struct.Struct("!H6xH")  # what is between an owner and its rdata
_QUESTION = 12  # where a question's name begins
_NAMELESS = frozenset({1, 16, 28, 41, 44, 52, 99, 257})  # types without names in their rdata: A, TXT, AAAA, OPT, ...
_NAMES_AT = {2: (0, 1), 5: (0, 1), 6: (0, 2), 12: (0, 1), 15: (2, 1)}  # where a type's names begin in rdata, and how many


class _OwnLabelError(Exception):
    """A name in the reply depends on the question's own labels."""


def last_labels(reply: bytes, question_ends: int, encloser: int) -> frozenset[bytes] | None:
    """Return the last label of each name that a reply spells out, in lower case and with its length before it.

    Args:
        reply: one that we made.
        question_ends: where its question ends.
        encloser: where the name of the question's closest encloser begins.

    Returns:
        A name that has one of these below the encloser needs a reply of its own. None when each name does.

    """
    labels: set[bytes] = set()
    answers, *others = _COUNTS.unpack_from(reply, 6)
    at = question_ends
    try:
        for number in range(answers + sum(others)):
            if number < answers and reply[at : at + 2] == b"\xc0\x0c":
                at += 2
            else:
                at = _skip_name(reply, at, encloser, labels)
            rdtype, length = _FIXED.unpack_from(reply, at)
            at += _FIXED.size
            if rdtype not in _NAMELESS:
                _rdata_names(reply, at, rdtype, encloser, labels)
            at += length
    except _OwnLabelError:
        return None
    return frozenset(labels)


def _rdata_names(reply: bytes, at: int, rdtype: int, encloser: int, labels: set[bytes]) -> None:
    if rdtype not in _NAMES_AT:
        raise _OwnLabelError  # or it may: a synthesis (DNAME), a proof (NSEC, NSEC3), a type whose names we do not know
    begins, count = _NAMES_AT[rdtype]
    at += begins
    for _ in range(count):
        at = _skip_name(reply, at, encloser, labels)


def _skip_name(reply: bytes, at: int, encloser: int, labels: set[bytes]) -> int:
    """Note a name's last label, and return where it ends."""
    last = b""
    while True:
        length = reply[at]
        if length >= 0xC0:
            if _QUESTION <= (length & 0x3F) << 8 | reply[at + 1] < encloser:
                raise _OwnLabelError
            at += 2
            break
        if not length:
            at += 1
            break
        last = reply[at : at + 1 + length].lower()
        at += 1 + length
    if last:
        labels.add(last)
    return at
