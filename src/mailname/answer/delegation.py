"""Referrals: below a zone cut we name the child's servers, and their addresses where nobody else could (RFC 1034 section 4.2.1).

From a signed zone also whether the child is: its DS, or the proof that there is none (RFC 4035 section 3.1.4).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dns.rdatatype import RdataType

from mailname.answer.additional import addresses, targets
from mailname.answer.denial import denial_of, prove
from mailname.answer.reply import Sort

if TYPE_CHECKING:
    from mailname.answer.reply import Reply
    from mailname.zone import Node, Zone


def refer(reply: Reply, zone: Zone, cut: Node) -> None:
    """Refer to the name servers of a zone cut.

    Glue below the cut itself (in-domain, RFC 9471 section 2) is needed to reach the child at all; the other addresses that
    this zone has, sibling glue among them, help and may be left out.
    """
    reply.about(Sort.REFERRAL, cut.owner)
    ns = cut.rrsets[RdataType.NS]
    reply.authority.append(ns)  # the child's, hence not signed here (RFC 4035 section 2.2)
    if reply.dnssec and (ds := cut.rrsets.get(RdataType.DS)):
        reply.add(reply.authority, ds, cut)
    else:
        prove(reply, denial_of(zone, reply).no_type(cut.owner))
    for target in targets(ns):
        in_domain = target.is_subdomain(cut.owner)
        for found, node in addresses(zone, target, glue=True):
            reply.add(reply.glue if in_domain else reply.additional, found, node)
