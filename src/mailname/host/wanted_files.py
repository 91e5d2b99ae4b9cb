"""The files that preparing writes on a host, from the plan alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mailname.plan.hosts import Host
    from mailname.plan.model import Hosts

SSHD = "/etc/ssh/sshd_config"
SSHD_DROP_IN = "/etc/ssh/sshd_config.d/10-mailname.conf"
JAIL = "/etc/fail2ban/jail.d/zz-mailname.local"  # read after jail.local and what others put beside it: the last value wins
FILTER = "/etc/mailname/filter.nft"
FILTER_UNIT = "/etc/systemd/system/mailname-filter.service"
SUDOERS = "/etc/sudoers.d/mailname"  # sudo reads no file with a dot in its name
HOSTS = "/etc/hosts"
HOSTNAME = "/etc/hostname"
CLOUD = "/etc/cloud/cloud.cfg.d/99-mailname.cfg"
UPGRADES = "/etc/apt/apt.conf.d/99mailname-upgrades"  # the last value wins
RESOLVED = "/etc/systemd/resolved.conf.d/10-mailname.conf"
ALL = (SSHD, SSHD_DROP_IN, JAIL, FILTER, FILTER_UNIT, SUDOERS, HOSTS, HOSTNAME, CLOUD, UPGRADES, RESOLVED)

_MADE = "# Written by 'mailname host prepare'; what is changed here by hand is written over by it.\n"
_INCLUDE = "Include /etc/ssh/sshd_config.d/*.conf\n"

# What a host must hear of the network itself: RFC 4890 section 4.4 for IPv6; RFC 1191 needs the same of IPv4.
_ICMP = "destination-unreachable, time-exceeded, parameter-problem, echo-request, echo-reply"
_ICMPV6 = (
    "destination-unreachable, packet-too-big, time-exceeded, parameter-problem, echo-request, echo-reply, "
    "nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, mld-listener-query, mld-listener-report, "
    "mld-listener-done, mld2-listener-report"
)

UNIT_TEXT = (
    _MADE
    + f"""[Unit]
Description=Packet filter of the mailname plan
DefaultDependencies=no
Wants=network-pre.target
Before=network-pre.target shutdown.target
Conflicts=shutdown.target
# Debian's own unit begins with "flush ruleset"; whenever that runs, ours is loaded once more behind it.
After=nftables.service
PartOf=nftables.service
ReloadPropagatedFrom=nftables.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/nft -f {FILTER}
ExecReload=/usr/sbin/nft -f {FILTER}

[Install]
WantedBy=sysinit.target
"""
)
UPGRADES_TEXT = 'APT::Periodic::Enable "1";\nAPT::Periodic::Update-Package-Lists "1";\nAPT::Periodic::Unattended-Upgrade "1";\n'
RESOLVED_TEXT = _MADE + "[Resolve]\nDNSStubListener=no\n"
CLOUD_TEXT = _MADE + "preserve_hostname: true\nmanage_etc_hosts: false\n"
_IGNORED = """# sshd says this of who has root's key, and nobody else: the owner, whom sshd does not let in as root any more.
ignoreregex = ROOT LOGIN REFUSED
"""
#: For a jail that others have set up, and that is left as it is.
JAIL_OF_OTHERS = _MADE + "[sshd]\n" + _IGNORED


def jail(ports: Iterable[str]) -> str:
    """Return the jail of sshd, where it listens: port 22 where that is not known."""
    return (
        f"{_MADE}[sshd]\nenabled = true\n"
        "# Debian 12 writes no /var/log/auth.log; a port by its name needs /etc/services.\n"
        f"backend = systemd\nport = {','.join(dict.fromkeys(ports)) or '22'}\nbanaction = nftables\n{_IGNORED}"
    )


def sshd_drop_in(wanted: Hosts) -> str:
    """Return sshd's settings. The first value that sshd reads is the one that counts, so this file comes early."""
    lines = ["PermitRootLogin no", "PubkeyAuthentication yes", "PermitEmptyPasswords no", "X11Forwarding no"]
    if not wanted.password_logins:
        lines += ["PasswordAuthentication no", "KbdInteractiveAuthentication no"]
    lines += [
        "Ciphers -*cbc*,3des*,arcfour*",
        "MACs -hmac-sha1*,hmac-md5*,umac-64*",
        "HostKeyAlgorithms -ssh-rsa*,ssh-dss*",
        "KexAlgorithms -*-sha1,*group1-*",
    ]
    return _MADE + "".join(f"{line}\n" for line in lines)


def sshd_config(now: str) -> str:
    """Return the main file with the line that reads the drop-ins, which must come before all else."""
    for line in now.splitlines():
        words = line.split()
        if words[:1] and words[0].lower() == "include" and any("sshd_config.d/*.conf" in word for word in words[1:]):
            return now
        if words and not words[0].startswith("#"):
            break
    return _INCLUDE + now


def filter_text(host: Host) -> str:
    """Return the packet filter: a table of our own, replaced in one transaction; other tables are never touched."""
    ports = {kind: sorted(port for port, protocol in host.open_ports if protocol == kind) for kind in ("tcp", "udp")}
    opened = "".join(f"    {kind} dport {{ {', '.join(map(str, found))} }} accept\n" for kind, found in ports.items() if found)
    untracked = ""
    if 53 in ports["udp"]:
        untracked = (
            "  # Questions are not remembered: a flood of them would fill the table of connections.\n"
            "  chain questions {\n    type filter hook prerouting priority raw;\n    udp dport 53 notrack\n  }\n"
            "  chain answers {\n    type filter hook output priority raw;\n    udp sport 53 notrack\n  }\n"
        )
    return (
        f"#!/usr/sbin/nft -f\n{_MADE}table inet mailname\ndelete table inet mailname\ntable inet mailname {{\n{untracked}"
        "  chain input {\n    type filter hook input priority filter; policy drop;\n"
        '    ct state established,related accept\n    ct state invalid drop\n    iif "lo" accept\n'
        f"    icmp type {{ {_ICMP} }} accept\n    icmpv6 type {{ {_ICMPV6} }} accept\n"
        f"    ip6 saddr fe80::/10 udp dport 546 accept\n{opened}  }}\n}}\n"
    )


def sudoers(administrator: str) -> str:
    """Return the administrator's rights."""
    return f"{_MADE}{administrator} ALL=(ALL:ALL) NOPASSWD: ALL\n"


def hosts_file(now: str, name: str, addresses: Iterable[str]) -> str:
    """Return ``/etc/hosts`` with the host's own names at its own addresses, and nowhere else."""
    short = name.partition(".")[0]
    kept = []
    for line in now.splitlines():
        words, mark, rest = line.partition("#")
        parts = words.split()
        names = [word for word in parts[1:] if word.lower() not in (name, short)]
        if len(names) == len(parts[1:]):
            kept.append(line)
        elif names:
            kept.append(" ".join([parts[0], *names]) + (f" {mark}{rest}" if mark else ""))
    kept += [f"{address} {name} {short}" for address in list(addresses) or ["127.0.1.1"]]
    return "".join(f"{line}\n" for line in kept)
