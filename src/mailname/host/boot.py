"""HOST-07: only what is wanted starts, it is well, and everything wanted will be back after a reboot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailname.host.listening import is_sshd, listeners, sshd_ports_not_open
from mailname.host.residents import is_ours, kind
from mailname.host.script import UNITS
from mailname.host.step import judged, unknown

if TYPE_CHECKING:
    from mailname.host.facts import Facts
    from mailname.host.listening import Listener
    from mailname.host.step import Result
    from mailname.plan.hosts import Host

#: What takes answers to its own questions over UDP, and serves nobody.
_CLIENTS = ("dhclient", "dhcpcd", "systemd-network", "NetworkManager", "systemd-timesyn", "chronyd", "ntpd")
_DNS = 53
_ASKS_FROM = 32768  # ports from which programs ask others (ip_local_port_range)
_SSH = ("ssh.service", "ssh.socket", "sshd.service")
_WANTED = ("ssh.socket", *(f"{one}.service" for one in UNITS), "mailname.socket")
_STARTS = ("enabled", "static", "alias", "indirect", "generated", "linked")
_MOST = 3  # units in one line to type


def judge_boot(facts: Facts, host: Host) -> Result:
    """Judge whether only wanted services start, and whether what was started is well."""
    code = "HOST-07"
    if facts["listening"].code:
        return unknown(code, "'ss' does not tell what listens.")
    heard = listeners(facts)
    strangers = [one for one in heard if not _explained(one, host) and not kind(one)]
    failed = [line.split()[0] for line in facts["failed"].lines if line.strip()]
    states = {words[0]: words[1] for words in map(str.split, facts["unit-files"].lines) if len(words) > 1}
    active = {line.split()[0] for line in facts["active"].lines if line.strip()}
    masked = [unit for unit in _WANTED if states.get(unit, "").startswith("masked") and (unit in active or unit in _ALWAYS)]
    gone = [unit for unit in _WANTED if unit in active and not _starts(unit, states) and unit not in masked]
    wrong = list(dict.fromkeys(f"{one} listens to the world, and the plan does not explain it." for one in strangers))
    if failed:
        wrong.append(f"failed to start: {', '.join(failed)}.")
    if masked:
        wrong.append(f"masked, so that it cannot start at the next boot: {', '.join(masked)}.")
    if gone:
        wrong.append(f"runs now, and does not start at the next boot: {', '.join(gone)}.")
    right = list[str]()
    if not any(states.get(unit) == "enabled" for unit in _SSH):
        wrong.append("sshd does not start at the next boot.")
    elif wrong:
        right.append("sshd starts at boot.")
    else:
        right.append(f"{len(heard)} sockets listen, all explained.")
    elsewhere = sshd_ports_not_open(facts, host)
    if elsewhere:  # what keeps the way in comes before all else, and is no line that ends sshd
        ports = ", ".join(f'"{port}/tcp"' for port in elsewhere)
        return judged(code, wrong, right, f"Say in the plan where sshd listens: [hosts] open_ports = [{ports}].")
    units = sorted({one.unit for one in strangers if one.unit.endswith((".service", ".socket")) and not is_sshd(one)})
    for wanted, fix, command in (
        (
            [*units, *(twin for unit in units if (twin := unit.replace(".service", ".socket")) in states and twin not in units)],
            'Stop what is not wanted for good, its socket too, or say it in the plan: open_ports = ["PORT/PROTOCOL"].',
            "sudo systemctl disable --now",
        ),
        (masked, "Let it start again.", "sudo systemctl unmask"),
        (gone, "Let it start at boot.", "sudo systemctl enable"),
        (failed, "See why, and mend it or stop it for good.", "systemctl status"),
    ):
        if wanted:
            return judged(code, wrong, right, fix, f"{command} {' '.join(wanted[:_MOST])}")
    return judged(code, wrong, right, "Find out who started it, and end it; let sshd start at boot.", "sudo systemctl enable ssh")


_ALWAYS = ("ssh.service", "fail2ban.service")


def _starts(unit: str, states: dict[str, str]) -> bool:
    """Tell whether a unit starts at boot, by itself or by its socket."""
    return states.get(unit, "static") in _STARTS or states.get(unit.replace(".service", ".socket")) == "enabled"


def _explained(one: Listener, host: Host) -> bool:
    if one.is_local or (one.protocol == "udp" and one.program.startswith(_CLIENTS)):
        return True
    if host.name_server is not None and one.port == _DNS:
        return True  # HOST-12 judges who holds it
    if one.protocol == "udp" and one.port >= _ASKS_FROM and is_ours(one, host):
        return True
    return (one.port, one.protocol) in host.open_ports
