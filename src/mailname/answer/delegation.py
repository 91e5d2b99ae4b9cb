"""Referrals: below a zone cut we name the child's servers, and their addresses where nobody else could (RFC 1034 section 4.2.1).

Not implemented: DS in referrals (RFC 4035 section 3.1.4); the zones are unsigned.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailname.answer.additional import addresses, targets

if TYPE_CHECKING:
    from mailname.answer.reply import Reply
    from mailname.zone import RRset, Zone


def refer(reply: Reply, zone: Zone, ns: RRset) -> None:
    """Refer to the name servers of the zone cut that owns ``ns``.

    Glue below the cut itself (in-domain, RFC 9471 section 2) is needed to reach the child at all; the other addresses that
    this zone has, sibling glue among them, help and may be left out.
    """
    reply.authority.append(ns)
    for target in targets(ns):
        found = addresses(zone, target, glue=True)
        (reply.glue if target.is_subdomain(ns.owner) else reply.additional).extend(found)
