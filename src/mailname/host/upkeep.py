"""HOST-10 and HOST-11: room on the disk, and security upgrades that nobody has to think of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mailname.host.facts import whole_number
from mailname.host.step import judged, unknown

if TYPE_CHECKING:
    from mailname.host.facts import Facts
    from mailname.host.step import Result

LEAST_ROOM = 1 << 30  # octets
LEAST_SHARE = 0.05
_PERIODIC = re.compile(r'APT::Periodic::([\w-]+) "([^"]*)";')
_TIMERS = 2


def judge_disk(facts: Facts) -> Result:
    """Judge the room that is left where zones, journals and mail are kept."""
    code = "HOST-10"
    wrong, right = list[str](), list[str]()
    for line in facts["disk"].lines[1:]:
        fields = line.split()
        if len(fields) < 6 or (total := whole_number(fields[1])) is None or (free := whole_number(fields[3])) is None:
            continue
        place = fields[5]
        said = f"{place} has {free / 2**30:.1f} GiB left of {total / 2**30:.1f}."
        (wrong if free < LEAST_ROOM or free < LEAST_SHARE * total else right).append(said)
    if not wrong and not right:
        return unknown(code, "'df' does not tell.")
    return judged(
        code, sorted(set(wrong)), sorted(set(right)), "Make room.", "sudo apt-get clean; sudo journalctl --vacuum-size=200M"
    )


def judge_upgrades(facts: Facts) -> Result:
    """Judge whether unattended-upgrades is installed and switched on."""
    code, said = "HOST-11", dict(_PERIODIC.findall(facts["upgrades"].text))
    if facts["upgrades"].code == 127:
        return unknown(code, "this system has no apt.")
    off = ("", "0")
    wrong = []
    if "package installed" not in facts["upgrades"].lines:
        wrong.append("unattended-upgrades is not installed.")
    if said.get("Enable") == "0" or any(said.get(key, "") in off for key in ("Unattended-Upgrade", "Update-Package-Lists")):
        wrong.append("apt does not look for upgrades by itself (APT::Periodic).")
    if facts["upgrades"].lines.count("timer enabled") < _TIMERS:
        wrong.append("a timer is off: apt-daily or apt-daily-upgrade.")
    return judged(
        code,
        wrong,
        [] if wrong else ["security upgrades install themselves each day."],
        "Install unattended-upgrades and switch it on.",
        "mailname host prepare PLAN",
    )
