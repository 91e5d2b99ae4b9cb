"""Catalog zones: a list of zones that is itself a zone, and travels as one (RFC 9432). Read from a zone, written as zone text.

Known are the version, the members, and of a member the properties ``group`` and ``coo``; all else is passed over, as section 3 of
the RFC has it, custom properties (section 4.5) included.
"""

from __future__ import annotations

import hashlib
from base64 import b32hexencode
from dataclasses import dataclass
from typing import TYPE_CHECKING

import dns.name
from dns.rdatatype import RdataType

from mailname.errors import ZoneError
from mailname.wire.octets import octets

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dns.name import Name

    from mailname.zone import Serial
    from mailname.zone.image_zone import ImageZone

VERSION = b"\x012"  # the schema's, as a character-string (section 4.2.1)
_ZONES = b"\x05zones"
_COO = b"\x03coo"
_GROUP = b"\x05group"
_REMEDY = "The zones that came from its last good version stay; correct it on its primary."


@dataclass(frozen=True, slots=True)
class Member:
    """One zone of a catalog.

    Attributes:
        zone: its name.
        label: what tags it in the catalog, in lower case. Another one for the same zone means: forget what you hold of it.
        groups: the words that choose how a consumer treats it; in order.
        coo: the catalog that may take it over (change of ownership, section 4.4.1).

    """

    zone: Name
    label: bytes
    groups: tuple[str, ...] = ()
    coo: Name | None = None


def label_of(zone: Name) -> bytes:
    """Return the label that a zone has in every catalog of ours: it depends on the zone's name alone, so that it stays."""
    return b32hexencode(hashlib.sha256(octets(zone).lower()).digest()[:20]).lower()


def read_catalog(zone: ImageZone) -> dict[Name, Member]:
    """Return a catalog's members by their names.

    Raises:
        ZoneError: it is broken, and must not be followed (section 5.1); with the reason.

    """
    found = _Found.of(zone)
    if found.versions != [VERSION]:
        problem = "has no version" if not found.versions else "has several versions"
        if len(found.versions) == 1:
            problem = f"has the version {_text(found.versions[0])}, and only 2 is known"
        raise _broken(zone, f"{problem} (TXT at version.{zone.apex})")
    members: dict[Name, Member] = {}
    for label, targets in found.members.items():
        shown = label.decode("ascii", "backslashreplace")
        if len(targets) > 1:
            raise _broken(zone, f"has two PTR records at {shown}.zones: each label stands for one zone")
        member = dns.name.from_wire(targets[0], 0)[0].canonicalize()
        if member in members:
            other = members[member].label.decode("ascii", "backslashreplace")
            raise _broken(zone, f"lists {member} twice, at {other}.zones and at {shown}.zones")
        coo = found.coos.get(label, ())
        if len(coo) > 1:
            raise _broken(zone, f"has two PTR records at coo.{shown}.zones: a zone has one owner")
        groups = tuple(sorted(_text(one) for one in found.groups.get(label, ())))
        members[member] = Member(member, label, groups, dns.name.from_wire(coo[0], 0)[0].canonicalize() if coo else None)
    return members


@dataclass(frozen=True, slots=True)
class _Found:
    """The records of a catalog that mean something; members and their properties by the member's label."""

    versions: list[bytes]
    members: dict[bytes, list[bytes]]
    coos: dict[bytes, list[bytes]]
    groups: dict[bytes, list[bytes]]

    @classmethod
    def of(cls, zone: ImageZone) -> _Found:
        found = cls([], {}, {}, {})
        below = len(octets(zone.apex))
        for owner, rdtype, _, rdata in zone.wire_records():
            if rdtype not in (RdataType.PTR, RdataType.TXT):
                continue
            prefix = owner[:-below].lower()
            if prefix == b"\x07version" and rdtype == RdataType.TXT:
                found.versions.append(rdata)
            elif prefix.endswith(_ZONES):
                found._take(prefix[: -len(_ZONES)], rdtype, rdata)
        return found

    def _take(self, prefix: bytes, rdtype: int, rdata: bytes) -> None:
        """Take a record whose owner is ``prefix``.zones.CATALOG."""
        if _is_label(prefix):
            if rdtype == RdataType.PTR:
                self.members.setdefault(prefix[1:], []).append(rdata)
        elif prefix.startswith(_COO) and _is_label(prefix[len(_COO) :]):
            if rdtype == RdataType.PTR:
                self.coos.setdefault(prefix[len(_COO) + 1 :], []).append(rdata)
        elif prefix.startswith(_GROUP) and _is_label(prefix[len(_GROUP) :]) and rdtype == RdataType.TXT:
            self.groups.setdefault(prefix[len(_GROUP) + 1 :], []).append(rdata)


def _is_label(prefix: bytes) -> bool:
    return len(prefix) > 1 and len(prefix) == 1 + prefix[0]


def _text(rdata: bytes) -> str:
    """Return the text of a TXT record, its strings joined."""
    parts, at = [], 0
    while at < len(rdata):
        parts.append(rdata[at + 1 : at + 1 + rdata[at]])
        at += 1 + rdata[at]
    return b"".join(parts).decode("utf-8", "backslashreplace")


def _broken(zone: ImageZone, problem: str) -> ZoneError:
    return ZoneError(f"the catalog {zone.apex} {problem}", remedy=_REMEDY)


def catalog_text(apex: Name, serial: Serial, members: Iterable[Member]) -> str:
    """Return a catalog as zone text: SOA and NS as section 4.1 recommends, and what each member has."""
    lines = [
        f"$ORIGIN {apex.to_text()}",
        "$TTL 0",
        f"@ SOA invalid. invalid. {serial} 3600 600 2147483646 0",
        "@ NS invalid.",
        'version TXT "2"',
    ]
    for member in sorted(members, key=lambda one: one.label):
        at = f"{dns.name.Name([member.label]).to_text()}.zones"
        lines.append(f"{at} PTR {member.zone.to_text()}")
        lines += [f"group.{at} TXT {_quoted(group)}" for group in member.groups]
        if member.coo is not None:
            lines.append(f"coo.{at} PTR {member.coo.to_text()}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    shown = "".join(chr(octet) if 32 <= octet < 127 and octet not in b'"\\' else f"\\{octet:03}" for octet in text.encode())
    return f'"{shown}"'


def by_zone(members: Iterable[Member]) -> Mapping[Name, Member]:
    """Return members by their zones' names."""
    return {one.zone: one for one in members}
