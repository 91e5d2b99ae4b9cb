"""What BIND tells of itself, read: ``rndc status``, ``rndc zonestatus``, its log and its statistics file."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from mailname.engines.bind_log import read_log
from mailname.engines.told_status import server_told
from mailname.engines.told_traffic import NEITHER, Traffic
from mailname.engines.zone_log import tell
from mailname.errors import HostError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dns.name import Name

    from mailname.engines.engine import Places
    from mailname.engines.zone_log import ZoneLog
    from mailname.plan import Plan
    from mailname.plan.model import NameServer
    from mailname.server.program import Ran

# A line of "Name Server Statistics": the count's name, and the name within it.
_COUNTS = {
    "IPv4 requests received": ("families", "ipv4"),
    "IPv6 requests received": ("families", "ipv6"),
    "UDP queries received": ("transports", "udp"),
    "TCP queries received": ("transports", "tcp"),
    "requests with EDNS(0) received": ("edns", ""),
    "responses sent": ("answers", ""),
    "responses dropped for rate limits": ("limited", ""),
    "responses truncated for rate limits": ("limited", ""),
}
_SECTIONS = {"Incoming Queries": "types", "Outgoing Rcodes": "rcodes"}


def read_status(
    plan: Plan, server: NameServer, places: Places, files: Mapping[Name, Path], told: Mapping[str, Ran]
) -> dict[str, Any]:
    """Return BIND's status in the form of ours, of the zones of which the files are given.

    Raises:
        HostError: ``rndc`` gets no answer.

    """
    about = told["server"]
    if about.code:
        raise HostError(
            f"rndc gets no answer: {about.last_words or f'exit code {about.code}'}",
            remedy="Look at it there: systemctl status named; journalctl -u named -n 30",
            step="engine",
        )
    facts = _facts(about)
    log = told["log"]
    logs = read_log("" if log.code else log.output.decode("utf-8", "replace"), files)
    found = []
    for zone in files:
        ran = told[f"zone {zone.to_text()}"]
        if ran.code and "no matching zone" in ran.complaint.decode("utf-8", "replace"):
            continue
        found.append(_zone(plan, server, places, zone, files[zone], _facts(ran) if not ran.code else {}, logs[zone]))
    version = facts.get("version", "").removeprefix("BIND ").partition(" (")[0].partition("-")[0]
    return server_told("BIND", version, server.addresses, found, since=_iso(facts.get("boot time", "")))


def _zone(
    plan: Plan, server: NameServer, places: Places, zone: Name, zone_file: Path, facts: Mapping[str, str], log: ZoneLog
) -> dict[str, Any]:
    known: dict[str, Any] = {
        "role": facts.get("type", server.role),
        "serial": int(facts["serial"]) if facts.get("serial", "").isdecimal() else None,
        "file": str(zone_file),
        "since": _iso(facts.get("last loaded", "")),
    }
    if server.role == "secondary":
        known |= {"refresh_at": _iso(facts.get("next refresh", "")), "expires_at": _iso(facts.get("expires", ""))}
    return tell(plan, server, places, zone, known, log)


def _facts(ran: Ran) -> dict[str, str]:
    """Return the ``name: value`` lines of rndc."""
    lines = ran.output.decode("utf-8", "replace").splitlines()
    return {name.strip(): value.strip() for name, colon, value in (line.partition(":") for line in lines) if colon}


def _iso(text: str) -> str | None:
    """Return a time that rndc writes as mail does, in ISO 8601."""
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found.astimezone(UTC).isoformat().replace("+00:00", "Z") if found > datetime.fromtimestamp(0, UTC) else None


def read_traffic(statistics: str, status: str) -> Traffic:
    """Return the counts of the last dump in a statistics file; BIND does not tell how many questions had the DO bit."""
    last = statistics.rpartition("+++ Statistics Dump +++")[2]
    told = Traffic(since=_iso(_fact(status, "boot time")), not_counted=("do", *NEITHER))
    for title, section in re.findall(r"^\+\+ (.+?) \+\+\n((?: .*\n)*)", last, re.MULTILINE):
        for number, what in re.findall(r"^ +(\d+) (.+)$", section, re.MULTILINE):
            if (name := _SECTIONS.get(title)) is not None:
                told.add(name, what, int(number))
            elif title == "Name Server Statistics" and what in _COUNTS:
                told.add(*_COUNTS[what], int(number))
    told.questions = sum(told.families.values())
    return told


def _fact(text: str, wanted: str) -> str:
    return next((value.strip() for name, _, value in (line.partition(":") for line in text.splitlines()) if name == wanted), "")
