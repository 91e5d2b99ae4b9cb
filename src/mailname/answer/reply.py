"""A reply while it is put together: rcode, AA, and the RRsets of each section, before anything is counted in octets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dns.rcode import Rcode

if TYPE_CHECKING:
    from mailname.zone import RRset


@dataclass(slots=True)
class Reply:
    """The contents of a reply.

    Attributes:
        rcode: the response code.
        authoritative: AA; speaks of the question's own name (RFC 1035 section 4.1.1), so a referral at the end of a chain of
            aliases leaves it set.
        answer, authority: RRsets that must all fit, or the reply is truncated.
        glue: in-domain glue of a referral, which must all fit too (RFC 9471 section 3.1).
        additional: addresses that are left out when they do not fit.

    """

    rcode: Rcode = Rcode.NOERROR
    authoritative: bool = False
    answer: list[RRset] = field(default_factory=list)
    authority: list[RRset] = field(default_factory=list)
    glue: list[RRset] = field(default_factory=list)
    additional: list[RRset] = field(default_factory=list)
