"""Signatures in an image: each RRset is told where its own lie, and each signature has the TTL of what it covers.

The same source runs compiled, without the interpreter's lock, and uncompiled.
"""

# No `from __future__ import annotations` here: the annotations are C types.
import cython

_MOST_OCTETS = cython.declare(cython.uint, 65535)  # of one RRset's signatures; more fit into no message


def sign(out, blob, first, end):
    """Do it for the entries of one node's RRsets, from ``first`` to before ``end``. Signatures are sorted by what they cover."""
    signatures: cython.uint = first
    at: cython.uint
    last: cython.uint
    begins: cython.uint
    count: cython.uint
    ttl: cython.uint
    covered: cython.uint
    while signatures < end and _u16(out, signatures) != 46:
        signatures += 40
    if signatures == end:
        return
    at = blob + _u32(out, signatures + 12)
    last = at + _u32(out, signatures + 16)
    while at < last:
        begins = at
        count = 0
        covered = (out[at + 12] << 8) | out[at + 13]
        while first < end and _u16(out, first) < covered:
            first += 40
        # Where what they cover is not there, the first of them says which TTL it had (see zone.signatures).
        ttl = (cython.cast(cython.uint, out[at + 16]) << 24) | (out[at + 17] << 16) | (out[at + 18] << 8) | out[at + 19]
        if first < end and _u16(out, first) == covered:
            ttl = _u32(out, first + 8)
        while at < last and ((out[at + 12] << 8) | out[at + 13]) == covered:
            _put_ttl(out, at, ttl)
            at += 12 + ((out[at + 10] << 8) | out[at + 11])
            count += 1
        if first < end and _u16(out, first) == covered:
            _point_at(out, first, begins - blob, at - begins, count)


def sign_negative(out, blob, at, soa, entry, ttl):
    """Put the SOA's signatures once more to ``at``, with the TTL that the SOA of negative answers has.

    ``soa`` is the first entry of the apex, ``entry`` the negative SOA's.
    """
    begins: cython.uint = at
    count: cython.uint
    source: cython.uint
    left: cython.uint
    i: cython.uint
    while _u16(out, soa) != 6:
        soa += 40
    left = count = _u16(out, soa + 2)
    source = blob + _u32(out, soa + 32)
    while left:
        for i in range(12 + ((out[source + 10] << 8) | out[source + 11])):
            out[at + i] = out[source + i]
        _put_ttl(out, at, ttl)
        i = 12 + ((out[at + 10] << 8) | out[at + 11])
        source += i
        at += i
        left -= 1
    if count:
        _point_at(out, entry, begins - blob, at - begins, count)


def _point_at(out, entry, begins, octets, count):
    """Write into an RRset's entry where its signatures lie."""
    _put16(out, entry + 2, count)
    _put16(out, entry + 30, min(octets, _MOST_OCTETS))
    _put16(out, entry + 32, begins & 65535)
    _put16(out, entry + 34, begins >> 16)


def _put_ttl(out, at, ttl):
    out[at + 6] = ttl >> 24
    out[at + 7] = (ttl >> 16) & 255
    out[at + 8] = (ttl >> 8) & 255
    out[at + 9] = ttl & 255


def _put16(out, at, value):
    out[at] = value & 255
    out[at + 1] = value >> 8


def _u16(out, at):
    return out[at] | (out[at + 1] << 8)


def _u32(out, at):
    return out[at] | (out[at + 1] << 8) | (out[at + 2] << 16) | (cython.cast(cython.uint, out[at + 3]) << 24)
