"""The hash of a name for NSEC3 (RFC 5155 section 5): SHA-1 (FIPS 180-4 section 6.1), salted and repeated.

Compiled it is our own, as no library can be called without the interpreter; uncompiled it is ``hashlib``'s.
"""

# No `from __future__ import annotations` here: the annotations are C types.
import hashlib

import cython

if cython.compiled:
    from cython.cimports.mailname.answer.plain_octets import copy

_FIRST = cython.declare(cython.uint, 0x5A827999)
_SECOND = cython.declare(cython.uint, 0x6ED9EBA1)
_THIRD = cython.declare(cython.uint, 0x8F1BBCDC)
_FOURTH = cython.declare(cython.uint, 0xCA62C1D6)


def hash_name(image, parameters, key, start, length, digest):
    """Hash a name in lower-case wire form into ``digest``, as the rdata of a NSEC3PARAM record at ``parameters`` says."""
    rounds: cython.uint = (image[parameters + 2] << 8) | image[parameters + 3]
    salt: cython.uint = image[parameters + 4]
    if cython.compiled:
        data: cython.uchar[576]
        blocks: cython.uint
        copy(data, 0, key, start, length)
        copy(data, length, image, parameters + 5, salt)
        _digest(data, _pad(data, length + salt), digest)
        if rounds:
            copy(data, 20, image, parameters + 5, salt)
            blocks = _pad(data, 20 + salt)
            while rounds:
                copy(data, 0, digest, 0, 20)
                _digest(data, blocks, digest)
                rounds -= 1
    else:
        salted = bytes(image[parameters + 5 : parameters + 5 + salt])
        digest[:] = hashlib.sha1(bytes(key[start : start + length]) + salted, usedforsecurity=False).digest()
        for _ in range(rounds):
            digest[:] = hashlib.sha1(digest + salted, usedforsecurity=False).digest()


if cython.compiled:

    def _pad(data, length):
        """Pad a message of at most 510 octets; return the number of its blocks (FIPS 180-4 section 5.1.1)."""
        blocks: cython.uint = (length + 72) >> 6
        end: cython.uint = 64 * blocks
        i: cython.uint
        data[length] = 0x80
        for i in range(length + 1, end - 2):
            data[i] = 0
        data[end - 2] = length >> 5  # its length in bits
        data[end - 1] = (length << 3) & 0xFF
        return blocks

    def _digest(data, blocks, digest):
        """Compute the hash of a padded message. The roles of the five variables go round, so that none has to be moved."""
        words: cython.uint[80]
        h0: cython.uint = 0x67452301
        h1: cython.uint = 0xEFCDAB89
        h2: cython.uint = 0x98BADCFE
        h3: cython.uint = 0x10325476
        h4: cython.uint = 0xC3D2E1F0
        a: cython.uint
        b: cython.uint
        c: cython.uint
        d: cython.uint
        e: cython.uint
        i: cython.int
        at: cython.uint = 0
        while blocks:
            blocks -= 1
            for i in range(16):
                words[i] = (cython.cast(cython.uint, data[at]) << 24) | (data[at + 1] << 16) | (data[at + 2] << 8) | data[at + 3]
                at += 4
            for i in range(16, 80):
                a = words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16]
                words[i] = (a << 1) | (a >> 31)
            a, b, c, d, e = h0, h1, h2, h3, h4
            for i in range(0, 20, 5):
                e += ((a << 5) | (a >> 27)) + (d ^ (b & (c ^ d))) + _FIRST + words[i]
                b = (b << 30) | (b >> 2)
                d += ((e << 5) | (e >> 27)) + (c ^ (a & (b ^ c))) + _FIRST + words[i + 1]
                a = (a << 30) | (a >> 2)
                c += ((d << 5) | (d >> 27)) + (b ^ (e & (a ^ b))) + _FIRST + words[i + 2]
                e = (e << 30) | (e >> 2)
                b += ((c << 5) | (c >> 27)) + (a ^ (d & (e ^ a))) + _FIRST + words[i + 3]
                d = (d << 30) | (d >> 2)
                a += ((b << 5) | (b >> 27)) + (e ^ (c & (d ^ e))) + _FIRST + words[i + 4]
                c = (c << 30) | (c >> 2)
            for i in range(20, 40, 5):
                e += ((a << 5) | (a >> 27)) + (b ^ c ^ d) + _SECOND + words[i]
                b = (b << 30) | (b >> 2)
                d += ((e << 5) | (e >> 27)) + (a ^ b ^ c) + _SECOND + words[i + 1]
                a = (a << 30) | (a >> 2)
                c += ((d << 5) | (d >> 27)) + (e ^ a ^ b) + _SECOND + words[i + 2]
                e = (e << 30) | (e >> 2)
                b += ((c << 5) | (c >> 27)) + (d ^ e ^ a) + _SECOND + words[i + 3]
                d = (d << 30) | (d >> 2)
                a += ((b << 5) | (b >> 27)) + (c ^ d ^ e) + _SECOND + words[i + 4]
                c = (c << 30) | (c >> 2)
            for i in range(40, 60, 5):
                e += ((a << 5) | (a >> 27)) + ((b & c) | (d & (b | c))) + _THIRD + words[i]
                b = (b << 30) | (b >> 2)
                d += ((e << 5) | (e >> 27)) + ((a & b) | (c & (a | b))) + _THIRD + words[i + 1]
                a = (a << 30) | (a >> 2)
                c += ((d << 5) | (d >> 27)) + ((e & a) | (b & (e | a))) + _THIRD + words[i + 2]
                e = (e << 30) | (e >> 2)
                b += ((c << 5) | (c >> 27)) + ((d & e) | (a & (d | e))) + _THIRD + words[i + 3]
                d = (d << 30) | (d >> 2)
                a += ((b << 5) | (b >> 27)) + ((c & d) | (e & (c | d))) + _THIRD + words[i + 4]
                c = (c << 30) | (c >> 2)
            for i in range(60, 80, 5):
                e += ((a << 5) | (a >> 27)) + (b ^ c ^ d) + _FOURTH + words[i]
                b = (b << 30) | (b >> 2)
                d += ((e << 5) | (e >> 27)) + (a ^ b ^ c) + _FOURTH + words[i + 1]
                a = (a << 30) | (a >> 2)
                c += ((d << 5) | (d >> 27)) + (e ^ a ^ b) + _FOURTH + words[i + 2]
                e = (e << 30) | (e >> 2)
                b += ((c << 5) | (c >> 27)) + (d ^ e ^ a) + _FOURTH + words[i + 3]
                d = (d << 30) | (d >> 2)
                a += ((b << 5) | (b >> 27)) + (c ^ d ^ e) + _FOURTH + words[i + 4]
                c = (c << 30) | (c >> 2)
            h0 += a
            h1 += b
            h2 += c
            h3 += d
            h4 += e
        _put(digest, 0, h0)
        _put(digest, 4, h1)
        _put(digest, 8, h2)
        _put(digest, 12, h3)
        _put(digest, 16, h4)

    def _put(digest, at, number):
        digest[at] = number >> 24
        digest[at + 1] = (number >> 16) & 0xFF
        digest[at + 2] = (number >> 8) & 0xFF
        digest[at + 3] = number & 0xFF
