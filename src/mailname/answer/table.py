"""The zones that a server serves, found by the closest enclosing apex."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dns.name import Name, from_wire

from mailname.wire.octets import octets as wire_form

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mailname.zone import Zone

    _Pairs = dict[bytes, tuple[Name, "Zone | Unserved"]]
    Behind = Callable[[bytes], "Zone | Unserved | None"]


@dataclass(frozen=True, slots=True)
class Unserved:
    """A zone that is ours to serve and that we cannot serve now. Questions about it get SERVFAIL.

    Attributes:
        reason: why, for the log: "expired", "not loaded".

    """

    reason: str


class ZoneTable:
    """An immutable mapping from apex to zone. A change makes a new table, so readers never lock.

    Attributes:
        octets: apex and entry, by the apex in wire form and lower case, as a question has it.
        apexes: what stands for the set of apexes: the same object in tables that have the same ones.

    """

    __slots__ = ("_behind", "apexes", "octets")

    def __init__(
        self,
        entries: Mapping[Name, Zone | Unserved] | None = None,
        *,
        pairs: _Pairs | None = None,
        apexes: object = None,
        behind: Behind | None = None,
    ) -> None:
        self._behind = behind
        self.octets: _Pairs = {_key(apex): (apex, entry) for apex, entry in (entries or {}).items()} if pairs is None else pairs
        self.apexes = apexes or object()

    def behind(self, behind: Behind) -> ZoneTable:
        """Return this table with others behind it: zones that are not in it are asked for there, by their apexes as octets."""
        return ZoneTable(pairs=self.octets, behind=behind)

    def closest(self, qname: Name) -> tuple[Name, Zone | Unserved] | None:
        """Return the apex nearest above ``qname`` (or at it) and what is there; None when no zone of ours encloses it."""
        name = _key(qname)
        at = 0
        while True:
            found = self.octets.get(name[at:])
            if found is not None:
                return found
            if self._behind is not None and (entry := self._behind(name[at:])) is not None:
                return from_wire(name, at)[0] if isinstance(entry, Unserved) else entry.apex, entry
            if not name[at]:
                return None
            at += 1 + name[at]

    def entry(self, apex: bytes) -> Zone | Unserved | None:
        """Return what is at an apex, in wire form and lower case; None when it is no zone of ours."""
        found = self.octets.get(apex)
        if found is not None:
            return found[1]
        return None if self._behind is None else self._behind(apex)

    def with_zone(self, apex: Name, entry: Zone | Unserved) -> ZoneTable:
        """Return a table in which ``entry`` stands at ``apex``."""
        return ZoneTable({**dict(self.octets.values()), apex: entry}, behind=self._behind)

    def without(self, *apexes: Name) -> ZoneTable:
        """Return a table without the zones at these apexes, however many, in one go."""
        gone = {_key(apex) for apex in apexes}
        return ZoneTable(pairs={key: pair for key, pair in self.octets.items() if key not in gone}, behind=self._behind)

    def replacing(self, apex: Name, entry: Zone | Unserved) -> ZoneTable:
        """Return what ``with_zone`` does, in a time that does not grow with the number of zones. This table is used up by it."""
        key = _key(apex)
        apexes = self.apexes if key in self.octets else None
        self.octets[key] = (apex, entry)
        return ZoneTable(pairs=self.octets, apexes=apexes, behind=self._behind)

    def __getitem__(self, apex: Name) -> Zone | Unserved:
        return self.octets[_key(apex)][1]

    def __contains__(self, apex: object) -> bool:
        return isinstance(apex, Name) and _key(apex) in self.octets

    def __iter__(self) -> Iterator[Name]:
        return (apex for apex, _ in self.octets.values())

    def __len__(self) -> int:
        return len(self.octets)


def _key(apex: Name) -> bytes:
    return wire_form(apex).lower()
