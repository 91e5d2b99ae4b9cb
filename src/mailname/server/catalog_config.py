"""What a server is told about catalog zones: which it makes, which it follows, and how their members are served (RFC 9432)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import dns.name

from mailname.server.config import IPNetwork, ZoneConfig
from mailname.update.policy import UpdateRule
from mailname.zone.name_pattern import any_matches

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from dns.name import Name
    from dns.rdatatype import RdataType

    from mailname.transfer.actions import Peer
    from mailname.transfer.catalog import Member

GRACE = 7 * 86400  # seconds for which the copy of a member that was removed is kept, unless configured otherwise
EVERY_ZONE = (dns.name.from_text("*"),)

CatalogRole = Literal["producer", "consumer"]


@dataclass(frozen=True, slots=True)
class CatalogGroup:
    """How the members of one group are treated; what is empty is as for all members.

    Attributes:
        name: the group's word.
        zones: on a producer, the zones that are in the group; a pattern such as ``*.example.org`` stands for all below a name.
        primaries, secondaries, allow_transfer: on a consumer, as in ``ZoneConfig``.

    """

    name: str
    zones: tuple[Name, ...] = ()
    primaries: tuple[Peer, ...] = ()
    secondaries: tuple[Peer, ...] = ()
    allow_transfer: tuple[IPNetwork, ...] = ()


@dataclass(frozen=True, slots=True)
class CatalogUpdate:
    """What one key may update in the zones of a producer's folder (RFC 2136).

    Attributes:
        keys: any of these.
        names: as they stand in each zone, relative to its apex; ``*.NAME`` for all below NAME.
        types: as in ``UpdateRule``.
        zones: in which zones; a pattern such as ``*.example.org`` stands for all below a name.

    """

    keys: tuple[Name, ...]
    names: tuple[Name, ...]
    types: frozenset[RdataType] = frozenset()
    zones: tuple[Name, ...] = EVERY_ZONE

    def rule_for(self, apex: Name) -> UpdateRule | None:
        """Return what it allows in a zone; None for nothing."""
        if not any_matches(self.zones, apex):
            return None
        names = tuple(name for one in self.names if (name := _within(one, apex)) is not None)
        return UpdateRule(self.keys, names, self.types) if names else None


def _within(relative: Name, apex: Name) -> Name | None:
    try:
        return relative.derelativize(apex)
    except dns.name.NameTooLong:  # no such name can be in that zone
        return None


@dataclass(frozen=True, slots=True)
class CatalogConfig:
    """One catalog zone.

    Attributes:
        primaries: where a consumer gets the catalog, and its members unless their group says otherwise.
        secondaries: who is notified of the catalog and may transfer it and ask for it; the same for members.
        allow_transfer: networks that may, besides.
        zones: which primary zones a producer lists; a pattern such as ``*.example.org`` stands for all below a name.
        folder: where a producer finds zone files besides: each NAME.zone is a primary zone.
        groups: in the order in which a consumer looks for one that it knows.
        grace: seconds for which a consumer keeps the copy of a member that was removed.
        update: who may update the zones of a producer's folder.

    """

    name: Name
    role: CatalogRole
    primaries: tuple[Peer, ...] = ()
    secondaries: tuple[Peer, ...] = ()
    allow_transfer: tuple[IPNetwork, ...] = ()
    zones: tuple[Name, ...] = EVERY_ZONE
    folder: Path | None = None
    groups: tuple[CatalogGroup, ...] = ()
    grace: int = GRACE
    update: tuple[CatalogUpdate, ...] = ()

    def folder_zone(self, apex: Name, file: Path) -> ZoneConfig:
        """Return how a zone of a producer's folder is served: it goes to whom the catalog goes."""
        rules = tuple(rule for one in self.update if (rule := one.rule_for(apex)) is not None)
        return ZoneConfig(apex, "primary", file, (), self.secondaries, self.allow_transfer, rules)

    def zone(self, file: Path | None = None) -> ZoneConfig:
        """Return the catalog's own zone; a producer's lies in ``file``."""
        role: Literal["primary", "secondary"] = "primary" if self.role == "producer" else "secondary"
        return ZoneConfig(self.name, role, file, self.primaries, self.secondaries, self.allow_transfer)

    def member_zone(self, member: Member) -> ZoneConfig:
        """Return how a consumer serves a member: as the first group says that is known here, otherwise as the catalog itself."""
        plain = ZoneConfig(member.zone, "secondary", None, self.primaries, self.secondaries, self.allow_transfer)
        for group in self.groups:
            if group.name in member.groups:
                return replace(
                    plain,
                    primaries=group.primaries or plain.primaries,
                    secondaries=group.secondaries or plain.secondaries,
                    allow_transfer=group.allow_transfer or plain.allow_transfer,
                )
        return plain

    def lists(self, zone: Name) -> bool:
        """Tell whether a producer lists a primary zone of this server."""
        return zone != self.name and any_matches(self.zones, zone)

    def groups_of(self, zone: Name) -> tuple[str, ...]:
        """Return the groups that a producer gives to a zone."""
        return tuple(sorted(group.name for group in self.groups if any_matches(group.zones, zone)))


def with_peers(zone: ZoneConfig, catalogs: Iterable[CatalogConfig]) -> ZoneConfig:
    """Give a primary zone that names nobody the secondaries of the catalog that lists it: who gets the list gets the zones."""
    if zone.role != "primary" or zone.secondaries or zone.allow_transfer:
        return zone
    for catalog in catalogs:
        if catalog.role == "producer" and catalog.lists(zone.name):
            return replace(zone, secondaries=catalog.secondaries, allow_transfer=catalog.allow_transfer)
    return zone
