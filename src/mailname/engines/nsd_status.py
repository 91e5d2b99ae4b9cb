"""What NSD tells of itself, read: ``nsd-control zonestatus`` and ``stats_noreset``, its answers, and its log."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import dns.name

from mailname.engines.nsd_log import read_log
from mailname.engines.told_status import server_told
from mailname.engines.told_traffic import NEITHER, Traffic
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

_ZONE = re.compile(r"^zone:\s+(\S+)\n((?:[ \t]+.*\n?)*)", re.MULTILINE)
_FACT = re.compile(r'^\s+([\w-]+): "?(.*?)"?$', re.MULTILINE)
_SOA = re.compile(r"^(\S+)\s+\d+\s+IN\s+SOA\s+\S+\s+\S+\s+(\d+)\s", re.MULTILINE)
_COUNTS = {
    "num.queries": (("questions", ""),),
    "num.udp": (("transports", "udp"), ("families", "ipv4")),
    "num.udp6": (("transports", "udp"), ("families", "ipv6")),
    "num.tcp": (("transports", "tcp"), ("families", "ipv4")),
    "num.tcp6": (("transports", "tcp"), ("families", "ipv6")),
    "num.edns": (("edns", ""),),
}


def read_status(
    plan: Plan, server: NameServer, places: Places, files: Mapping[Name, Path], told: Mapping[str, Ran]
) -> dict[str, Any]:
    """Return ``mailname.status/1`` of the zones of which the files are given.

    Raises:
        HostError: ``nsd-control`` gets no answer.

    """
    about = told["server"]
    if about.code:
        raise HostError(
            f"nsd-control gets no answer: {about.last_words or f'exit code {about.code}'}",
            remedy="Look at it there: systemctl status nsd; journalctl -u nsd -n 30",
            step="engine",
        )
    log = told["log"]
    logs = read_log("" if log.code else _text(log), files)
    known_zones = {dns.name.from_text(name): dict(_FACT.findall(body)) for name, body in _ZONE.findall(_text(told["zones"]))}
    answered = {dns.name.from_text(name): int(serial) for name, serial in _SOA.findall(_text(told["serials"]))}
    found = []
    for zone, file in files.items():
        facts = known_zones.get(zone)
        if facts is None:
            continue
        log_of = logs[zone]
        log_of.expired = facts.get("state") == "expired"
        known: dict[str, Any] = {
            "role": "primary" if facts.get("state") == "master" else "secondary",
            "serial": None if log_of.expired else answered.get(zone),
            "file": str(file),
            "since": log_of.loaded_at or None,
        }
        _name_versions(log_of.fetched, known["serial"], log_of.loaded_at)
        found.append(tell(plan, server, places, zone, known, log_of))
    version = dict(re.findall(r"^(\w+): (.*)$", _text(about), re.MULTILINE)).get("version", "")
    return server_told("NSD", version, server.addresses, found)


def _text(ran: Ran) -> str:
    return ran.output.decode("utf-8", "replace")


def _name_versions(fetched: dict[str, dict[str, Any]], serial: int | None, loaded_at: str) -> None:
    """Say which version was sent: NSD logs none, but what was sent since the file was read last is what is served."""
    for address, one in list(fetched.items()):
        if serial is None or one["at"] < loaded_at:
            del fetched[address]
        else:
            one["serial_to"] = serial


def read_traffic(text: str) -> Traffic:
    """Return the counts since its start; NSD counts neither the DO bit nor what its limit of rates held back."""
    told = Traffic(not_counted=("do", "limited", *NEITHER))
    for what, number in re.findall(r"^([\w.]+)=(\d+)(?:\.\d+)?$", text, re.MULTILINE):
        for name, inner in _COUNTS.get(what, ()):
            told.add(name, inner, int(number))
        if what.startswith("num.type."):
            told.add("types", what.removeprefix("num.type."), int(number))
        if what.startswith("num.rcode."):
            told.add("rcodes", what.removeprefix("num.rcode."), int(number))
            told.add("answers", "", int(number))
        if what == "time.boot":
            told.since = (datetime.now(UTC) - timedelta(seconds=int(number))).isoformat(timespec="seconds").replace("+00:00", "Z")
    return told
