"""From what a host told of itself to what has to be changed on it. What holds is left as it is, whoever made it so."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mailname.host import wanted_files as files
from mailname.host.brute_force import judge_brute_force
from mailname.host.change import Change, LeftAlone, When, file, file_diff, keys, order, packages, user
from mailname.host.change_clock import clock_changes, zone_changes
from mailname.host.change_filter import filter_changes
from mailname.host.change_names import name_changes, resolver_changes
from mailname.host.clock import time_services
from mailname.host.judge import judge
from mailname.host.listening import sshd_ports_not_open
from mailname.host.logins import judge_administrator, judge_ssh
from mailname.host.other_filters import others_that_drop
from mailname.host.script import PACKAGES
from mailname.host.step import Outcome
from mailname.host.upkeep import judge_upgrades

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailname.host.facts import Facts
    from mailname.plan.hosts import Host
    from mailname.plan.model import Hosts

_KINDS = ("ssh-", "ecdsa-", "sk-ssh-", "sk-ecdsa-")
_OURS = ("ssh.service", "fail2ban.service", "chrony.service", "cron.service", "rsyslog.service")
# A connection that was lost while packages came may have left the unit held back (pyinfra_child.py) until the next boot.
# The jail must know its address when it starts: who tried names that did not exist before is banned at once otherwise.
START_JAIL = f"""held=/run/systemd/system/fail2ban.service
[ ! -L $held ] || {{ rm -f $held; systemctl daemon-reload; }}
here={files.JAIL.rpartition("/")[0]}/zzz-mailname-now.local
printf '[sshd]\\nignoreip = 127.0.0.0/8 ::1 %s\\n' "$MAILNAME_FROM" >$here
trap 'rm -f $here' EXIT
systemctl enable fail2ban && systemctl restart fail2ban || exit 1
tries=0; until fail2ban-client ping >/dev/null 2>&1; do
  tries=$((tries + 1)); [ $tries -lt 100 ] || exit 1; sleep 0.1; done
fail2ban-client status sshd >/dev/null"""


def changes(facts: Facts, host: Host, wanted: Hosts) -> tuple[Change, ...]:
    """Return what has to be changed, in the order in which it is done; empty where there is nothing.

    Args:
        facts: the host's, with the text of ``wanted_files.ALL``.
        host: what the plan wants of this host.
        wanted: what it wants of all.

    """
    found = [
        *name_changes(facts, host),
        *_packages(facts, host, wanted),
        *_administrator(facts, wanted),
        *clock_changes(facts),
        *zone_changes(facts, wanted),
        *_upgrades(facts),
        *resolver_changes(facts, host),
        *_jail(facts, wanted),
        *_masked(facts),
        *(() if _keeps_filter(facts, host) else filter_changes(facts, host)),
        *_sshd(facts, wanted),
        *_root(facts, wanted),
    ]
    return tuple(one for when in When for one in found if one.when is when)


def left_alone(facts: Facts, host: Host) -> tuple[LeftAlone, ...]:
    """Return what keeps us from changing something at all."""
    return _keeps_sshd(facts) + _keeps_filter(facts, host)


def _keeps_filter(facts: Facts, host: Host) -> tuple[LeftAlone, ...]:
    ports = sshd_ports_not_open(facts, host)
    if not ports:
        return others_that_drop(facts, host)
    said = " and ".join(map(str, ports))
    opened = ", ".join(f'"{port}/tcp"' for port in ports)
    return (
        LeftAlone(
            "HOST-06",
            f"sshd listens at {said}, which the plan does not open: a packet filter made from it would lock you out there.",
            f"Write into the plan: [hosts] open_ports = [{opened}]; or let sshd leave that port.",
        ),
    )


def _keeps_sshd(facts: Facts) -> tuple[LeftAlone, ...]:
    if facts["guard"].code == 0:
        return (
            LeftAlone(
                "HOST-02",
                "a guard of another preparation is still armed here: it is under way, or was cut.",
                "Wait two minutes; the guard restores what was before and goes away.",
            ),
        )
    if facts["sshd"].code:
        said = next((line for line in facts["sshd"].lines if line.strip()), "no output")
        return (
            LeftAlone(
                "HOST-02",
                f"sshd does not accept its own configuration, so nothing is put beside it: {said}",
                "Mend that line by hand; do not restart sshd before 'sudo sshd -t' is silent.",
            ),
        )
    return ()


_MENDS = {
    "sudo": ("HOST-01",),
    "fail2ban": ("HOST-03",),
    "python3-systemd": ("HOST-03",),
    "netbase": ("HOST-03",),
    "nftables": ("HOST-03", "HOST-06"),
    "chrony": ("HOST-04",),
    "unattended-upgrades": ("HOST-11",),
}


def _packages(facts: Facts, host: Host, wanted: Hosts) -> Iterator[Change]:
    """Install what a step needs that does not hold; chrony only where no time service runs."""
    have = {words[0] for words in map(str.split, facts["packages"].lines) if words[1:] == ["installed"]}
    inside = replace(facts, tried=())
    wrong = {one.code for one in judge(inside, host, wanted) if one.outcome is Outcome.DOES_NOT_HOLD}
    if time_services(facts):
        wrong -= {"HOST-04"}
    if _keeps_filter(facts, host):
        wrong -= {"HOST-06"}
    missing = [name for name in PACKAGES if name not in have and wrong.intersection(_MENDS[name])]
    if missing:
        yield Change(
            "packages",
            tuple(sorted({code for name in missing for code in _MENDS[name]} & wrong)),
            tuple(f"+ package {name}" for name in missing),
            (packages(missing, ["fail2ban.service"] if "fail2ban" in missing else []),),
        )


def key_lines(text: str) -> list[str]:
    """Return the keys of an ``authorized_keys`` file without what is allowed to each: kind, key, comment."""
    found = []
    for line in text.splitlines():
        words = line.split()
        start = next((place for place, word in enumerate(words) if word.startswith(_KINDS)), None)
        if start is not None and not line.lstrip().startswith("#") and len(words) > start + 1:
            found.append(" ".join(words[start:]))
    return found


def _administrator(facts: Facts, wanted: Hosts) -> Iterator[Change]:
    name = wanted.administrator
    code = ("HOST-01",)
    if facts["groups"].code:
        yield Change(f"user {name}", code, (f"+ user {name}, with a home and /bin/bash",), (user(name, []),))
    present = {line.split()[1] for line in key_lines(facts["keys"].text)}
    given = list(wanted.ssh_keys) or key_lines(facts["login-keys"].text)
    missing = [line for line in dict.fromkeys(given) if line.split()[1] not in present]
    if missing:
        shown = tuple(f"+ key for {name}: {_short_key(line)}" for line in missing)
        yield Change(f"keys of {name}", ("HOST-02",), shown, (keys(name, missing),))
    if "NOPASSWD: ALL" not in facts["sudo"].text:
        text, now = files.sudoers(name), facts.kept().get(files.SUDOERS)
        yield Change(
            f"rights of {name}",
            code,
            file_diff(files.SUDOERS, now, text),
            (file(files.SUDOERS, text, "440", check_new='visudo -c -q -f "$new"', check="visudo -c -q"),),
        )
    if any(name in said and "password" in said for said in judge_administrator(facts, wanted).seen) or facts["groups"].code:
        yield Change(f"password of {name}", code, (f"+ a new password of {name}: a strong one, made here",), makes_password=True)


def _short_key(line: str) -> str:
    kind, blob, *comment = line.split()
    return " ".join([kind, f"...{blob[-12:]}", *comment])


def _root(facts: Facts, wanted: Hosts) -> Iterator[Change]:
    if any(said.startswith("root ") for said in judge_administrator(facts, wanted).seen):
        yield Change("password of root", ("HOST-01",), ("- password of root: locked",), (order("passwd -q -l root"),), When.LAST)


def _sshd(facts: Facts, wanted: Hosts) -> Iterator[Change]:
    judged = judge_ssh(facts, wanted)
    if judged.outcome is not Outcome.DOES_NOT_HOLD or _keeps_sshd(facts):
        return
    kept = facts.kept()
    drop_in, main = files.sshd_drop_in(wanted), kept.get(files.SSHD, "")
    reload = "systemctl reload ssh 2>/dev/null || systemctl reload sshd"
    changed = [
        (path, now, new)
        for path, now, new in (
            (files.SSHD_DROP_IN, kept.get(files.SSHD_DROP_IN), drop_in),
            (files.SSHD, main, files.sshd_config(main)),
        )
        if now != new
    ]
    for path, now, new in changed:
        yield Change(
            "sshd",
            ("HOST-02",),
            file_diff(path, now, new),
            (file(path, new, check="sshd -t", after=reload),),
            When.GUARDED,
        )
    if not changed and any("was not reloaded" in said for said in judged.seen):
        yield Change("sshd", ("HOST-02",), ("+ unit ssh: reloaded, so that its files count",), (order(reload),), When.GUARDED)


def _jail(facts: Facts, wanted: Hosts) -> Iterator[Change]:
    now = facts.kept().get(files.JAIL)
    if judge_brute_force(facts).outcome is not Outcome.DOES_NOT_HOLD:
        if now is None and facts["fail2ban"].code == 0 and any(_sshd(facts, wanted)):
            shown = file_diff(files.JAIL, now, files.JAIL_OF_OTHERS)
            yield Change(
                "fail2ban", ("HOST-03",), shown, (file(files.JAIL, files.JAIL_OF_OTHERS, after="fail2ban-client reload"),)
            )
        return
    text = files.jail(line.split()[1] for line in facts["sshd"].lines if line.startswith("port "))
    shown = file_diff(files.JAIL, now, text) if now != text else ()
    steps = (file(files.JAIL, text),) if now != text else ()
    yield Change("fail2ban", ("HOST-03",), (*shown, "+ unit fail2ban: started, now and at boot"), (*steps, order(START_JAIL)))


def _upgrades(facts: Facts) -> Iterator[Change]:
    if judge_upgrades(facts).outcome is not Outcome.DOES_NOT_HOLD:
        return
    now = facts.kept().get(files.UPGRADES)
    if now != files.UPGRADES_TEXT and any("APT::Periodic" in said for said in judge_upgrades(facts).seen):
        yield Change(
            "security upgrades",
            ("HOST-11",),
            file_diff(files.UPGRADES, now, files.UPGRADES_TEXT),
            (file(files.UPGRADES, files.UPGRADES_TEXT),),
        )
    timers = ("apt-daily.timer", "apt-daily-upgrade.timer")
    if any("timer" in said for said in judge_upgrades(facts).seen):
        names = " ".join(timers)
        yield Change(
            "security upgrades",
            ("HOST-11",),
            tuple(f"+ unit {name}: started, now and at boot" for name in timers),
            (order(f"systemctl unmask -q {names} && systemctl enable -q --now {names}"),),
        )


def _masked(facts: Facts) -> Iterator[Change]:
    """Give back what HOST-07 would miss after a reboot: units that belong on a safe host, and cannot start or do not."""
    states = {words[0]: words[1] for words in map(str.split, facts["unit-files"].lines) if len(words) > 1}
    active = {line.split()[0] for line in facts["active"].lines if line.strip()}
    for name in _OURS:
        state = states.get(name, "")
        if state.startswith("masked"):
            shown, typed = (
                "no longer masked, and started at boot",
                f"systemctl unmask -q {name}; systemctl enable -q --now {name}",
            )
        elif state == "disabled" and name in active:
            shown, typed = "started at boot", f"systemctl enable -q {name}"
        else:
            continue
        if name == "ssh.service" and states.get("ssh.socket") == "enabled":
            continue
        yield Change(f"unit {name}", ("HOST-07",), (f"+ unit {name}: {shown}",), (order(typed),))
