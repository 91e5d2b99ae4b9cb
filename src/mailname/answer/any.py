"""QTYPE ANY: one RRset by UDP, all of them by TCP (RFC 8482 sections 4.1 and 4.4).

By UDP a big answer to a small question with a forged source is a weapon; by TCP the source is known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dns.rdatatype import RdataType

from mailname.zone.signatures import by_covered_type

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailname.zone import Node, RRset


def select(node: Node, *, everything: bool) -> tuple[RRset, ...]:
    """Return the RRsets of ``node`` in order of type: the first, or ``everything``; signatures come with what they cover."""
    rrsets = tuple(node.rrsets[rdtype] for rdtype in sorted(node.rrsets) if rdtype != RdataType.RRSIG)
    return rrsets if everything else rrsets[:1]


def signatures(node: Node) -> Iterator[RRset]:
    """Return what QTYPE RRSIG gets: an owner's signatures, each with the TTL of what it covers."""
    return by_covered_type(node.rrsets)
