"""From a question and a zone to the contents of a reply: RFC 1034 section 4.3.2, step 3 and after."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dns.rcode import Rcode
from dns.rdatatype import RdataType

from mailname.answer import any as any_type
from mailname.answer.additional import add_addresses
from mailname.answer.cname import BESIDE_ALIAS, follow
from mailname.answer.delegation import refer
from mailname.answer.denial import denial_of, prove
from mailname.answer.dname import synthesise_cname
from mailname.answer.negative import nodata, nxdomain
from mailname.answer.reply import Reply, Sort
from mailname.answer.wildcard import synthesise
from mailname.zone import Kind

if TYPE_CHECKING:
    from dns.name import Name

    from mailname.zone import Lookup, Node, RRset, Zone


def answer(zone: Zone, name: Name, rdtype: RdataType, *, any_everything: bool = False, dnssec: bool = False) -> Reply:
    """Answer a question from the zone that encloses its name.

    Args:
        zone: the zone to answer from; nothing outside it is looked at.
        name: the name asked for; owners of the answer are spelled like it.
        rdtype: the type asked for.
        any_everything: whether ANY gets all RRsets of the name instead of one.
        dnssec: whether signatures and proofs are wanted, of which a signed zone has some.

    """
    reply = Reply(dnssec, authoritative=True)
    following: Name | None = name
    while following is not None:
        following = _step(reply, zone, following, rdtype, any_everything)
    return reply


def _step(reply: Reply, zone: Zone, name: Name, rdtype: RdataType, any_everything: bool) -> Name | None:
    """Look one name of the chain up; return the name to go on with, None at the end."""
    found = zone.lookup(name, rdtype)
    match found.kind:
        case Kind.OUT_OF_ZONE:
            return None
        case Kind.DELEGATION:
            reply.authoritative = bool(reply.answer)
            refer(reply, zone, _node(found))
            return None
        case Kind.NXDOMAIN:
            nxdomain(reply, zone, name, found)
            return None
        case Kind.DNAME:
            return _redirect(reply, name, rdtype, _node(found))
    rrsets = _matching(found, rdtype, any_everything)
    if not rrsets:
        nodata(reply, zone, name, found)
        return None
    node = _node(found)
    reply.about(Sort.ANSWER, node.owner)
    if found.kind == Kind.WILDCARD:
        prove(reply, denial_of(zone, reply).no_closer_name(name, found.closest_encloser))
    rrsets = tuple(synthesise(rrset, name) for rrset in rrsets)
    if rrsets[0].rdtype == RdataType.CNAME and rdtype not in {RdataType.CNAME, RdataType.ANY}:
        return follow(reply, rrsets[0], node)
    for rrset in rrsets:
        reply.add(reply.answer, rrset, node)
    add_addresses(reply, zone, rrsets)
    return None


def _redirect(reply: Reply, name: Name, rdtype: RdataType, node: Node) -> Name | None:
    """Answer with a DNAME and the CNAME made from it, which is not signed (RFC 6672 section 5.3.1)."""
    reply.about(Sort.ANSWER, node.owner)
    dname = node.rrsets[RdataType.DNAME]
    reply.add(reply.answer, dname, node)
    alias = synthesise_cname(dname, name)
    if alias is None:
        reply.rcode = Rcode.YXDOMAIN
        return None
    following = follow(reply, alias, None)
    return None if rdtype == RdataType.CNAME else following


def _matching(found: Lookup, rdtype: RdataType, any_everything: bool) -> tuple[RRset, ...]:
    """Return the RRsets that match the type, the alias among them."""
    if rdtype == RdataType.ANY and found.node is not None:
        return any_type.select(found.node, everything=any_everything)
    if found.rrset is None or (found.rrset.rdtype == RdataType.CNAME and rdtype in BESIDE_ALIAS):
        return ()
    if rdtype == RdataType.RRSIG:
        return tuple(any_type.signatures(_node(found)))
    return (found.rrset,)


def _node(found: Lookup) -> Node:
    assert found.node is not None  # a lookup of this kind comes with its node
    return found.node
