"""Which zones a consumer of catalogs serves, and what a new version of a catalog changes about that (RFC 9432 section 5).

A change costs as much as the catalogs that it concerns are long, however many zones stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dns.name import Name

    from mailname.transfer.catalog import Member


@dataclass(frozen=True, slots=True)
class Clash:
    """A zone that a catalog lists and that is not taken from there: it is served already (section 5.2)."""

    zone: Name
    catalog: Name
    owner: Name | None

    def __str__(self) -> str:
        if self.owner is None:
            return f"{self.zone} is configured here by hand, which goes before the catalog {self.catalog}"
        return f"{self.zone} is a member of the catalog {self.owner}, which has no coo property that gives it to {self.catalog}"


@dataclass(frozen=True, slots=True)
class Ownership:
    """A zone that is served because a catalog lists it."""

    catalog: Name
    member: Member


@dataclass(slots=True)
class MembershipChange:
    """What has to be done, each zone named once.

    Attributes:
        added: zones to serve from now on, with nothing that was held of them before.
        removed: zones to serve no longer; what is held of them goes.
        reset: zones to begin anew: what is held of them goes at once (sections 4.4.1 and 5.4).
        changed: zones that go on with what is held of them, perhaps under another configuration.
        clashes: zones of the catalogs looked at that stay with whom they are.

    """

    added: dict[Name, Ownership] = field(default_factory=dict)
    removed: dict[Name, Ownership] = field(default_factory=dict)
    reset: dict[Name, Ownership] = field(default_factory=dict)
    changed: dict[Name, Ownership] = field(default_factory=dict)
    clashes: list[Clash] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.reset or self.changed)


@dataclass(slots=True)
class Memberships:
    """The zones that catalogs have given to this server.

    Attributes:
        held: by catalog, the members that are taken from it.
        owners: by zone, its catalog.
        waiting: by catalog, what its last good version lists while some of it clashes: looked at again when a zone comes free.

    """

    held: dict[Name, dict[Name, Member]] = field(default_factory=dict)
    owners: dict[Name, Name] = field(default_factory=dict)
    waiting: dict[Name, Mapping[Name, Member]] = field(default_factory=dict)

    def take(self, catalog: Name, member: Member) -> None:
        """Note that a zone is taken from a catalog: a former one has it no longer."""
        former = self.owners.get(member.zone)
        if former is not None and former != catalog:
            del self.held[former][member.zone]
        self.held.setdefault(catalog, {})[member.zone] = member
        self.owners[member.zone] = catalog

    def release(self, zone: Name) -> Ownership:
        """Note that a zone is no longer taken from its catalog."""
        catalog = self.owners.pop(zone)
        return Ownership(catalog, self.held[catalog].pop(zone))

    def forget(self, catalog: Name) -> dict[Name, Ownership]:
        """Give up a catalog that is no longer configured; return the zones that came from it."""
        self.waiting.pop(catalog, None)
        gone = {zone: self.release(zone) for zone in list(self.held.get(catalog, ()))}
        self.held.pop(catalog, None)
        return gone

    def follow(self, catalog: Name, listed: Mapping[Name, Member], by_hand: Callable[[Name], bool]) -> MembershipChange:
        """Take over what a catalog lists now.

        Args:
            catalog: its name.
            listed: its members.
            by_hand: tells whether a zone has a configuration of its own, this catalog and others included.

        """
        change = MembershipChange()
        for zone in [zone for zone in self.held.get(catalog, ()) if zone not in listed]:
            change.removed[zone] = self.release(zone)
        self._follow(catalog, listed, by_hand, change)
        if change.removed:
            # A zone that came free may be what another catalog has been waiting for.
            for other, wanted in [one for one in self.waiting.items() if one[0] != catalog]:
                free = {zone: wanted[zone] for zone in change.removed if zone in wanted and zone not in self.owners}
                for zone, member in free.items():
                    if not by_hand(zone):
                        self.take(other, member)
                        change.reset[zone] = Ownership(other, member)
            for zone in change.reset:
                change.removed.pop(zone, None)
        return change

    def _follow(
        self, catalog: Name, listed: Mapping[Name, Member], by_hand: Callable[[Name], bool], change: MembershipChange
    ) -> None:
        for zone, member in listed.items():
            owner = self.owners.get(zone)
            if owner == catalog:
                held = self.held[catalog][zone]
                if held == member:
                    continue
                self.take(catalog, member)
                (change.changed if held.label == member.label else change.reset)[zone] = Ownership(catalog, member)
            elif by_hand(zone):
                change.clashes.append(Clash(zone, catalog, None))
            elif owner is None:
                self.take(catalog, member)
                change.added[zone] = Ownership(catalog, member)
            elif (held := self.held[owner][zone]).coo == catalog:
                self.take(catalog, member)
                (change.changed if held.label == member.label else change.reset)[zone] = Ownership(catalog, member)
            elif member.coo != owner:  # or it was moved there, and this catalog has not yet let go of it
                change.clashes.append(Clash(zone, catalog, owner))
        if change.clashes:
            self.waiting[catalog] = listed
        else:
            self.waiting.pop(catalog, None)
