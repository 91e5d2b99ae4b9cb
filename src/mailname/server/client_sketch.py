"""Which networks ask most, in bounded memory: IPv4 in networks of 24 bits, IPv6 of 48; never a single address.

Space-Saving (Metwally, Agrawal, El Abbadi, 2005), in 128 sets of 8 places: who is not among the eight of its set takes the place
of the one that asked least, and its count with it. So a count is never too low while a network has a place, and too high by at
most what it took over; and who asks more than an eighth of what falls into its set always has one. A count-min sketch would touch
a cache line for each of its rows and needs a list of names beside it; this touches two, and its places are the list. Which set a
network falls into is secret, so that nobody can crowd out another on purpose.

The same source runs compiled, in the UDP workers without the interpreter, and uncompiled.
"""

# No `from __future__ import annotations` here: the annotations are C types.
import secrets
from ipaddress import IPv4Address, IPv6Address, ip_network

import cython

_WAYS = cython.declare(cython.int, 8)
_PLACES = cython.declare(cython.int, 1024)
_64_BITS = cython.declare(cython.ulonglong, 0xFFFFFFFFFFFFFFFF)
_IPV4 = cython.declare(cython.ulonglong, 1 << 50)  # beside the bits of a network, so that no key is 0
_IPV6 = cython.declare(cython.ulonglong, 1 << 51)


class ClientSketch:
    """Counts questions by the network that they came from."""

    def __init__(self) -> None:
        self.secret = secrets.randbits(63) << 1 | 1
        if not cython.compiled:
            self.keys, self.counts, self.over, self.since = ([0] * _PLACES for _ in range(4))

    def add(self, key, count, now):
        """Count questions of the network with this key; ``now`` in seconds since 1970."""
        first: cython.int = ((key * self.secret & _64_BITS) >> 57) * _WAYS
        least: cython.int = first
        at: cython.int
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

    def count(self, client: IPv4Address | IPv6Address, count: int, now: float) -> None:
        """Count questions of a client."""
        key = _IPV4 | int(client) >> 8 if client.version == 4 else _IPV6 | int(client) >> 80
        self.add(key, count, int(now))

    def entries(self) -> "list[list[int]]":
        """Return for each network that has a place: its key, how often it asked, how much of that may be others', since when."""
        return [[self.keys[at], self.counts[at], self.over[at], self.since[at]] for at in range(_PLACES) if self.keys[at]]


def network_of(key: int) -> str:
    """Return a key's network as text."""
    if key & _IPV6:
        return str(ip_network((IPv6Address((key ^ _IPV6) << 80), 48)))
    return str(ip_network((IPv4Address((key ^ _IPV4) << 8), 24)))
