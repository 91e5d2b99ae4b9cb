"""What dynamic updates have changed in a zone whose file says otherwise: remembered, so that a new file does not undo it.

For each name and type that was updated stands here what the file had. A new version of the file that has the same there leaves
the update in place; one that says something else is obeyed. Written down before the update is carried out.
"""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import dns.exception
import dns.name
import dns.rdatatype

from mailname.errors import ZoneError
from mailname.server.atomic import write_atomic
from mailname.server.context import log
from mailname.wire.octets import octets
from mailname.zone.image_merge import Changes, merged
from mailname.zone.image_zone import ImageZone

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from dns.name import Name
    from dns.rdatatype import RdataType

    from mailname.zone import Zone

    Place = tuple[Name, RdataType]

_VERSION = 1
_SHOWN = 200  # records that the status tells at most


class UpdatedNames:
    """The names that updates have changed in one zone. Its methods may read and write files: they are for threads."""

    def __init__(self, path: Path | None) -> None:
        """Begin with none. ``path``: where they are remembered; None remembers them as long as the process lives."""
        self._path = path
        self._before: dict[Place, tuple[str, ...]] = {}
        self._changing = threading.Lock()

    def __bool__(self) -> bool:
        return bool(self._before)

    def load(self) -> None:
        """Read what is remembered; what cannot be read is told, and updates are then undone by the next version of the file."""
        if self._path is None:
            return
        try:
            self._before = _read(json.loads(self._path.read_bytes()))
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError, dns.exception.DNSException) as error:
            log.error("cannot use %s: %s", self._path, error)

    def note(self, zone: Zone, places: Iterable[Place]) -> None:
        """Remember that these names may be changed, from what they are now. Raises HostError when the disk does not take it."""
        with self._changing:
            new = {place: _texts(zone, place) for place in places if place not in self._before}
            if new:
                self._save(self._before | new)

    def _save(self, before: dict[Place, tuple[str, ...]]) -> None:
        if self._path is not None:
            names = [[owner.to_text(), dns.rdatatype.to_text(kind), list(rdatas)] for (owner, kind), rdatas in before.items()]
            write_atomic(self._path, json.dumps({"version": _VERSION, "names": names}, indent=1).encode())
        self._before = before

    def onto(self, loaded: ImageZone, served: Zone) -> ImageZone:
        """Return a version of the file with the updates of the version that is served, as far as the file does not say otherwise.

        Raises:
            HostError: the disk does not take what is remembered.

        """
        with self._changing:
            kept: dict[Place, tuple[str, ...]] = {}
            changed = loaded
            for place, before in self._before.items():
                if _texts(loaded, place) != before or _texts(served, place) == before:
                    continue  # the file says otherwise now; or there is nothing to be kept
                try:
                    changed = _with(changed, served, place)
                except ZoneError as error:
                    log.warning("zone %s: an update is not kept: %s", loaded.apex, error)
                else:
                    kept[place] = before
            if kept != self._before:
                self._save(kept)
            return changed

    def told(self, zone: Zone) -> list[str]:
        """Return what updates have changed, for people: records that are there, and names that have none left."""
        lines: list[str] = []
        for (owner, kind), before in self._before.items():
            rrset = zone.rrset(owner, kind)
            if _texts(zone, (owner, kind)) == before:
                continue
            shown = f"{owner} {dns.rdatatype.to_text(kind)}"
            lines += [f"{shown} {rdata}" for rdata in rrset.rdatas] if rrset is not None else [f"{shown} (deleted)"]
        return lines[:_SHOWN]


def _read(raw: dict[str, Any]) -> dict[Place, tuple[str, ...]]:
    if raw["version"] != _VERSION:
        raise ValueError(f"its version is {raw['version']}, not {_VERSION}")
    return {
        (dns.name.from_text(owner), dns.rdatatype.from_text(kind)): tuple(map(str, rdatas))
        for owner, kind, rdatas in raw["names"]
    }


def _texts(zone: Zone, place: Place) -> tuple[str, ...]:
    rrset = zone.rrset(*place)
    return tuple(sorted(rdata.to_text() for rdata in rrset.rdatas)) if rrset is not None else ()


def _with(zone: ImageZone, served: Zone, place: Place) -> ImageZone:
    """Return a zone in which one RRset is as in another."""
    owner, kind = place
    changes = Changes(octets(zone.apex))
    wire = octets(owner)
    if (old := zone.rrset(owner, kind)) is not None:
        for rdata in old.rdatas:
            changes.remove(wire, kind, octets(rdata))
    if (new := served.rrset(owner, kind)) is not None:
        for rdata in new.rdatas:
            changes.add(wire, new.ttl, kind, octets(rdata))
    return ImageZone(merged(zone.image, changes))
