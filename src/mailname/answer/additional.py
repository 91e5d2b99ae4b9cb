"""Additional section: the addresses of the hosts that an answer names, so that the client need not ask again.

Names for MX (RFC 1035 section 3.3.9), NS (section 3.3.11) and SRV (RFC 2782) records, from the same zone only, aliases and
wildcards not followed. Not implemented: SVCB and HTTPS (RFC 9460 section 4.1 makes it optional).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dns.rdatatype import RdataType

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dns.name import Name

    from mailname.answer.reply import Reply
    from mailname.zone import Node, RRset, Zone

_HOST_FIELD = {RdataType.MX: "exchange", RdataType.NS: "target", RdataType.SRV: "target"}
_ADDRESS_TYPES = (RdataType.A, RdataType.AAAA)


def add_addresses(reply: Reply, zone: Zone, rrsets: Iterable[RRset]) -> None:
    """Put the addresses of the hosts named in ``rrsets`` into the additional section, once each, unless answered already."""
    for rrset in rrsets:
        for target in targets(rrset):
            for found, node in addresses(zone, target, glue=rrset.rdtype == RdataType.NS):
                if found not in reply.answer and found not in reply.additional:
                    reply.add(reply.additional, found, node)


def targets(rrset: RRset) -> Iterator[Name]:
    """Yield the hosts that an RRset names, in published order; none for types that name no host."""
    if field := _HOST_FIELD.get(rrset.rdtype):
        for rdata in rrset.rdatas:
            yield getattr(rdata, field)


def addresses(zone: Zone, host: Name, *, glue: bool) -> Iterator[tuple[RRset, Node]]:
    """Yield the A and AAAA RRsets of a host that this zone has, with their node; what lies below a zone cut only as ``glue``."""
    node = zone.node(host)
    if node is None or (not glue and zone.is_below_cut(host)):
        return
    for rdtype in _ADDRESS_TYPES:
        if rrset := node.rrsets.get(rdtype):
            yield rrset, node
