"""The zones that a server serves, found by the closest enclosing apex."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import dns.name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dns.name import Name

    from mailname.zone import Zone

    _Pairs = dict[Name, tuple[Name, "Zone | Unserved"]]


@dataclass(frozen=True, slots=True)
class Unserved:
    """A zone that is ours to serve and that we cannot serve now. Questions about it get SERVFAIL.

    Attributes:
        reason: why, for the log: "expired", "not loaded".

    """

    reason: str


class ZoneTable:
    """An immutable mapping from apex to zone. A change makes a new table, so readers never lock."""

    __slots__ = ("_pairs",)

    def __init__(self, entries: Mapping[Name, Zone | Unserved] | None = None, *, pairs: _Pairs | None = None) -> None:
        # The apex is kept beside its entry, for a question may spell it otherwise.
        self._pairs: _Pairs = {apex: (apex, entry) for apex, entry in (entries or {}).items()} if pairs is None else pairs

    def closest(self, qname: Name) -> tuple[Name, Zone | Unserved] | None:
        """Return the apex nearest above ``qname`` (or at it) and what is there; None when no zone of ours encloses it."""
        name = qname
        while True:
            found = self._pairs.get(name)
            if found is not None:
                return found
            if name == dns.name.root:
                return None
            name = name.parent()

    def with_zone(self, apex: Name, entry: Zone | Unserved) -> ZoneTable:
        """Return a table in which ``entry`` stands at ``apex``."""
        return ZoneTable({**dict(self._pairs.values()), apex: entry})

    def without(self, apex: Name) -> ZoneTable:
        """Return a table without the zone at ``apex``."""
        return ZoneTable({name: entry for name, entry in self._pairs.values() if name != apex})

    def replacing(self, apex: Name, entry: Zone | Unserved) -> ZoneTable:
        """Return what ``with_zone`` does, in a time that does not grow with the number of zones. This table is used up by it."""
        self._pairs[apex] = (apex, entry)
        return ZoneTable(pairs=self._pairs)

    def __getitem__(self, apex: Name) -> Zone | Unserved:
        return self._pairs[apex][1]

    def __contains__(self, apex: object) -> bool:
        return apex in self._pairs

    def __iter__(self) -> Iterator[Name]:
        return iter(self._pairs)

    def __len__(self) -> int:
        return len(self._pairs)
