"""HOST-04 and HOST-05: one time service that is in step, and the time zone of the plan. TSIG and certificates need the clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailname.host.step import judged, unknown

if TYPE_CHECKING:
    from mailname.host.facts import Facts
    from mailname.host.step import Result
    from mailname.plan.model import Hosts

MOST_OFF = 0.1  # seconds
_DAEMONS = {"chronyd": "chrony", "ntpd": "ntp"}  # two names of one unit


def judge_clock(facts: Facts) -> Result:
    """Judge whether exactly one service keeps the clock, and whether it is in step."""
    code = "HOST-04"
    said = facts.pairs("time")
    if "NTPSynchronized" not in said:
        return unknown(code, "timedatectl tells nothing.")
    services = ("chrony", "chronyd", "systemd-timesyncd", "ntp", "ntpsec", "openntpd", "ntpd")
    running = sorted({_DAEMONS.get(one, one) for one in services if said.get(one) == "active"})
    wrong, right = [], []
    if not running:
        wrong.append("no service keeps the clock right.")
    elif len(running) > 1:
        wrong.append(f"{len(running)} services set the clock, one against the other: {' and '.join(running)}.")
    else:
        right.append(f"{running[0]} runs.")
    off = _offset(facts) if running == ["chrony"] else None
    if running and off is None and said["NTPSynchronized"] != "yes":
        wrong.append("the clock is not in step with any server yet.")
    elif off is not None and abs(off) > MOST_OFF:
        wrong.append(f"the clock is {abs(off):.3f} seconds {'behind' if off > 0 else 'ahead'}.")
    elif off is not None:
        right.append(f"the clock is {abs(off) * 1000:.1f} ms off.")
    return judged(
        code, wrong, right, "Keep one of them, chrony for example, and let UDP 123 go out.", "mailname host prepare PLAN"
    )


def _offset(facts: Facts) -> float | None:
    """Return by how many seconds the clock is behind, as chrony sees it; None while it has no server."""
    fields = facts["chrony"].text.split(",")
    if facts["chrony"].code or len(fields) < 14 or fields[2] == "0" or fields[13] == "Not synchronised":
        return None
    return float(fields[4])


def judge_time_zone(facts: Facts, wanted: Hosts) -> Result:
    """Judge the time zone, and that what writes times into logs was started after it was set."""
    code = "HOST-05"
    lines = facts["zone"].lines
    if len(lines) < 2 or not lines[1].isdecimal():
        return unknown(code, "the host does not tell its time zone.")
    zone = lines[0].partition("/zoneinfo/")[2]
    wrong, right = [], []
    if _same(zone) == _same(wanted.time_zone):
        right.append(f"{wanted.time_zone}.")
    else:
        wrong.append(f"the time zone is {zone or lines[0]}, the plan says {wanted.time_zone}.")
    changed = int(lines[1])
    for block in facts["since"].text.split("\n\n"):
        said = dict(line.partition("=")[::2] for line in block.splitlines())
        since = said.get("ActiveEnterTimestamp", "").lstrip("@")
        if said.get("ActiveState") == "active" and since.isdecimal() and int(since) < changed:
            wrong.append(f"{said.get('Id', '')} still writes the old time: it was started before the zone was set.")
    return judged(code, wrong, right, "Set it, and restart what writes times.", "mailname host prepare PLAN")


def _same(zone: str) -> str:
    return "Etc/UTC" if zone in ("UTC", "Etc/UTC", "Etc/UCT", "UCT", "Zulu", "Etc/Zulu", "Universal", "Etc/Universal") else zone
