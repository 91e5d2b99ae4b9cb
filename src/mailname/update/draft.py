"""A zone with an update on its way: the owners that it touches, and in the end what is different."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailname.wire.octets import octets
from mailname.zone.image_merge import Changes

if TYPE_CHECKING:
    from dns.name import Name
    from dns.rdata import Rdata
    from dns.rdatatype import RdataType

    from mailname.zone import Zone

#: TTL and rdata of an RRset.
Records = tuple[int, tuple["Rdata", ...]]


class Draft:
    """What a zone's owners have while an update is carried out; nobody sees it."""

    def __init__(self, zone: Zone) -> None:
        self.apex = zone.apex
        self._zone = zone
        self._owners: dict[Name, dict[RdataType, Records]] = {}
        self._before: dict[Name, dict[RdataType, Records]] = {}

    def at(self, owner: Name) -> dict[RdataType, Records]:
        """Return what an owner has, to be changed; nothing where there is no such owner."""
        found = self._owners.get(owner)
        if found is None:
            node = self._zone.node(owner)
            before = {kind: (rrset.ttl, tuple(rrset.rdatas)) for kind, rrset in node.rrsets.items()} if node else {}
            self._before[owner] = before
            found = self._owners[owner] = dict(before)
        return found

    def changes(self) -> Changes:
        """Return what is different: all that goes first, then all that comes."""
        made = Changes(octets(self.apex))
        coming: list[tuple[bytes, int, RdataType, Rdata]] = []
        for owner, after in self._owners.items():
            before, wire = self._before[owner], octets(owner)
            for kind in sorted({*before, *after}):
                (old_ttl, old), (ttl, new) = before.get(kind, (0, ())), after.get(kind, (0, ()))
                other_ttl = bool(old) and bool(new) and old_ttl != ttl
                for rdata in old:
                    if other_ttl or rdata not in new:
                        made.remove(wire, kind, octets(rdata))
                coming += [(wire, ttl, kind, rdata) for rdata in new if other_ttl or rdata not in old]
        for wire, ttl, kind, rdata in coming:
            made.add(wire, ttl, kind, octets(rdata))
        return made
