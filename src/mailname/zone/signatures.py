"""Signatures of a signed zone: an owner's RRSIG records, told apart by the type they cover (RFC 4034 section 3).

A node keeps them under the one type RRSIG. On the wire they are as many RRsets as types are covered, and each has the TTL of the
RRset that it covers, whatever the others have: the one exception to RFC 2181 section 5.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from dns.rdatatype import RdataType

from mailname.zone.rrset import RRset

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dns.rdtypes.ANY.RRSIG import RRSIG


def covering(rrsets: Mapping[RdataType, RRset], covered: RRset) -> RRset | None:
    """Return the signatures of ``covered``, with its owner and TTL, None when it is not signed.

    Args:
        rrsets: what the owner has. Where ``covered`` was made from a wildcard's RRset, the wildcard is meant.
        covered: one RRset of these, perhaps under another owner or with a lower TTL.

    """
    signatures = rrsets.get(RdataType.RRSIG)
    if signatures is None:
        return None
    rdatas = tuple(rdata for rdata in signatures.rdatas if cast("RRSIG", rdata).type_covered == covered.rdtype)
    return RRset(covered.owner, RdataType.RRSIG, covered.ttl, rdatas) if rdatas else None


def by_covered_type(rrsets: Mapping[RdataType, RRset]) -> Iterator[RRset]:
    """Yield an owner's signatures, one RRset for each type covered, in order of type.

    Signatures of what is not there have the TTL that they say the RRset had.
    """
    signatures = rrsets.get(RdataType.RRSIG)
    if signatures is None:
        return
    for rdtype in sorted({cast("RRSIG", rdata).type_covered for rdata in signatures.rdatas}):
        rdatas = tuple(rdata for rdata in signatures.rdatas if cast("RRSIG", rdata).type_covered == rdtype)
        covered = rrsets.get(rdtype)
        ttl = covered.ttl if covered else cast("RRSIG", rdatas[0]).original_ttl
        yield RRset(signatures.owner, RdataType.RRSIG, ttl, rdatas)
