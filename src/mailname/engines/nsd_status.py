"""What NSD tells of itself, read: ``nsd-control zonestatus`` and ``stats_noreset``, its answers, and its log."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import dns.name

from mailname.engines.nsd_log import read_log
from mailname.engines.told_status import server_told
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
    "num.queries": "queries",
    "num.udp": "udp",
    "num.udp6": "udp",
    "num.tcp": "tcp",
    "num.tcp6": "tcp",
    "num.rcode.NOERROR": "noerror",
    "num.rcode.SERVFAIL": "servfail",
    "num.rcode.NXDOMAIN": "nxdomain",
    "num.rcode.REFUSED": "refused",
    "num.raxfr": "transfers",
    "num.rixfr": "transfers",
    "num.dropped": "dropped",
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


def read_counters(text: str) -> dict[str, int]:
    """Return the counts since its start."""
    counts: dict[str, int] = {}
    for what, number in re.findall(r"^(num\.[\w.]+)=(\d+)$", text, re.MULTILINE):
        if (name := _COUNTS.get(what)) is not None:
            counts[name] = counts.get(name, 0) + int(number)
        if what.startswith("num.rcode."):
            counts["answered"] = counts.get("answered", 0) + int(number)
    return counts
