"""HOST-04 and HOST-05: one time service that is in step, and the time zone of the plan. TSIG and certificates need the clock."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from mailname.host.facts import whole_number
from mailname.host.step import judged, unknown

if TYPE_CHECKING:
    from mailname.host.facts import Facts
    from mailname.host.step import Result
    from mailname.plan.model import Hosts

MOST_OFF = 0.1  # seconds
_OWN_CLOCK = "7F7F0101"  # chrony's reference where it follows the host's own clock (local stratum)
_OFFSET = re.compile(r"^\s*Offset: ([+-]?)(.+)$", re.MULTILINE)
_SPAN = re.compile(r"([\d.]+)(us|ms|s|min|h|d)")
_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


def judge_clock(facts: Facts) -> Result:
    """Judge whether exactly one service keeps the clock, and whether it is in step."""
    code = "HOST-04"
    said = facts.pairs("time")
    if "NTPSynchronized" not in said:
        return unknown(code, "timedatectl tells nothing.")
    running = time_services(facts)
    wrong, right = [], []
    fix = "Keep one of them, chrony for example, and let UDP 123 go out."
    if not running:
        wrong.append("no service keeps the clock right.")
        fix = "Install one, chrony for example, and let UDP 123 go out."
    elif len(running) > 1:
        wrong.append(f"{len(running)} services set the clock, one against the other: {' and '.join(running)}.")
    else:
        right.append(f"{running[0]} runs.")
        fix = "Let UDP 123 go out, and see which servers it asks."
    off = _chrony(facts) if "chrony" in running else _timesync(facts) if "systemd-timesyncd" in running else None
    if off is not None and abs(off) > MOST_OFF:
        wrong.append(f"the clock is {abs(off):.3f} seconds {'behind' if off > 0 else 'ahead'}.")
    elif off is not None:
        right.append(f"the clock is {abs(off) * 1000:.1f} ms off.")
    elif "chrony" in running:
        wrong.append("chrony has no server that it follows yet: the clock is not in step with anything.")
    elif running and said["NTPSynchronized"] != "yes":
        wrong.append("the clock is not in step with any server yet.")
    return judged(code, wrong, right, fix, "mailname host prepare PLAN" if len(running) != 1 else _ASK.get(running[0], ""))


_ASK = {"chrony": "chronyc sources", "systemd-timesyncd": "timedatectl timesync-status"}


def time_services(facts: Facts) -> list[str]:
    """Return the time services that run, each once: a unit may have several names."""
    found = set()
    for block in facts["time-services"].text.split("\n\n"):
        said = dict(line.partition("=")[::2] for line in block.split("\n"))
        if said.get("ActiveState") == "active":
            found.add(said.get("Id", "").removesuffix(".service"))
    return sorted(found - {""})


def _chrony(facts: Facts) -> float | None:
    """Return by how many seconds the clock is behind, as chrony sees it; None while it follows no server."""
    fields = facts["chrony"].text.split(",")
    if (
        facts["chrony"].code
        or len(fields) < 14
        or fields[2] == "0"
        or fields[13] == "Not synchronised"
        or fields[0] == _OWN_CLOCK
    ):
        return None
    try:
        off = float(fields[4])
    except ValueError:
        return None
    return off if math.isfinite(off) else None


def _timesync(facts: Facts) -> float | None:
    """Return the same as systemd-timesyncd sees it: ``Offset: -1.391ms``."""
    found = _OFFSET.search(facts["timesync"].text)
    spans = _SPAN.findall(found[2]) if found else []
    try:
        seconds = sum(float(number) * _SECONDS[unit] for number, unit in spans)
    except ValueError:
        return None
    return (-seconds if found and found[1] == "-" else seconds) if spans and math.isfinite(seconds) else None


def judge_time_zone(facts: Facts, wanted: Hosts) -> Result:
    """Judge the time zone, and that what writes times into logs was started after it was set."""
    code = "HOST-05"
    lines = facts["zone"].lines
    changed = whole_number(lines[1]) if len(lines) > 1 else None
    if changed is None:
        return unknown(code, "the host does not tell its time zone.")
    zone = lines[0].partition("/zoneinfo/")[2]
    wrong, right = [], []
    if _same(zone) == _same(wanted.time_zone):
        right.append(f"{wanted.time_zone}.")
    else:
        wrong.append(f"the time zone is {zone or lines[0]}, the plan says {wanted.time_zone}.")
    for block in facts["since"].text.split("\n\n"):
        said = dict(line.partition("=")[::2] for line in block.split("\n"))
        since = whole_number(said.get("ActiveEnterTimestamp", "").lstrip("@"))
        if said.get("ActiveState") == "active" and since is not None and since < changed:
            wrong.append(f"{said.get('Id', '')} still writes the old time: it was started before the zone was set.")
    return judged(code, wrong, right, "Set it, and restart what writes times.", "mailname host prepare PLAN")


def _same(zone: str) -> str:
    return "Etc/UTC" if zone in ("UTC", "Etc/UTC", "Etc/UCT", "UCT", "Zulu", "Etc/Zulu", "Universal", "Etc/Universal") else zone
