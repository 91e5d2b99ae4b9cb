"""NSEC: each owner says which is the next one, and which types it has (RFC 4035 section 3.1.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import dns.name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dns.name import Name

    from mailname.zone import Node
    from mailname.zone.denial_index import NsecIndex

_ASTERISK = dns.name.Name([b"*"])


@dataclass(frozen=True, slots=True)
class NsecDenial:
    """Proofs from a zone's NSEC chain."""

    chain: NsecIndex

    def no_name(self, name: Name, encloser: Name) -> Iterator[Node]:
        """Cover the name and the wildcard that could have stood for it (RFC 4035 section 3.1.3.2)."""
        yield self.chain.at_or_before(name)
        yield self.chain.at_or_before(_ASTERISK.concatenate(encloser))

    def no_type(self, name: Name) -> Iterator[Node]:
        """Match the name (RFC 4035 section 3.1.3.1); an empty non-terminal has no NSEC, the one before leads past it."""
        yield self.chain.at_or_before(name)

    def no_closer_name(self, name: Name, encloser: Name) -> Iterator[Node]:  # noqa: ARG002  # NSEC3 needs it
        """Cover the name (RFC 4035 section 3.1.3.3)."""
        yield self.chain.at_or_before(name)

    def no_type_at_wildcard(self, name: Name, encloser: Name) -> Iterator[Node]:
        """Match the wildcard and cover the name (RFC 4035 section 3.1.3.4)."""
        yield self.chain.at_or_before(_ASTERISK.concatenate(encloser))
        yield self.chain.at_or_before(name)
