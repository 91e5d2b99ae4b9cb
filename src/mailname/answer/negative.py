"""NODATA and NXDOMAIN: the SOA in the authority section says how long "no" may be remembered (RFC 2308).

From a signed zone, with the proof (RFC 4035 section 3.1.3). SOA and proof stand there once, however many names of a chain of
aliases were looked up.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dns.rcode import Rcode

from mailname.answer.denial import denial_of, prove
from mailname.answer.reply import Sort

if TYPE_CHECKING:
    from dns.name import Name

    from mailname.answer.reply import Reply
    from mailname.zone import Lookup, RRset, Zone


def nodata(reply: Reply, zone: Zone, name: Name, found: Lookup) -> None:
    """Say that the name exists, and has no such RRset. An empty non-terminal exists (RFC 4592 section 2.2.2).

    So does a name that a wildcard stands for, whose closest encloser is then another name.
    """
    reply.about(Sort.NODATA, zone.apex)
    _add_soa(reply, zone)
    denial = denial_of(zone, reply)
    exists = found.closest_encloser == name
    prove(reply, denial.no_type(name) if exists else denial.no_type_at_wildcard(name, found.closest_encloser))


def nxdomain(reply: Reply, zone: Zone, name: Name, found: Lookup) -> None:
    """Say that the name does not exist: also when it is an alias that leads to such a name (RFC 6604 section 3)."""
    reply.about(Sort.NXDOMAIN, zone.apex)
    reply.rcode = Rcode.NXDOMAIN
    _add_soa(reply, zone)
    prove(reply, denial_of(zone, reply).no_name(name, found.closest_encloser))


def negative_soa(zone: Zone) -> RRset:
    """Return the SOA with the lesser of its own TTL and its MINIMUM (RFC 2308 section 3)."""
    return replace(zone.soa, ttl=zone.negative_ttl)


def _add_soa(reply: Reply, zone: Zone) -> None:
    apex = zone.node(zone.apex)
    assert apex is not None  # every zone has its apex
    reply.add(reply.authority, negative_soa(zone), apex)
