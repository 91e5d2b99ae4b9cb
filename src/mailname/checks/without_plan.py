"""The words of a finding where there is no plan: nothing to publish from, no file to name, no engine known.

Checks write for an owner who has a plan. For anybody else the same finding is told of the zone, and the line to type repeats the
question whose answer is the evidence.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mailname.checks.finding import Evidence, Finding

# What stands first is replaced first.
_WORDS = (
    ('Add a second [[name_server]] with role = "secondary" to the plan', "Add a second name server"),
    ("Correct [soa] in the plan:", "Correct the timers:"),
    ("Publish the plan, whose timers fit:", "Correct the timers:"),
    ("Publish the plan, which names", "Let it name a host that has an address, such as"),
    ("Write the zone again from the plan, or correct", "Correct"),
    (", or publish the plan's zone again", ", raise the serial and reload"),
    ("; if the server has moved there, change the plan instead", "; if the server has moved there, change the zone instead"),
    (" with the name servers and glue of the plan", " with its name servers and their glue"),
    ("Publish the plan; or, if the served zone is right, write it into the plan.", "Correct the zone."),
    ("Publish again: it raises the serial", "Raise the serial and reload"),
    ("Publish with a serial above", "Set a serial above"),
    ("; the command takes the highest that any server holds", ""),
    ("; then publish", "; then raise the serial and reload"),
    (", then publish", ", raise the serial and reload"),
    ("the other name servers of the plan", "the zone's other name servers"),
    (" in the plan", ""),
    ("the plan's", "the zone's"),
    ("the plan", "the zone"),
)
# Where the plan is the place, and the zone file is not.
_PLACES = {"TLD-02": "the name itself", "DELEG-06": "registrar", "DELEG-07": "registrar"}
_OURS = ("mailname", "sudo", "journalctl")
_ASKED = re.compile(r"\S+ (?:\[(?P<v6>[^\]]+)\]|(?P<v4>[\d.]+)):(?P<port>\d+) (?P<transport>udp|tcp)")


def without_plan(finding: Finding) -> Finding:
    """Return the finding as it is told without a plan."""
    where = _PLACES.get(finding.code, "zone file") if finding.where in ("plan", "the plan") else _told(finding.where)
    return replace(finding, says=_told(finding.says), where=where, fix=_told(finding.fix), command=_command(finding))


def _told(text: str) -> str:
    for ours, theirs in _WORDS:
        text = text.replace(ours, theirs)
    return text


def _command(finding: Finding) -> str:
    if finding.command.split(" ", 1)[0] not in _OURS:
        return finding.command
    return next((line for piece in finding.evidence if (line := repeated(piece))), "")


def repeated(piece: Evidence) -> str:
    """Return the line that asks the same question again; empty for what was no question of DNS."""
    asked = _ASKED.fullmatch(piece.server)
    if asked is None:
        return ""
    qname, _, qtype = piece.question.rpartition(" ")
    words = ["dig", "+norec", f"@{asked['v6'] or asked['v4']}", qname, qtype]
    if asked["port"] != "53":
        words[2:2] = ["-p", asked["port"]]
    if asked["transport"] == "tcp":
        words.insert(2, "+tcp")
    return shlex.join(words)
