"""Response rate limiting: who is told the same again and again did not ask; somebody forges his address.

As in BIND, Knot and NSD: replies of one sort about one subject (``reply.Sort``) to one network are counted, and above a bound
they are dropped, or, every few, made so short that they harm nobody and an honest client comes back by TCP. The table has a
fixed size: a flood from everywhere makes it forget, never grow.
"""

from __future__ import annotations

import enum
from array import array
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import TYPE_CHECKING

from mailname.answer.reply import Sort

if TYPE_CHECKING:
    from dns.name import Name

_WAYS = 4  # places that one key may have
_MOST_KNOWN = 4096  # clients of which we remember whether they are exempt


class Verdict(enum.Enum):
    """What becomes of a reply."""

    SEND = "send"
    SLIP = "slip"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class RateLimit:
    """How much is too much.

    Attributes:
        responses_per_second: like replies that a network gets, on average over a second; 0 for no limit. A resolver asks for
            a name once in its TTL: the networks of the largest stay far below.
        window: seconds that a network stays limited, at most, after it has been quiet.
        slip: of the replies that are too many, every how manieth goes out truncated; 1 all, 0 none.
        ipv4_prefix, ipv6_prefix: what one network is.
        exempt: networks that are never limited. From loopback nobody forges anything.
        table_size: counters kept, at most.

    """

    responses_per_second: int = 200
    window: int = 15
    slip: int = 2
    ipv4_prefix: int = 24
    ipv6_prefix: int = 56
    exempt: tuple[IPv4Network | IPv6Network, ...] = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))
    table_size: int = 65536


class RateLimiter:
    """Counts replies. Reads no clock: ``now`` is in seconds from any beginning, and never goes back.

    Attributes:
        limited: replies that were too many.
        forgiven: so many replies from now on are counted against nobody: their questions waited while nobody served, and come
            all at once.

    """

    __slots__ = ("_balances", "_exempt", "_limit", "_over", "_sets", "_stamps", "_tags", "forgiven", "limited")

    def __init__(self, limit: RateLimit) -> None:
        self._limit = limit
        self.limited = 0
        self.forgiven = 0
        self._exempt: dict[IPv4Address | IPv6Address, bool] = {}
        self._sets = max(limit.table_size // _WAYS, 1)
        places = self._sets * _WAYS
        self._tags = array("q", bytes(8 * places))
        self._balances = array("d", bytes(8 * places))
        self._stamps = array("d", [float("-inf")]) * places
        self._over = array("L", [0]) * places

    def decide(self, client: IPv4Address | IPv6Address, sort: Sort, subject: Name, now: float) -> Verdict:
        """Count one reply and say what becomes of it.

        An error is short already, and cannot say "ask by TCP" (TC): where one would slip, it is sent as it is.
        """
        limit = self._limit
        rate = limit.responses_per_second
        if not self.is_limited(client):
            return Verdict.SEND
        if self.forgiven:
            self.forgiven -= 1
            return Verdict.SEND
        place = self._place(self._tag(client, sort, subject), now)
        gained = max(now - self._stamps[place], 0.0) * rate
        balance = max(min(self._balances[place] + gained, rate) - 1, -float(rate * limit.window))
        self._balances[place] = balance
        self._stamps[place] = now
        if balance >= 0:
            return Verdict.SEND
        self._over[place] += 1
        self.limited += 1
        if not limit.slip or self._over[place] % limit.slip:
            return Verdict.DROP
        return Verdict.SEND if sort is Sort.ERROR else Verdict.SLIP

    def is_limited(self, client: IPv4Address | IPv6Address) -> bool:
        """Tell whether ``decide`` ever says anything but SEND for this client."""
        return bool(self._limit.responses_per_second) and not self._is_exempt(client)

    def _is_exempt(self, client: IPv4Address | IPv6Address) -> bool:
        known = self._exempt.get(client)
        if known is None:
            if len(self._exempt) >= _MOST_KNOWN:
                self._exempt.clear()
            known = self._exempt[client] = any(client in network for network in self._limit.exempt)
        return known

    def _tag(self, client: IPv4Address | IPv6Address, sort: Sort, subject: Name) -> int:
        """Return what stands for network, sort and subject. Python hashes octets with a key that nobody outside knows."""
        prefix = self._limit.ipv4_prefix if client.version == 4 else self._limit.ipv6_prefix
        network = int(client) >> (client.max_prefixlen - prefix)
        return hash((b"%d %d %s " % (client.version, network, sort.value.encode()), b".".join(subject.labels).lower())) or 1

    def _place(self, tag: int, now: float) -> int:
        """Return where a tag is counted: where it was, or in place of the one that was quiet for longest."""
        first = tag % self._sets * _WAYS
        places = range(first, first + _WAYS)
        for place in places:
            if self._tags[place] == tag:
                return place
        oldest = min(places, key=self._stamps.__getitem__)
        self._tags[oldest] = tag
        self._balances[oldest] = self._limit.responses_per_second
        self._stamps[oldest] = now
        self._over[oldest] = 0
        return oldest
