"""HOST-10 and HOST-11: room on the disk, and security upgrades that nobody has to think of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailname.host.step import judged, unknown

if TYPE_CHECKING:
    from mailname.host.facts import Facts
    from mailname.host.step import Result

LEAST_ROOM = 1 << 30  # octets
LEAST_SHARE = 0.05


def judge_disk(facts: Facts) -> Result:
    """Judge the room that is left where zones, journals and mail are kept."""
    code = "HOST-10"
    wrong, right = list[str](), list[str]()
    for line in facts["disk"].lines[1:]:
        fields = line.split()
        if len(fields) < 6 or not (fields[1].isdecimal() and fields[3].isdecimal()):
            continue
        total, free, place = int(fields[1]), int(fields[3]), fields[5]
        said = f"{place} has {free / 2**30:.1f} GiB left of {total / 2**30:.1f}."
        (wrong if free < LEAST_ROOM or free < LEAST_SHARE * total else right).append(said)
    if not wrong and not right:
        return unknown(code, "'df' does not tell.")
    return judged(
        code, sorted(set(wrong)), sorted(set(right)), "Make room.", "sudo apt-get clean; sudo journalctl --vacuum-size=200M"
    )


def judge_upgrades(facts: Facts) -> Result:
    """Judge whether unattended-upgrades is installed and switched on."""
    code, text = "HOST-11", facts["upgrades"].text
    if facts["upgrades"].code == 127:
        return unknown(code, "this system has no apt.")
    wrong = []
    if "no packages found" in text:
        wrong.append("unattended-upgrades is not installed.")
    if 'APT::Periodic::Unattended-Upgrade "1"' not in text or 'APT::Periodic::Update-Package-Lists "1"' not in text:
        wrong.append("apt does not look for upgrades by itself (APT::Periodic).")
    if "enabled" not in text.split():
        wrong.append("the timer apt-daily-upgrade is off.")
    return judged(
        code,
        wrong,
        [] if wrong else ["security upgrades install themselves each day."],
        "Install unattended-upgrades and switch it on.",
        "mailname host prepare PLAN",
    )
