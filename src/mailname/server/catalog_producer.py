"""A catalog that is made here: a zone file in the state folder, written anew when the list of zones changes (RFC 9432)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.name

from mailname.errors import HostError, ZoneError
from mailname.server.atomic import write_atomic
from mailname.server.catalog_member_file import SUFFIX as MEMBER
from mailname.server.catalog_member_file import member_file, with_properties
from mailname.server.context import log
from mailname.server.zonefiles import SUFFIX, apex_of, file_stem, read_image
from mailname.transfer.catalog import Member, by_zone, catalog_text, label_of, read_catalog
from mailname.wire.octets import octets
from mailname.zone import Serial
from mailname.zone.image_zone import ImageZone
from mailname.zone.load import Loader
from mailname.zone.serial import highest

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from dns.name import Name

    from mailname.server.catalog_config import CatalogConfig
    from mailname.server.config import ZoneConfig
    from mailname.server.store import Store

FOLDER = "catalogs"


def catalog_file(state: Path, apex: Name) -> Path:
    """Return where a catalog that is made here lies."""
    return state / FOLDER / f"{file_stem(apex)}{SUFFIX}"


def folder_zones(config: CatalogConfig) -> list[ZoneConfig]:
    """Return the primary zones of a producer's folder, which go to whom the catalog goes."""
    assert config.folder is not None  # the caller looked
    zones = []
    try:
        paths = sorted(config.folder.glob(f"*{SUFFIX}"))
    except OSError as error:
        log.error("cannot read the folder %s: %s", config.folder, error.strerror)
        return []
    if not paths and not config.folder.is_dir():
        log.error("there is no folder %s, from which the catalog %s is to be made", config.folder, config.name)
    for path in paths:
        try:
            apex = apex_of(path)
        except HostError as error:
            log.error("%s", error)
        else:
            zones.append(config.folder_zone(apex, path))
    return zones


def write_catalog(path: Path, config: CatalogConfig, zones: Iterable[ZoneConfig], store: Store, now: float) -> bool:
    """Write a catalog's zone file, unless it says already what it should.

    The serial is the time, or one above what was ever announced: so it rises even when the state folder was lost.

    Args:
        path: where.
        config: of the catalog.
        zones: all zones of this server, of which the catalog lists the primary ones that it is for.
        store: knows the serial that was announced.
        now: seconds since 1970.

    Returns:
        Whether it was written.

    Raises:
        HostError: it cannot be written, or what is told of a member cannot be read.
        ZoneError: what is told of a member cannot be used.

    """
    told = {} if config.folder is None else {path: path for path in config.folder.glob(f"*{MEMBER}")}
    members = []
    for zone in zones:
        if zone.role == "primary" and config.lists(zone.name):
            name = zone.name.canonicalize()
            member = Member(name, label_of(name), config.groups_of(name))
            beside = told.get(member_file(zone.file)) if zone.file is not None and told else None
            members.append(member if beside is None else with_properties(member, beside))
    held = _read(path, config.name)
    if held is not None and _members(held) == by_zone(members):
        return False
    announced = store.load_record(config.name).announced
    known = [Serial(announced)] if announced is not None else []
    top = highest([*known, held.serial] if held is not None else known)
    serial = Serial(int(now) % (1 << 32))
    if top is not None and not serial.is_newer_than(top):
        serial = top.plus(1)
    path.parent.mkdir(parents=True, exist_ok=True)
    header = f"; The catalog {config.name}, written by mailname serve. Change the configuration, not this file.\n"
    write_atomic(path, (header + catalog_text(config.name, serial, members)).encode())
    return True


def _read(path: Path, apex: Name) -> ImageZone | None:
    if not path.exists():
        return None
    try:
        return ImageZone(read_image(path, octets(apex), Loader()).image)
    except (HostError, ZoneError) as error:
        log.warning("%s; the catalog is written anew", error)
        return None


def _members(zone: ImageZone) -> dict[Name, Member] | None:
    try:
        return read_catalog(zone)
    except (ZoneError, dns.name.BadLabelType):
        return None
