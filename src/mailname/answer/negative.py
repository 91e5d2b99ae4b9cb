"""NODATA and NXDOMAIN: the SOA in the authority section says how long "no" may be remembered (RFC 2308)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dns.rcode import Rcode

if TYPE_CHECKING:
    from mailname.answer.reply import Reply
    from mailname.zone import RRset, Zone


def nodata(reply: Reply, zone: Zone) -> None:
    """Say that the name exists, and has no such RRset. An empty non-terminal exists (RFC 4592 section 2.2.2)."""
    reply.authority.append(negative_soa(zone))


def nxdomain(reply: Reply, zone: Zone) -> None:
    """Say that the name does not exist: also when it is an alias that leads to such a name (RFC 6604 section 3)."""
    reply.rcode = Rcode.NXDOMAIN
    reply.authority.append(negative_soa(zone))


def negative_soa(zone: Zone) -> RRset:
    """Return the SOA with the lesser of its own TTL and its MINIMUM (RFC 2308 section 3)."""
    return replace(zone.soa, ttl=zone.negative_ttl)
