"""What a resolver remembers: RRsets until their TTL runs out, and that something is not there (RFC 2308).

Reads no clock: every call says what time it is, in seconds that never go back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import dns.rcode
import dns.rrset
from dns.rdatatype import RdataType

if TYPE_CHECKING:
    from dns.name import Name
    from dns.rcode import Rcode

# RFC 2308 section 5 finds one to three hours sensible as a limit for negative answers; a day is common for positive ones.
LONGEST = 86400
LONGEST_NEGATIVE = 10800


@dataclass(frozen=True, slots=True)
class Found:
    """The outcome of one question: an RRset, an alias, or a negative answer with the SOA that proves it."""

    rcode: Rcode
    rrset: dns.rrset.RRset | None
    soa: dns.rrset.RRset | None = None


@dataclass(slots=True)
class Cache:
    """Answers by name and type. Referrals and glue are kept apart: they lead the way, but answer nobody (RFC 2181 5.4.1)."""

    _answers: dict[tuple[Name, RdataType], tuple[float, float, Found]] = field(default_factory=dict)
    _cuts: dict[Name, tuple[float, dns.rrset.RRset]] = field(default_factory=dict)
    _glue: dict[tuple[Name, RdataType], tuple[float, dns.rrset.RRset]] = field(default_factory=dict)

    def put(self, name: Name, rdtype: RdataType, found: Found, now: float) -> None:
        """Remember an outcome. NXDOMAIN holds for every type of the name (RFC 2308 section 5)."""
        kept = RdataType.ANY if found.rcode == dns.rcode.NXDOMAIN else rdtype
        self._answers[name, kept] = (now, now + _lifetime(found), found)

    def get(self, name: Name, rdtype: RdataType, now: float) -> Found | None:
        """Return what is known about a question, or its alias, with the TTLs that are left."""
        for kept in (rdtype, RdataType.ANY, RdataType.CNAME):
            entry = self._answers.get((name, kept))
            if entry is None or entry[1] <= now:
                continue
            since, _, found = entry
            if kept == RdataType.CNAME and found.rrset is None:
                continue  # "there is no alias" says nothing about other types
            return _aged(found, int(now - since))
        return None

    def put_referral(self, ns: dns.rrset.RRset, glue: list[dns.rrset.RRset], now: float) -> None:
        """Remember a zone cut and the addresses that came with it."""
        self._cuts[ns.name] = (now + min(ns.ttl, LONGEST), ns)
        for rrset in glue:
            self._glue[rrset.name, rrset.rdtype] = (now + min(rrset.ttl, LONGEST), rrset)

    def cut_above(self, name: Name, now: float) -> dns.rrset.RRset | None:
        """Return the NS RRset of the deepest zone cut known at or above a name; None means: ask the root."""
        for depth in range(len(name.labels), 1, -1):
            ancestor = name.split(depth)[1]
            entry = self._cuts.get(ancestor)
            if entry is not None and entry[0] > now:
                return entry[1]
        return None

    def glue(self, host: Name, rdtype: RdataType, now: float) -> dns.rrset.RRset | None:
        """Return the addresses that a parent zone gave for a name server."""
        entry = self._glue.get((host, rdtype))
        return entry[1] if entry is not None and entry[0] > now else None

    def clear(self) -> None:
        """Forget everything, as when every TTL has run out."""
        self._answers.clear()
        self._cuts.clear()
        self._glue.clear()


def _lifetime(found: Found) -> int:
    if found.rrset is not None:
        return min(found.rrset.ttl, LONGEST)
    if found.soa is None:
        return 0  # without a SOA a negative answer must not be remembered: RFC 2308 section 5
    return min(found.soa.ttl, int(found.soa[0].minimum), LONGEST_NEGATIVE)


def _aged(found: Found, age: int) -> Found:
    return Found(found.rcode, _older(found.rrset, age), _older(found.soa, age))


def _older(rrset: dns.rrset.RRset | None, age: int) -> dns.rrset.RRset | None:
    if rrset is None:
        return None
    older: dns.rrset.RRset = rrset.copy()
    older.ttl = max(rrset.ttl - age, 0)
    return older
