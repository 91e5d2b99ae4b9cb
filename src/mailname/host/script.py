"""The script that asks a host for its effective state. It changes nothing, needs no Python there, and prints no secret.

Each command has some seconds; the whole is one connection. With ``trial`` one address of the documentation range (RFC 5737) is
banned for a moment, looked for in the packet filter's live rules, and let go again, whatever happens in between.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from mailname.host.facts import END

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The address that is banned for a trial: nobody's (RFC 5737).
TRIAL = "203.0.113.254"

#: What preparing installs, or leaves alone where it is.
PACKAGES = ("sudo", "fail2ban", "python3-systemd", "netbase", "nftables", "chrony", "unattended-upgrades")
#: Services that belong on a safe host, by all names that they have: where one runs, it has to run after a reboot too.
UNITS = (
    *("ssh", "sshd", "fail2ban", "chrony", "chronyd", "systemd-timesyncd", "ntp", "ntpsec", "openntpd"),
    *("nftables", "ufw", "firewalld", "netfilter-persistent", "mailname-filter"),
    *("cron", "rsyslog", "named", "bind9", "knot", "nsd", "mailname"),
)
_SERVICES = "chrony chronyd systemd-timesyncd ntp ntpsec openntpd ntpd"

_SHADOW = r"""awk -F: '{h = $2; l = (h ~ /^[!*]/) ? "locked" : "open"; sub(/^!+/, "", h); s = "old"
  if (h == "" || h ~ /^[*]/) s = (h == "" && l == "open") ? "empty" : "none"
  else if (match(h, /^[$][a-z0-9]+[$]/)) s = substr(h, 2, RLENGTH - 2)
  print $1, l, s}' /etc/shadow"""

_PROCESSES = r"""ss -H -lntup | sed -n 's/.*pid=\([0-9]*\),.*/\1/p' | sort -u | while read -r pid; do
  unit=$(sed -n 's/.*\/\([^/]*\.\(service\|scope\|socket\)\)$/\1/p' "/proc/$pid/cgroup" | tail -n 1)
  program=$(readlink "/proc/$pid/exe"); program=${program%% *}
  package=$(dpkg -S "${program#/usr}" "$program" 2>/dev/null | head -n 1 | cut -d: -f1)
  echo "$pid $unit $program $package"; done"""

# A shell that is ended by a signal runs no EXIT trap of its own: the signal is made an exit.
_TRIAL = f"""found() {{ (nft list ruleset; iptables-save; ip6tables-save; ipset list) 2>/dev/null | grep -cwF {TRIAL}; }}
before=$(found)
trap 'fail2ban-client set sshd unbanip {TRIAL} >/dev/null 2>&1' EXIT
trap 'exit 3' HUP INT TERM
fail2ban-client set sshd banip {TRIAL} || exit 3
count=0; seen=0
while [ $count -lt 30 ]; do
  [ "$(found)" -gt "$before" ] && seen=1 && break
  count=$((count + 1)); sleep 0.1
done
echo "landed $seen" """

# Name -> what is typed there.
COMMANDS: dict[str, str] = {
    "uid": "id -u",
    "login": "echo ${SUDO_USER:-$(id -un)}",
    "system": "cat /etc/os-release",
    "machine": "cat /proc/sys/kernel/random/boot_id; systemctl is-system-running",
    "now": "date +%s.%N",
    "users": "getent passwd",
    "passwords": _SHADOW,
    "groups": "id -nG @ADMIN@",
    "sudo": "timeout -k 1 8 sudo -n -l -U @ADMIN@",
    "keys": 'cat "$(getent passwd @ADMIN@ | cut -d: -f6)/.ssh/authorized_keys"',
    "login-keys": 'cat "$(getent passwd ${SUDO_USER:-$(id -un)} | cut -d: -f6)/.ssh/authorized_keys"',
    "root-keys": "cat ~root/.ssh/authorized_keys",
    "sshd": "sshd -T -C user=@ADMIN@,host=stranger,addr=203.0.113.1",
    "sshd-age": "stat -c %Z /etc/ssh/sshd_config /etc/ssh/sshd_config.d/*.conf 2>/dev/null | sort -n | tail -n 1; "
    "systemctl show --timestamp=unix -p StateChangeTimestamp ssh",
    "sshd-root": "sshd -T -C user=root,host=stranger,addr=203.0.113.1",
    "host-keys": "for key in $(sshd -T -C user=root,host=stranger,addr=203.0.113.1 2>/dev/null | sed -n 's/^hostkey //p'); do "
    "[ ! -e $key.pub ] || ssh-keygen -l -f $key.pub; done",
    "fail2ban": "systemctl is-active fail2ban; fail2ban-client status sshd",
    "time": "timedatectl show",
    "time-services": f"systemctl show -p Id,ActiveState {_SERVICES}",
    "chrony": "chronyc -n -c tracking",
    "timesync": "timedatectl timesync-status",
    "zone": "readlink -f /etc/localtime; stat -c %Z /etc/localtime; cat /etc/timezone",
    "since": "for u in rsyslog cron; do systemctl show --timestamp=unix -p Id,ActiveState,ActiveEnterTimestamp $u; echo; done",
    "filter": "nft -j list ruleset 2>/dev/null",
    "iptables": "iptables-save -t filter 2>/dev/null",
    "ip6tables": "ip6tables-save -t filter 2>/dev/null",
    "ipset": "ipset list",
    "filter-boot": "for one in nftables ufw firewalld netfilter-persistent mailname-filter; do systemctl is-enabled $one; done",
    "listening": "ss -H -lntup",
    "processes": _PROCESSES,
    "sockets": "systemctl list-sockets --no-legend --full",
    # by name: of all units, systemd takes half a second to tell
    "unit-files": "systemctl list-unit-files --no-legend --full '*.socket' " + " ".join(f"{one}.service" for one in UNITS),
    "active": "systemctl list-units --no-legend --plain --full --state=active --type=service,socket",
    "packages": "dpkg-query -W -f='${Package} ${db:Status-Status}\\n' @PACKAGES@ 2>/dev/null",
    "cloud": "ls -d /etc/cloud/cloud.cfg.d",
    "guard": "ls /var/lib/mailname-guard/list",
    "failed": "systemctl --failed --no-legend --plain",
    "name": "hostname; hostname -f",
    "own-address": "getent ahosts $(hostname)",
    "hosts": "cat /etc/hosts",
    "addresses": "ip -o address show scope global",
    "disk": "df -P -B 1 / /var",
    "upgrades": "apt-config dump APT::Periodic; "
    "for one in apt-daily apt-daily-upgrade; do echo timer $(systemctl is-enabled $one.timer); done; "
    "dpkg-query -W -f 'package ${db:Status-Status}' unattended-upgrades",
    "resolver": "readlink -f /etc/resolv.conf; cat /etc/resolv.conf; systemctl is-active systemd-resolved",
    "kept": "for one in @FILES@; do [ -e $one ] && echo \"# $one $(stat -c '%a %U' $one)\" && sed 's/^/ /' $one; done; true",
}


def script(administrator: str, *, trial: bool = True, files: tuple[str, ...] = ()) -> str:
    """Return the script: POSIX sh, to be read by ``sh -s`` as root.

    Args:
        administrator: whose rights and keys are asked for.
        trial: whether an address is banned for a moment.
        files: files whose text is wanted as well.

    """
    commands = {**COMMANDS, "trial": _TRIAL} if trial else COMMANDS
    words = {
        "@ADMIN@": shlex.quote(administrator),
        "@PACKAGES@": " ".join(PACKAGES),
        "@FILES@": " ".join(map(shlex.quote, files)) or "/nonexistent",
    }
    return told_script({name: re.sub("@[A-Z]+@", lambda mark: words[mark[0]], text) for name, text in commands.items()})


def told_script(commands: Mapping[str, str]) -> str:
    """Return a script that tells the output of each command by its name, as ``facts.read_told`` reads it."""
    lines = [
        "export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin SYSTEMD_PAGER= SYSTEMD_COLORS=0",
        'told() { printf \'@ %s\\n\' "$1"; said=$(timeout 20 sh -c "$2" 2>&1 </dev/null); code=$?',
        "  printf '%s\\n' \"$said\" | sed 's/^/| /'; printf '= %s\\n' \"$code\"; }",
    ]
    lines += [f"told {name} {shlex.quote(typed)}" for name, typed in commands.items()]
    return "\n".join([*lines, f"told {END} true", ""])
