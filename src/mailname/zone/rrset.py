"""An RRset: the records of one owner and one type (RFC 2181 section 5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dns.name import Name
    from dns.rdata import Rdata
    from dns.rdatatype import RdataType


@dataclass(frozen=True, slots=True)
class RRset:
    """Records with the same owner, class IN and type.

    The rdatas keep the order in which they were published: name servers are listed in the order the plan gives them.
    Two RRsets are equal when owner, type, TTL and the set of rdatas are.
    """

    owner: Name
    rdtype: RdataType
    ttl: int
    rdatas: tuple[Rdata, ...]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RRset):
            return NotImplemented
        return (
            self.ttl == other.ttl
            and self.rdtype == other.rdtype
            and self.owner == other.owner
            and frozenset(self.rdatas) == frozenset(other.rdatas)
        )

    def __hash__(self) -> int:
        return hash((self.owner, self.rdtype, self.ttl, frozenset(self.rdatas)))

    def __len__(self) -> int:
        return len(self.rdatas)
