"""The ``[[catalog]]`` tables of a server's configuration."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import dns.exception
import dns.name
from pydantic import BaseModel, BeforeValidator, Field

from mailname.server.catalog_config import EVERY_ZONE, GRACE, CatalogConfig, CatalogGroup, CatalogRole, CatalogUpdate
from mailname.server.config_fields import STRICT, KeySets, NameField, NetworkField, PeerTable, peers_of
from mailname.server.update_file import RuleTable

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence

    from dns.name import Name

    from mailname.server.config_text import Contradiction


def _seconds(value: object) -> int:
    from mailname.plan.duration import read_seconds  # all of the plan comes with it: see config_text
    from mailname.plan.fault import WrongValueError

    try:
        return read_seconds(value)
    except WrongValueError as error:
        raise ValueError(f"{error.problem} {error.remedy}".rstrip(".")) from error


_Seconds = Annotated[int, BeforeValidator(_seconds)]


class CatalogGroupTable(BaseModel):
    """One ``[[catalog.group]]``."""

    model_config = STRICT
    name: str = Field(min_length=1, max_length=255)
    zones: tuple[NameField, ...] = ()
    primaries: tuple[PeerTable, ...] = Field((), alias="primary")
    secondaries: tuple[PeerTable, ...] = Field((), alias="secondary")
    allow_transfer: tuple[NetworkField, ...] = ()


def _relative(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        name = dns.name.from_text(value, None)
    except (dns.exception.DNSException, UnicodeError) as error:
        raise ValueError(f"{value} is not a name") from error
    if name.is_absolute():
        raise ValueError(f"{value} is a whole name: write it as it stands in each zone, such as _acme-challenge")
    return name


class CatalogUpdateTable(RuleTable):
    """One ``[[catalog.update]]``."""

    names: tuple[Annotated[dns.name.Name, BeforeValidator(_relative)], ...] = Field(min_length=1)
    zones: tuple[NameField, ...] = EVERY_ZONE

    def value(self, key_sets: KeySets) -> CatalogUpdate:
        """Return what the table means; a name of ``key_sets`` stands for the keys of its file."""
        return CatalogUpdate(key_sets.get(self.key, (self.key,)), self.names, frozenset(self.types), self.zones)


class CatalogTable(BaseModel):
    """One ``[[catalog]]``."""

    model_config = STRICT
    name: NameField
    role: CatalogRole
    primaries: tuple[PeerTable, ...] = Field((), alias="primary")
    secondaries: tuple[PeerTable, ...] = Field((), alias="secondary")
    allow_transfer: tuple[NetworkField, ...] = ()
    zones: tuple[NameField, ...] = EVERY_ZONE
    folder: Path | None = None
    groups: tuple[CatalogGroupTable, ...] = Field((), alias="group")
    grace: _Seconds = GRACE
    updates: tuple[CatalogUpdateTable, ...] = Field((), alias="update")

    def value(self, top: Path, key_sets: KeySets) -> CatalogConfig:
        """Return what the table means. ``top``: the folder to which paths are relative."""
        groups = tuple(
            CatalogGroup(
                one.name,
                one.zones,
                peers_of(one.primaries, "primary", key_sets, top),
                peers_of(one.secondaries, "secondary", key_sets, top),
                one.allow_transfer,
            )
            for one in self.groups
        )
        return CatalogConfig(
            self.name,
            self.role,
            peers_of(self.primaries, "primary", key_sets, top),
            peers_of(self.secondaries, "secondary", key_sets, top),
            self.allow_transfer,
            self.zones,
            Path(top, self.folder) if self.folder else None,
            groups,
            self.grace,
            tuple(one.value(key_sets) for one in self.updates),
        )


def contradictions(catalogs: Sequence[CatalogTable], zones: set[Name], keys: Container[Name] | None) -> Iterator[Contradiction]:
    """Yield (where, what is wrong, what to do) for what the types cannot say.

    Args:
        catalogs: the tables.
        zones: those that have a table of their own.
        keys: the names of all keys; None when a file of one cannot be read, so that nothing can be said about them.

    """
    seen: set[Name] = set()
    for number, catalog in enumerate(catalogs):
        at, name = ("catalog", number), catalog.name.to_text(omit_final_dot=True)
        if catalog.name in seen or catalog.name in zones:
            yield (*at, "name"), f"{name} is the name of another zone here", "Give the catalog a name of its own."
        seen.add(catalog.name)
        if catalog.role == "consumer" and not catalog.primaries:
            yield at, f"the catalog {name} comes from nowhere", "Add a [[catalog.primary]] with the address of its producer."
        if catalog.role == "producer" and catalog.primaries:
            yield (*at, "primary"), f"the catalog {name} is made here", 'Remove its primaries, or write: role = "consumer"'
        for key in catalog.model_fields_set & ({"zones", "folder"} if catalog.role == "consumer" else {"grace"}):
            yield (*at, key), f"'{key}' means nothing for a {catalog.role}", "Remove it."
        yield from _update_mistakes(at, catalog, keys)
        tables: list[tuple[tuple[str | int, ...], CatalogTable | CatalogGroupTable]] = [(at, catalog)]
        for index, group in enumerate(catalog.groups):
            place: tuple[str | int, ...] = (*at, "group", index)
            tables.append((place, group))
            if catalog.role == "producer" and not group.zones:
                yield place, f"no zone is in the group {group.name}", 'Say which: zones = ["*.example.org"]'
            if catalog.role == "producer" and group.model_fields_set - {"name", "zones"}:
                yield place, f"the group {group.name} has servers, which a producer has no use for", "Say there only: name, zones"
            if catalog.role == "consumer" and group.zones:
                yield (*place, "zones"), "which zones are in a group is the producer's to say", "Remove it."
        for place, table in tables:
            yield from _peer_mistakes(place, table, keys)


def _update_mistakes(at: tuple[str | int, ...], catalog: CatalogTable, keys: Container[Name] | None) -> Iterator[Contradiction]:
    if catalog.updates and catalog.folder is None:
        remedy = "Name one (folder), or write [[zone.update]] in the table of each zone; at a consumer, neither."
        yield (*at, "update"), "there is no folder whose zones could be updated", remedy
    for number, one in enumerate(catalog.updates):
        if keys is not None and one.key not in keys:
            missing = f"there is no key {one.key.to_text(omit_final_dot=True)}"
            yield (*at, "update", number, "key"), missing, "Add a [[key]] with the file that holds it."


def _peer_mistakes(
    place: tuple[str | int, ...], table: CatalogTable | CatalogGroupTable, keys: Container[Name] | None
) -> Iterator[Contradiction]:
    for kind, peers in (("primary", table.primaries), ("secondary", table.secondaries)):
        for index, peer in enumerate(peers):
            if mistake := peer.tls_mistake(kind):
                yield (*place, kind, index), *mistake
            for unknown in [one for one in peer.key if keys is not None and one not in keys]:
                missing = f"there is no key {unknown.to_text(omit_final_dot=True)}"
                yield (*place, kind, index, "key"), missing, "Add a [[key]] with the file that holds it."
