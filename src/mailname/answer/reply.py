"""A reply while it is put together: rcode, AA, and the RRsets of each section, before anything is counted in octets."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dns.rcode import Rcode

from mailname.zone.signatures import covering

if TYPE_CHECKING:
    from dns.name import Name

    from mailname.zone import Node, RRset


class Sort(enum.Enum):
    """What kind of reply it is: replies of one sort and subject are alike, however they were asked for (``rate_limit``)."""

    ANSWER = "answer"
    NODATA = "nodata"
    NXDOMAIN = "nxdomain"
    REFERRAL = "referral"
    ERROR = "error"


@dataclass(slots=True)
class Reply:
    """The contents of a reply.

    Attributes:
        dnssec: whether the client wants signatures and proofs (DO, RFC 3225).
        rcode: the response code.
        authoritative: AA; speaks of the question's own name (RFC 1035 section 4.1.1), so a referral at the end of a chain of
            aliases leaves it set.
        answer, authority: RRsets that must all fit, or the reply is truncated.
        glue: in-domain glue of a referral, which must all fit too (RFC 9471 section 3.1).
        additional: addresses that are left out when they do not fit, their signatures as well (RFC 4035 section 3.1.1).
        sort, subject: what the reply is about: the owner that the answer comes from, the zone cut of a referral, the apex of the
            zone that has no such name or data.

    """

    dnssec: bool = False
    rcode: Rcode = Rcode.NOERROR
    authoritative: bool = False
    answer: list[RRset] = field(default_factory=list)
    authority: list[RRset] = field(default_factory=list)
    glue: list[RRset] = field(default_factory=list)
    additional: list[RRset] = field(default_factory=list)
    sort: Sort = Sort.ANSWER
    subject: Name | None = None

    def about(self, sort: Sort, subject: Name) -> None:
        """Say what the reply is about; of a chain of aliases, the first owner counts unless the end is no answer."""
        if sort is not Sort.ANSWER or self.subject is None:
            self.sort, self.subject = sort, subject

    def add(self, section: list[RRset], rrset: RRset, source: Node) -> None:
        """Put an RRset into a section, and its signatures from ``source`` after it where the client wants them."""
        section.append(rrset)
        if self.dnssec and (signatures := covering(source.rrsets, rrset)):
            section.append(signatures)
