"""What can only be seen on the spot: a server's own status over its control socket, and the zone file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dns.name

from mailname.checks.facts import ControlFact, Record, ZoneFileFact
from mailname.errors import MailnameError

if TYPE_CHECKING:
    from dns.name import Name

    from mailname.zone import Zone

_SECRET = re.compile(r"secret|password|private|token|mac_key", re.IGNORECASE)


async def ask_status(server: Name, path: Path, domain: Name, *, timeout: float) -> ControlFact:
    """Ask one server what it holds of the domain; ``timeout`` in seconds."""
    from mailname.server.control import ask as ask_control

    try:
        status = await ask_control(path, {"do": "status"}, timeout=timeout)
    except MailnameError as error:
        return ControlFact(server, None, error.problem)
    except (OSError, EOFError) as error:
        return ControlFact(server, None, f"the control socket {path} does not answer: {error}")
    for zone in status.get("zones", ()):
        if dns.name.from_text(zone["zone"]) == domain:
            return ControlFact(server, without_secrets(zone))
    return ControlFact(server, None, f"the server at {path} does not have the zone {domain} in its configuration")


def without_secrets(status: dict[str, Any]) -> dict[str, Any]:
    """Return a status without any member that is called a secret. A server tells none; a fact shall never hold one."""
    return {key: _cleaned(value) for key, value in status.items() if not _SECRET.search(key)}


def _cleaned(value: object) -> object:
    if isinstance(value, dict):
        return without_secrets(value)
    return [_cleaned(one) for one in value] if isinstance(value, list) else value


def read_zone_file(text: str, file: str, domain: Name) -> ZoneFileFact:
    """Read the zone file as the server would."""
    from mailname.server.zonefiles import includer
    from mailname.zone.text import read_zone

    try:
        result = read_zone(text, file, domain, include=includer(Path(file).parent))
    except MailnameError as error:
        return ZoneFileFact(file, problem=str(error))
    return ZoneFileFact(file, records_of(result.zone))


def records_of(zone: Zone) -> tuple[Record, ...]:
    """Return a zone's records one by one."""
    return tuple(Record(rrset.owner, rrset.ttl, rdata) for rrset in zone.rrsets() for rdata in rrset.rdatas)
