"""Proofs of what is not there: the NSEC or NSEC3 records that a signed zone's "no" comes with (RFC 4035 section 3.1.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from dns.rdatatype import RdataType

from mailname.answer.denial_nsec import NsecDenial
from mailname.answer.denial_nsec3 import Nsec3Denial
from mailname.zone.denial_index import NsecIndex

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dns.name import Name

    from mailname.answer.reply import Reply
    from mailname.zone import Node, Zone


class Denial(Protocol):
    """One of the two ways to prove. Each method yields the nodes whose record belongs into the authority section, some twice."""

    def no_name(self, name: Name, encloser: Name) -> Iterator[Node]:
        """Prove that neither the name nor a wildcard below its closest encloser is there."""

    def no_type(self, name: Name) -> Iterator[Node]:
        """Prove that a name that is there, perhaps as an empty non-terminal, has no such type; DS at a zone cut among them."""

    def no_closer_name(self, name: Name, encloser: Name) -> Iterator[Node]:
        """Prove that a wildcard was rightly used: the name itself is not there."""

    def no_type_at_wildcard(self, name: Name, encloser: Name) -> Iterator[Node]:
        """Prove that the name is not there, and that the wildcard which would stand for it has no such type."""


class Unsigned:
    """An unsigned zone, or a client that did not ask: nothing is proved."""

    def no_name(self, name: Name, encloser: Name) -> Iterator[Node]:  # noqa: ARG002  # the protocol's arguments
        """Prove nothing."""
        return iter(())

    no_closer_name = no_type_at_wildcard = no_name

    def no_type(self, name: Name) -> Iterator[Node]:  # noqa: ARG002  # the protocol's argument
        """Prove nothing."""
        return iter(())


_UNSIGNED = Unsigned()


def denial_of(zone: Zone, reply: Reply) -> Denial:
    """Return how this zone proves what is not there, for a client that wants proof."""
    if zone.denial is None or not reply.dnssec:
        return _UNSIGNED
    return NsecDenial(zone.denial) if isinstance(zone.denial, NsecIndex) else Nsec3Denial(zone.denial)


def prove(reply: Reply, proof: Iterator[Node]) -> None:
    """Put a proof's records and their signatures into the authority section, each once."""
    for node in proof:
        rrset = node.rrsets.get(RdataType.NSEC) or node.rrsets[RdataType.NSEC3]
        if rrset not in reply.authority:
            reply.add(reply.authority, rrset, node)
