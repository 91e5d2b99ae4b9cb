"""A zone as it was found somewhere: its records, where each stands, and what people have written beside them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dns.rdatatype import RdataType

from mailname.imports.comments import Comments, comments_of
from mailname.zone.records import read_records
from mailname.zone.text import read_zone
from mailname.zone.zone import ZoneBuilder

if TYPE_CHECKING:
    from collections.abc import Callable

    from dns.name import Name

    from mailname.errors import Mistake, Position
    from mailname.zone import Zone
    from mailname.zone.rrset import RRset

#: What BIND and others make when they sign a zone. A plan's zone is not signed, so that these would be lies in it.
MADE_BY_SIGNING = frozenset(
    {
        RdataType.RRSIG,
        RdataType.NSEC,
        RdataType.NSEC3,
        RdataType.NSEC3PARAM,
        RdataType.DNSKEY,
        RdataType.CDS,
        RdataType.CDNSKEY,
        RdataType.make(65534),  # BIND's notes to itself on how far signing has come
    }
)


@dataclass(frozen=True, slots=True)
class FoundZone:
    """One zone.

    Attributes:
        zone: without what signing made.
        where: the file or the server it is from, for people.
        order: its RRsets in the order in which they were written.
        signing: how many records of signing were left away at the apex and elsewhere.

    """

    zone: Zone
    where: str
    order: tuple[RRset, ...]
    comments: Comments = field(default_factory=Comments)
    places: dict[tuple[Name, RdataType], Position] = field(default_factory=dict)
    warnings: tuple[Mistake, ...] = ()
    signing: int = 0

    @property
    def apex(self) -> Name:
        """The zone's name."""
        return self.zone.apex


def found(zone: Zone, where: str) -> FoundZone:
    """Return a zone that was transferred."""
    plain, signing = _without_signing(zone)
    return FoundZone(plain, where, tuple(plain.rrsets()), signing=signing)


def found_in_text(text: str, file: str, apex: Name, include: Callable[[str], tuple[str, str]]) -> FoundZone:
    """Read a zone file with all that it includes.

    Raises:
        ZoneError: it is no zone; with every mistake in it.

    """
    texts = {file: text}

    def remembered(written: str) -> tuple[str, str]:
        included = include(written)
        texts[included[1]] = included[0]
        return included

    read = read_zone(text, file, apex, include=remembered)
    records = read_records(text, file, apex, default_ttl=None, include=remembered).records
    zone, signing = _without_signing(read.zone)
    places: dict[tuple[Name, RdataType], Position] = {}
    for record in records:
        places.setdefault((record.owner, record.rdata.rdtype), record.at)
    order = (zone.rrset(owner, rdtype) for owner, rdtype in places)
    comments = comments_of(texts, records)
    return FoundZone(zone, file, tuple(one for one in order if one is not None), comments, places, read.warnings, signing)


def _without_signing(zone: Zone) -> tuple[Zone, int]:
    """Take away what signing made; the second is how many records that were."""
    made = sum(len(rrset) for rrset in zone.rrsets() if rrset.rdtype in MADE_BY_SIGNING)
    if not made:
        return zone, 0
    builder = ZoneBuilder(zone.apex)
    for rrset in zone.rrsets():
        if rrset.rdtype not in MADE_BY_SIGNING:
            for rdata in rrset.rdatas:
                builder.add(rrset.owner, rrset.ttl, rdata)
    return builder.build(), made
