"""NSEC3: the same with hashed names, so that the zone cannot be read through from end to end (RFC 5155 section 7.2).

With opt-out, delegations without DS have no NSEC3 record, nor have empty non-terminals above them alone. What cannot be matched
is then proved to lie in a span that the signer left out: by the closest encloser that can be proved.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import dns.name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dns.name import Name

    from mailname.zone import Node
    from mailname.zone.denial_index import Nsec3Index

_ASTERISK = dns.name.Name([b"*"])


@dataclass(frozen=True, slots=True)
class Nsec3Denial:
    """Proofs from a zone's NSEC3 chain."""

    chain: Nsec3Index

    def no_name(self, name: Name, encloser: Name) -> Iterator[Node]:
        """Prove the closest encloser and cover the wildcard below it (RFC 5155 section 7.2.2)."""
        proved, matching = self._provable(encloser)
        yield matching
        yield self.chain.covering(_next_closer(name, proved))
        yield self.chain.covering(_ASTERISK.concatenate(proved))

    def no_type(self, name: Name) -> Iterator[Node]:
        """Match the name (RFC 5155 section 7.2.3); what opt-out left out, by its closest encloser (section 7.2.4)."""
        proved, matching = self._provable(name)
        yield matching
        if proved != name:
            yield self.chain.covering(_next_closer(name, proved))

    def no_closer_name(self, name: Name, encloser: Name) -> Iterator[Node]:
        """Cover the next closer name: the wildcard's own name tells the closest encloser (RFC 5155 section 7.2.6)."""
        yield self.chain.covering(_next_closer(name, encloser))

    def no_type_at_wildcard(self, name: Name, encloser: Name) -> Iterator[Node]:
        """Prove the closest encloser and match the wildcard below it (RFC 5155 section 7.2.5)."""
        proved, matching = self._provable(encloser)
        yield matching
        yield self.chain.covering(_next_closer(name, proved))
        yield self.chain.covering(_ASTERISK.concatenate(proved))

    def _provable(self, name: Name) -> tuple[Name, Node]:
        """Return the name, or else its nearest ancestor, that has an NSEC3 record; the apex always has one."""
        while (matching := self.chain.matching(name)) is None and len(name) > 1:
            name = name.parent()
        return name, matching or self.chain.covering(name)


def _next_closer(name: Name, encloser: Name) -> Name:
    """Return the ancestor of the name with one label more than the encloser (RFC 5155 section 1.3)."""
    return dns.name.Name(name.labels[-len(encloser) - 1 :])
