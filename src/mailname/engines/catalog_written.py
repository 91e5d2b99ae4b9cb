"""A catalog that is written as a plain zone (RFC 9432), for a primary whose program makes none by itself: BIND.

Its members are the zones of all plans on the host that have this catalog. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.name

from mailname.engines.several_plans import listed_by_others
from mailname.errors import ZoneError
from mailname.plan import expand_all
from mailname.transfer.catalog import Member, by_zone, catalog_text, label_of, read_catalog
from mailname.zone import Serial
from mailname.zone.image_zone import ImageZone
from mailname.zone.load import Loader

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dns.name import Name

    from mailname.plan import Plan

_HEAD = "; Written by mailname from the plans: change those, not this file.\n"


def members(plan: Plan, others: Iterable[str], *, without: bool = False) -> list[Member]:
    """Return what the plan's catalog lists.

    Args:
        plan: with a catalog.
        others: the files of other plans on the host.
        without: the plan itself goes.

    """
    assert plan.catalog is not None
    found = {
        zone.apex: Member(zone.apex, label_of(zone.apex), plan.catalog.groups, plan.catalog.gives_to)
        for zone in (() if without else expand_all(plan, Serial(0)))
    }
    for catalog, zones, groups, gives_to in listed_by_others(others):
        if catalog == plan.catalog.name:
            for zone in zones:
                found.setdefault(zone, Member(zone, label_of(zone), groups, gives_to))
    return list(found.values())


def written(catalog: Name, wanted: Iterable[Member], there: bytes | None, now: float) -> bytes | None:
    """Return the catalog's text where it has to be written; None where what is there lists the same.

    Args:
        catalog: its name.
        wanted: its members.
        there: what the file holds now.
        now: seconds since 1970: the serial, unless one as high was there.

    """
    every = list(wanted)
    held = _read(catalog, there) if there is not None else None
    serial = Serial(int(now) % (1 << 32))
    if held is not None:
        if _members(held) == by_zone(every):
            return None
        if not serial.is_newer_than(held.serial):
            serial = held.serial.plus(1)
    return (_HEAD + catalog_text(catalog, serial, every)).encode()


def _read(catalog: Name, octets: bytes) -> ImageZone | None:
    try:
        return ImageZone(Loader().load(octets, str(catalog), catalog).image)
    except (ZoneError, UnicodeDecodeError):
        return None


def _members(zone: ImageZone) -> dict[Name, Member] | None:
    try:
        return read_catalog(zone)
    except (ZoneError, dns.name.BadLabelType):
        return None
