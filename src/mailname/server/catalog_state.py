"""What is remembered of catalogs in the state folder: whose zones are served, and whose copies are still kept.

A catalog's own copy cannot tell: it may have become broken since, and it never says what was removed. One file of JSON, replaced
whole and written before anything of it is done: killed at any instant, the next start goes on from there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import dns.exception
import dns.name

from mailname.errors import HostError
from mailname.server.atomic import write_atomic
from mailname.transfer.catalog import Member
from mailname.transfer.catalog_members import Memberships

if TYPE_CHECKING:
    from pathlib import Path

    from dns.name import Name

FILE = "catalog-members.json"
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Left:
    """A zone that was removed from a catalog.

    Attributes:
        catalog, label: from where; the same zone that comes back with the same label goes on with its copy.
        until: seconds since 1970 when its copy is deleted.

    """

    catalog: Name
    label: bytes
    until: float


@dataclass(slots=True)
class CatalogState:
    """All that is remembered.

    Attributes:
        memberships: the zones that are served because a catalog lists them.
        left: those that were removed, while their copies are kept.
        to_forget: those whose copies are to be deleted before they are served again.

    """

    memberships: Memberships = field(default_factory=Memberships)
    left: dict[Name, Left] = field(default_factory=dict)
    to_forget: set[Name] = field(default_factory=set)


def load_state(folder: Path) -> CatalogState:
    """Read what is remembered; nothing where there is no file.

    Raises:
        HostError: there is a file, and it cannot be used.

    """
    path = folder / FILE
    try:
        return _state_of(json.loads(path.read_bytes()))
    except FileNotFoundError:
        return CatalogState()
    except (OSError, ValueError, KeyError, TypeError, AttributeError, dns.exception.DNSException) as error:
        problem = f"cannot use {path}: {error}"
        raise HostError(problem, remedy="The catalogs' own copies say who the members are.", step="state") from error


def save_state(folder: Path, octets: bytes) -> None:
    """Write down what ``as_octets`` has made; returns when it is on the disk. Raises HostError when it cannot be."""
    write_atomic(folder / FILE, octets)


def as_octets(state: CatalogState) -> bytes:
    """Return what is remembered as it is written down."""
    members = {
        catalog.to_text(): [
            [one.zone.to_text(), one.label.decode("latin-1"), list(one.groups), one.coo.to_text() if one.coo else None]
            for one in held.values()
        ]
        for catalog, held in state.memberships.held.items()
    }
    left = [[zone.to_text(), one.catalog.to_text(), one.label.decode("latin-1"), one.until] for zone, one in state.left.items()]
    forget = [zone.to_text() for zone in state.to_forget]
    return json.dumps({"version": _VERSION, "members": members, "left": left, "to_forget": forget}).encode()


def _state_of(raw: dict[str, Any]) -> CatalogState:
    if raw["version"] != _VERSION:
        raise ValueError(f"its version is {raw['version']}, not {_VERSION}")
    state = CatalogState()
    for catalog, members in raw["members"].items():
        for zone, label, groups, coo in members:
            member = Member(_name(zone), _octets(label), tuple(map(str, groups)), _name(coo) if coo is not None else None)
            state.memberships.take(_name(catalog), member)
    for zone, catalog, label, until in raw["left"]:
        state.left[_name(zone)] = Left(_name(catalog), _octets(label), float(until))
    state.to_forget = {_name(zone) for zone in raw["to_forget"]}
    return state


def _name(text: str) -> Name:
    return dns.name.from_text(text)


def _octets(text: str) -> bytes:
    return text.encode("latin-1")
