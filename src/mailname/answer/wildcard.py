"""Wildcards: an RRset at ``*`` below the closest encloser is given out under the name that was asked for (RFC 4592).

Which wildcard matches is decided by ``Zone.lookup``: only the one directly below the closest encloser.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dns.name import Name

    from mailname.zone import RRset


def synthesise(source: RRset, name: Name) -> RRset:
    """Return the RRset that a wildcard gives ``name``: same TTL, same rdata (RFC 1034 section 4.3.2 step 3c)."""
    return replace(source, owner=name)
