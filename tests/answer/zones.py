"""The zones of tests/data/answers, as a server would hold them."""

from __future__ import annotations

from pathlib import Path

import dns.name
import dns.zone

from mailname.answer import Unserved, ZoneTable
from mailname.zone import Zone, ZoneBuilder

FOLDER = Path(__file__).parent.parent / "data" / "answers"


def zone_texts() -> dict[str, str]:
    """Return the text of each zone, by its name."""
    return {path.name.removesuffix("zone"): path.read_text() for path in sorted(FOLDER.glob("*.zone"))}


def zone_of(text: str, apex: str) -> Zone:
    """Build a zone from text; read by dnspython, so that our own reader's faults are not ours here."""
    origin = dns.name.from_text(apex)
    read = dns.zone.from_text(text, origin, relativize=False)
    builder = ZoneBuilder(origin)
    for owner, ttl, rdata in read.iterate_rdatas():
        builder.add(owner, ttl, rdata)
    return builder.build()


def the_table() -> ZoneTable:
    """Return the unsigned zones, and one that is ours but has expired: expired.example."""
    zones: dict[dns.name.Name, Zone | Unserved] = {
        dns.name.from_text(apex): zone_of(text, apex) for apex, text in zone_texts().items()
    }
    return ZoneTable(zones).with_zone(dns.name.from_text("expired.example."), Unserved("expired"))


def signed_zone_texts() -> dict[str, str]:
    """Return the text of each signed zone, by its name; all were made from tests/data/answers/signed/template.txt."""
    return {path.name.removesuffix("zone"): path.read_text() for path in sorted((FOLDER / "signed").glob("*.zone"))}


def signed_table() -> ZoneTable:
    """Return the signed zones."""
    return ZoneTable({dns.name.from_text(apex): zone_of(text, apex) for apex, text in signed_zone_texts().items()})
