"""Aliases: the chain of CNAMEs is followed as far as it stays in the zone (RFC 1034 section 3.6.2).

A chain that leaves the zone ends there, even where the other zone is served here too: a resolver asks again anyhow, and would
not believe us about another zone's names. A loop ends at the first name that comes twice; the chain goes out as it stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from dns.rdatatype import RdataType

if TYPE_CHECKING:
    from dns.name import Name
    from dns.rdtypes.ANY.CNAME import CNAME

    from mailname.answer.reply import Reply
    from mailname.zone import Node, RRset

#: Types that an alias's own name may have (RFC 4035 section 2.5), so that for them the alias is not followed.
BESIDE_ALIAS = frozenset({RdataType.RRSIG, RdataType.NSEC})

#: Aliases that one reply follows; a longer chain is cut, and the resolver asks on from its end.
CHAIN_LIMIT = 16


def follow(reply: Reply, alias: RRset, source: Node | None) -> Name | None:
    """Put a CNAME into the answer and return the name to look up next, or None where the chain ends.

    Args:
        reply: the reply.
        alias: the CNAME.
        source: the node that it comes from and that has its signatures; None when it was made from a DNAME.

    """
    if source is None:
        reply.answer.append(alias)
    else:
        reply.add(reply.answer, alias, source)
    target = cast("CNAME", alias.rdatas[0]).target
    chain = [rrset.owner for rrset in reply.answer if rrset.rdtype == RdataType.CNAME]
    return None if target in chain or len(chain) >= CHAIN_LIMIT else target
