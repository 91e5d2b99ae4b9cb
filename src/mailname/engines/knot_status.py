"""What Knot tells of itself, read: ``knotc zone-status``, ``knotc zone-stats``, and its log."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import dns.name

from mailname.engines.knot_log import read_log
from mailname.engines.told_status import server_told
from mailname.engines.told_traffic import Traffic
from mailname.engines.zone_log import tell
from mailname.errors import HostError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dns.name import Name

    from mailname.engines.engine import Places
    from mailname.plan import Plan
    from mailname.plan.model import NameServer
    from mailname.server.program import Ran

_ZONE = re.compile(r"^\[(\S+)\] (.*)$", re.MULTILINE)
_LASTS = re.compile(r"([+-])(?:(\d+)D)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_COUNT = re.compile(r"\[\S+\] ([\w-]+\.[\w-]+)(?:\[([\w-]+)\])? = (\d+)$", re.MULTILINE)
_ROLES = {"master": "primary", "slave": "secondary"}


def read_status(
    plan: Plan, server: NameServer, places: Places, files: Mapping[Name, Path], told: Mapping[str, Ran]
) -> dict[str, Any]:
    """Return ``mailname.status/1`` of the zones of which the files are given.

    Raises:
        HostError: ``knotc`` gets no answer.

    """
    about = told["server"]
    if about.code:
        raise HostError(
            f"knotc gets no answer: {about.last_words or f'exit code {about.code}'}",
            remedy="Look at it there: systemctl status knot; journalctl -u knot -n 30",
            step="engine",
        )
    now = _clock(told["clock"])
    log = told["log"]
    logs = read_log("" if log.code else log.output.decode("utf-8", "replace"), files)
    served = {dns.name.from_text(name): _facts(rest) for name, rest in _ZONE.findall(_text(told["zones"]))}
    found = []
    for zone, file in files.items():
        facts = served.get(zone)
        if facts is None:
            continue
        serial = facts.get("serial", "")
        known: dict[str, Any] = {
            "role": _ROLES.get(facts.get("role", ""), server.role),
            "serial": int(serial) if serial.isdecimal() else None,
            "file": str(file),
            "since": logs[zone].loaded_at or None,
        }
        if server.role == "secondary":
            known |= {"refresh_at": _at(facts.get("refresh", ""), now), "expires_at": _at(facts.get("expiration", ""), now)}
        found.append(tell(plan, server, places, zone, known, logs[zone]))
    version = _text(about).rpartition(":")[2].strip()
    return server_told("Knot", version, server.addresses, found)


def _text(ran: Ran) -> str:
    return ran.output.decode("utf-8", "replace")


def _facts(text: str) -> dict[str, str]:
    """Return what stands between the bars: ``role: slave | serial: 5 | refresh: +3h59m58s``."""
    return {name.strip(): value.strip() for name, _, value in (part.partition(":") for part in text.split("|"))}


def _clock(ran: Ran) -> datetime | None:
    text = _text(ran).strip()
    return datetime.fromtimestamp(int(text), UTC) if text.isdecimal() else None


def _at(lasts: str, now: datetime | None) -> str | None:
    """Return a time that Knot writes as how long it is until then."""
    found = _LASTS.fullmatch(lasts)
    if found is None or now is None:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups()[1:])
    distance = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    at = now + distance if found[1] == "+" else now - distance
    return at.isoformat().replace("+00:00", "Z")


def read_traffic(text: str, started: str) -> Traffic:
    """Return the counts of all zones together. Knot begins them anew when its configuration changes, and does not tell when.

    Args:
        text: what ``knotc zone-stats`` prints.
        started: when its process was started, in seconds since 1970.

    """
    told = Traffic()
    if started.strip().isdecimal():
        told.since = datetime.fromtimestamp(int(started), UTC).isoformat().replace("+00:00", "Z")
    for what, item, number in _COUNT.findall(text):
        for name, inner in _names(what, item):
            told.add(name, inner, int(number))
    return told


def _names(what: str, item: str) -> tuple[tuple[str, str], ...]:
    if what == "mod-stats.request-protocol":
        return (("questions", ""), ("transports", item[:3]), ("families", f"ipv{item[3:4]}"))
    if what == "mod-stats.response-code":
        return (("answers", ""), ("rcodes", item))
    if what == "mod-stats.query-type":
        return (("types", item),)
    if (what, item) == ("mod-stats.edns-presence", "request"):
        return (("edns", ""),)
    if (what, item) == ("mod-stats.flag-presence", "DO"):
        return (("do", ""),)
    return (("limited", ""),) if what in ("mod-rrl.dropped", "mod-rrl.slipped") else ()
