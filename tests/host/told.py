"""What a safe host prints, and the same with one thing changed."""

from __future__ import annotations

from ipaddress import ip_address
from types import MappingProxyType
from typing import TYPE_CHECKING

from mailname.host.facts import Facts, Told, Tried
from mailname.plan import load
from mailname.plan.hosts import Host, hosts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mailname.plan.model import Hosts

PLAN = """
domain = "example.tech"
contact = "hostmaster@example.tech"
[hosts]
administrator = "anna"
[[name_server]]
name = "ns1.example.tech"
addresses = ["192.0.2.11", "2001:db8::11"]
role = "primary"
[[mail_host]]
name = "mail.example.net"
"""

FILTER = """{"nftables": [
{"chain": {"family": "inet", "table": "t", "name": "in", "type": "filter", "hook": "input", "prio": 0, "policy": "drop"}},
{"rule": {"family": "inet", "table": "t", "chain": "in", "expr": [{"match": {"op": "==",
  "left": {"payload": {"protocol": "th", "field": "dport"}}, "right": {"set": [22, 53]}}}, {"accept": null}]}}]}"""

# What a host tells where every step holds.
SAFE = {
    "uid": "0",
    "passwords": "root locked none\nanna open y\ndaemon locked none",
    "groups": "anna sudo",
    "sudo": "User anna may run the following commands on ns1:\n    (ALL) NOPASSWD: ALL",
    "keys": "ssh-ed25519 AAAA anna",
    "sshd": "permitrootlogin no\npubkeyauthentication yes\npasswordauthentication no\nkbdinteractiveauthentication no\n"
    "authorizedkeysfile .ssh/authorized_keys .ssh/authorized_keys2\nciphers aes256-gcm@openssh.com\nmacs hmac-sha2-256",
    "sshd-root": "permitrootlogin no",
    "sshd-age": "1700000000\nStateChangeTimestamp=@1700000100",
    "host-keys": "256 SHA256:x root@ns1 (ED25519)\n3072 SHA256:y root@ns1 (RSA)",
    "fail2ban": "active\nStatus for the jail: sshd\n   `- Banned IP list:",
    "trial": "1\nlanded 1",
    "time": "Timezone=Etc/UTC\nNTPSynchronized=yes",
    "time-services": "Id=chrony.service\nActiveState=active\n\nId=chrony.service\nActiveState=active\n\n"
    "Id=ntp.service\nActiveState=inactive",
    "chrony": "C0000201,192.0.2.1,3,1700000000.0,0.000012,0.0,0.0,-1.2,0.0,0.1,0.001,0.001,64.2,Normal",
    "zone": "/usr/share/zoneinfo/Etc/UTC\n1700000000\nEtc/UTC",
    "since": "Id=rsyslog.service\nActiveState=active\nActiveEnterTimestamp=@1700000050\n\nId=cron.service\nActiveState=inactive",
    "filter": FILTER,
    "filter-boot": "enabled",
    "listening": 'tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:* users:(("sshd",pid=33,fd=3))\n'
    'udp UNCONN 0 0 127.0.0.1:323 0.0.0.0:* users:(("chronyd",pid=40,fd=5))',
    "processes": "33 ssh.service /usr/sbin/sshd openssh-server\n40 chrony.service /usr/sbin/chronyd chrony",
    "sockets": "",
    "unit-files": "ssh.service enabled enabled\nchrony.service enabled enabled\nfail2ban.service enabled enabled",
    "active": "ssh.service loaded active running OpenBSD Secure Shell server\nchrony.service loaded active running chrony",
    "failed": "",
    "name": "ns1\nns1.example.tech",
    "own-address": "192.0.2.11 STREAM ns1.example.tech",
    "addresses": "2: eth0    inet 192.0.2.11/24 scope global eth0\n2: eth0    inet6 2001:db8::11/64 scope global",
    "disk": "Filesystem 1-blocks Used Available Capacity Mounted on\n/dev/vda1 50000000000 1000000000 49000000000 3% /",
    "upgrades": 'APT::Periodic::Update-Package-Lists "1";\nAPT::Periodic::Unattended-Upgrade "1";\ntimer enabled\ntimer enabled\n'
    "package installed",
    "resolver": "/etc/resolv.conf\nnameserver 192.0.2.1",
}


def host(plan: str = PLAN) -> Host:
    """Return the first host of a plan."""
    return hosts(load(plan, "plan.toml").plan)[0]


def wanted(plan: str = PLAN) -> Hosts:
    """Return what a plan says of all its hosts."""
    return load(plan, "plan.toml").plan.hosts


def facts(
    changed: Mapping[str, str | Told | None] = MappingProxyType({}),
    *,
    tried: tuple[Tried, ...] = (),
    offered: str = "publickey",
    **more: str | Told | None,
) -> Facts:
    """Return a safe host's facts, but for these commands; None: it has no such command."""
    told = {name: Told(text, 0) for name, text in SAFE.items()}
    for name, value in {**changed, **more}.items():
        told[name] = Told("", 127) if value is None else value if isinstance(value, Told) else Told(value, 0)
    names = {"192.0.2.11": ("ns1.example.tech.",), "2001:db8::11": ("ns1.example.tech.",)}
    return Facts(told, tried, offered, names, {"ns1.example.tech.": ("192.0.2.11", "2001:db8::11")})


def at(address: str, port: int, protocol: str, says: str) -> Tried:
    """Return a port that was tried from outside."""
    return Tried(ip_address(address), port, protocol, says)
