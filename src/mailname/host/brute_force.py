"""HOST-03: who guesses passwords is banned, and the ban is in the packet filter: fail2ban's own word for it is not enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailname.host.script import TRIAL
from mailname.host.step import Outcome, Result, holds, judged, unknown

if TYPE_CHECKING:
    from mailname.host.facts import Facts


def judge_brute_force(facts: Facts) -> Result:
    """Judge whether fail2ban watches sshd, and whether the address that was banned for a trial was banned indeed."""
    code, fix = "HOST-03", "Install fail2ban and switch its sshd jail on."
    told, trial = facts["fail2ban"], facts["trial"]
    if "not found" in told.text:
        return judged(code, ["fail2ban is not installed."], [], fix, "mailname host prepare PLAN")
    if not facts.is_root:
        return unknown(code, "fail2ban tells nobody but root.")
    if told.lines[:1] != ["active"]:
        return judged(code, ["fail2ban does not run."], [], "Start it, and see why it ended.", "sudo systemctl status fail2ban")
    if told.code and "does not exist" not in told.text:
        return unknown(code, f"fail2ban runs, and does not tell: {told.text.strip().rpartition(chr(10))[2]}")
    if told.code:
        return judged(code, ["fail2ban runs, but its jail sshd is off."], [], fix, "mailname host prepare PLAN")
    jail = "fail2ban watches sshd."
    lost = _lost(facts)
    if lost:
        return Result(
            code,
            Outcome.DOES_NOT_HOLD,
            (
                f"fail2ban has banned {', '.join(lost[:3])}, and the packet filter knows nothing of it: its rules were flushed.",
                jail,
            ),
            "Let nothing flush the whole ruleset, and let fail2ban ban anew.",
            "sudo systemctl restart fail2ban",
        )
    if "landed 1" in trial.text:
        return holds(code, jail, f"{TRIAL} was banned for a moment, and was seen in the packet filter.")
    if "landed 0" in trial.text:
        return Result(
            code,
            Outcome.DOES_NOT_HOLD,
            (f"fail2ban says that it bans, but {TRIAL}, banned for a trial, never came into the packet filter.", jail),
            "See which action fails, and let the filter know its port as a number: port = 22.",
            "sudo tail /var/log/fail2ban.log",
        )
    return unknown(code, f"{jail} Whether a ban lands was not tried: {trial.text.strip().rpartition(chr(10))[2] or 'no trial'}")


def _lost(facts: Facts) -> list[str]:
    """Return the addresses that fail2ban keeps out as it says, where not one of them is in the live rules."""
    line = next((line for line in facts["fail2ban"].lines if "Banned IP list:" in line), "")
    banned = line.partition("Banned IP list:")[2].split()
    rules = " ".join(facts[name].text for name in ("filter", "iptables", "ip6tables", "ipset"))
    return banned if banned and not facts["filter"].code and not any(one in rules for one in banned) else []
