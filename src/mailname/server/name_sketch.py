"""Which names are asked for most, in bounded memory: 1,024 of them, each with an estimate that is never too low.

Space-Saving, as in ``client_sketch``, with the names beside the counts: one that has no place among the eight of its set takes
the place of the one that was asked for least, and its count with it. Letters' case does not matter. Which set a name falls into
is secret.

The same source runs compiled, in the UDP workers without the interpreter, and uncompiled, where a dictionary finds the place.
"""

# No `from __future__ import annotations` here: the annotations are C types.
import secrets

import cython

_WAYS = cython.declare(cython.int, 8)
_PLACES = cython.declare(cython.int, 1024)
_LONGEST = cython.declare(cython.int, 255)  # octets of a name in wire form
_64_BITS = cython.declare(cython.ulonglong, 0xFFFFFFFFFFFFFFFF)
_PRIME = cython.declare(cython.ulonglong, 0x100000001B3)


class NameSketch:
    """Counts questions by the name that they ask for."""

    def __init__(self) -> None:
        self.secret = secrets.randbits(64)
        if not cython.compiled:
            self.keys, self.counts, self.over, self.since = ([0] * _PLACES for _ in range(4))
            self.names = [b""] * _PLACES
            self.places: dict[bytes, int] = {}

    def add(self, message, count, now):
        """Count questions for the name behind the header of a message, which is whole; ``now`` in seconds since 1970."""
        key: cython.ulonglong = self.secret
        end: cython.int = 12
        at: cython.int
        octet: cython.int
        while message[end]:  # a label may have octets that are 0
            end += message[end] + 1
        if end - 11 > _LONGEST:
            return
        if cython.compiled:
            for at in range(12, end):
                octet = message[at]
                key = (key ^ (octet + 32 if 65 <= octet <= 90 else octet)) * _PRIME
        else:
            name = bytes(message[12 : end + 1]).lower()  # octets of length are below 64, and stay
            key = hash((key, name)) & _64_BITS
        key |= 1
        first: cython.int = ((key ^ key >> 29) * _PRIME & _64_BITS) >> 57
        first *= _WAYS
        least: cython.int = first
        for at in range(first, first + _WAYS):
            if self.keys[at] == key:
                self.counts[at] += count
                return
        for at in range(first + 1, first + _WAYS):
            if self.counts[at] < self.counts[least]:
                least = at
        self.keys[least] = key
        self.over[least] = self.counts[least]
        self.since[least] = now
        self.counts[least] += count
        if cython.compiled:
            for at in range(12, end):
                octet = message[at]
                self.names[least][at - 12] = octet + 32 if 65 <= octet <= 90 else octet
            self.names[least][end - 12] = 0
        else:
            self.places.pop(self.names[least], None)
            self.names[least] = name
            self.places[name] = least

    def count(self, name: bytes, count: int, now: float) -> None:
        """Count questions for a name in wire form."""
        if not cython.compiled:  # as a loop over octets takes longer than to answer
            at = self.places.get(name.lower())
            if at is not None:
                self.counts[at] += count
                return
        self.add(bytes(12) + name, count, int(now))

    def entries(self) -> "list[tuple[bytes, int, int, int]]":
        """Return each name that has a place, in wire form: how often, how much of that may be others', since when."""
        found = []
        at: cython.int
        end: cython.int
        for at in range(_PLACES):
            if self.keys[at]:
                end = 0
                while end < _LONGEST - 1 and self.names[at][end]:
                    end += self.names[at][end] + 1
                name = bytes([self.names[at][place] for place in range(min(end + 1, 255))])
                found.append((name, self.counts[at], self.over[at], self.since[at]))
        return found
