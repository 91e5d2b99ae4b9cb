"""Which versions of a zone were published: by whom, when, from which command, what changed, and what a version was.

It lies in a hidden file beside the zone file, so that whoever publishes next, from another machine, finds it. Pure: octets in,
octets out.
"""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dns.rdatatype import RdataType

from mailname.zone.diff import diff
from mailname.zone.text import read_zone, write_zone

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dns.name import Name

    from mailname.zone import RRset, Zone

MOST = 100  # versions of a zone
MOST_OCTETS = 1 << 20  # of the texts that are kept, packed; the newest version's is always
MOST_LINES = 200  # of one difference
_LONGEST = 300  # characters of a name of a user, a host, a command
_MOST_UNPACKED = 1 << 26
_SCHEMA = "mailname.published/1"


@dataclass(frozen=True, slots=True)
class By:
    """Who publishes."""

    user: str = ""
    host: str = ""
    command: str = ""


@dataclass(frozen=True, slots=True)
class Published:
    """One version.

    Attributes:
        serial: its serial.
        at: when it was published, in seconds since 1970; of a version that came by another way: when it was found.
        by: who published it; nobody known, where it came by another way.
        before: the serial of the version that it replaced; None for the first.
        changes: the difference, a line for each record; "+" came, "-" went.
        packed: the version's text, packed; empty where there was no more room for it.

    """

    serial: int
    at: float
    by: By = By()
    before: int | None = None
    changes: tuple[str, ...] = ()
    packed: str = ""

    @property
    def can_be_restored(self) -> bool:
        """Whether its text is kept."""
        return bool(self.packed)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values, without its text."""
        return {
            "serial": self.serial,
            "at": datetime.fromtimestamp(self.at, UTC).isoformat(timespec="seconds"),
            "user": self.by.user or None,
            "host": self.by.host or None,
            "command": self.by.command or None,
            "before": self.before,
            "changes": list(self.changes),
            "can_be_restored": self.can_be_restored,
        }

    def zone(self, apex: Name) -> Zone:
        """Return the version. Raises ValueError where it is not kept, or cannot be read any more."""
        unpack = zlib.decompressobj()
        try:
            text = unpack.decompress(base64.b64decode(self.packed, validate=True), _MOST_UNPACKED).decode()
        except zlib.error as error:
            raise ValueError(f"what is kept of serial {self.serial} is damaged") from error
        return read_zone(text, f"serial {self.serial}", apex).zone


def beside(zone_file: Path) -> Path:
    """Return where the versions of a zone file are kept; a name that no server takes for a zone file."""
    return zone_file.with_name(f".{zone_file.name}.published")


def version(new: Zone, old: Zone | None, at: float, by: By) -> Published:
    """Describe a version that replaces another."""
    lines = difference(old, new)
    if len(lines) > MOST_LINES:
        lines = (*lines[: MOST_LINES - 1], f"... and {len(lines) - MOST_LINES + 1:,} more")
    by = By(*(one[:_LONGEST] for one in (by.user, by.host, by.command)))
    packed = base64.b64encode(zlib.compress(write_zone(new).encode())).decode()
    return Published(new.serial.value, at, by, old.serial.value if old else None, lines, packed)


def difference(old: Zone | None, new: Zone) -> tuple[str, ...]:
    """Return what came and what went, a line for each record; the serial alone is no difference."""
    lines = []
    for change in diff(old, new):
        gone, come = _records(change.old), _records(change.new)
        if change.rdtype == RdataType.SOA and {_without_serial(one) for one in gone} == {_without_serial(one) for one in come}:
            continue
        lines += [f"- {one}" for one in gone if one not in come]
        lines += [f"+ {one}" for one in come if one not in gone]
    return tuple(lines)


def _records(rrset: RRset | None) -> list[str]:
    return (
        []
        if rrset is None
        else [
            f"{rrset.owner.to_text()} {rrset.ttl} {RdataType.to_text(rrset.rdtype)} {rdata.to_text()}" for rdata in rrset.rdatas
        ]
    )


def _without_serial(line: str) -> str:
    words = line.split(" ")
    return " ".join((*words[:5], *words[6:]))


def added(kept: Sequence[Published], new: Published, old: Zone | None) -> tuple[Published, ...]:
    """Return what is kept once a version came; one that it replaced and that nobody had told of is noted as well."""
    found = list(kept)
    if old is not None and (not found or found[-1].serial != old.serial.value):
        before = found[-1].zone(old.apex) if found and found[-1].can_be_restored else None
        found.append(version(old, before, new.at, By()))
    return bounded((*found, new))


def bounded(those: Sequence[Published]) -> tuple[Published, ...]:
    """Keep the newest versions, and of those the newest texts that there is room for."""
    kept: list[Published] = []
    room = MOST_OCTETS
    for number, one in enumerate(reversed(those[-MOST:])):
        room -= len(one.packed)
        kept.append(one if room >= 0 or not number else replace(one, packed=""))
    return tuple(reversed(kept))


def written(those: Sequence[Published]) -> bytes:
    """Return the file's octets."""
    return json.dumps({"schema": _SCHEMA, "versions": [asdict(one) for one in those]}, separators=(",", ":")).encode() + b"\n"


def read(octets: bytes | None) -> tuple[Published, ...]:
    """Read the file, the oldest version first; none where there is none. Raises ValueError where it is no such file."""
    if octets is None:
        return ()
    try:
        found = json.loads(octets)
        if found["schema"] != _SCHEMA:
            raise ValueError("it is of another version of mailname")
        return tuple(
            Published(
                int(one["serial"]),
                float(one["at"]),
                By(**{name: str(text) for name, text in one["by"].items()}),
                int(one["before"]) if one["before"] is not None else None,
                tuple(map(str, one["changes"])),
                str(one["packed"]),
            )
            for one in found["versions"]
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("it is none") from error
