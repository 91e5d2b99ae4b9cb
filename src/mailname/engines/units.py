"""The units of systemd under which the built-in server runs: its sockets, the service, its user; and the command's wrapper.

systemd opens port 53 and hands it over, so that the service never has a privilege; the sockets stay open while it starts again.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mailname.engines.engine import Places

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mailname.server.network import Endpoint, IPAddress

TOP = Path("/opt/mailname")
CONFIGURATION = Path("/etc/mailname/server.toml")
TLS_CERTIFICATE, TLS_KEY = CONFIGURATION.parent / "tls.crt", CONFIGURATION.parent / "tls.key"
KEYS = Path("/etc/mailname/keys")
STATE = Path("/var/lib/mailname")
SOCKET = Path("/etc/systemd/system/mailname.socket")
SERVICE = Path("/etc/systemd/system/mailname.service")
SYSUSERS = Path("/etc/sysusers.d/mailname.conf")
WRAPPER = Path("/usr/local/bin/mailname")
USER = "mailname"
_RELOADS_BY_NOTIFY = 253  # the systemd that has Type=notify-reload

_WRITTEN = "# Written by mailname deploy."
_SYSUSERS = f'{_WRITTEN}\nu {USER} - "mailname, an authoritative name server" {STATE}\n'
#: The folder is named by what it is, not by the link: a server goes on with its own modules while the link moves on.
_WRAPPER = f'#!/bin/sh\n{_WRITTEN}\nexec /usr/bin/python3 -I "$(readlink -f {TOP}/current)" "$@"\n'

_SERVICE = f"""{_WRITTEN}
[Unit]
Description=mailname, an authoritative name server
Documentation=man:systemd.socket(5)
Requires=mailname.socket
After=mailname.socket network-online.target
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
Type=@TYPE@
ExecStart={WRAPPER} serve --config {CONFIGURATION}
@RELOAD@
Restart=on-failure
RestartSec=1
TimeoutStartSec=120
TimeoutStopSec=30
WatchdogSec=30
User={USER}
Group={USER}
UMask=0077
StateDirectory=mailname
StateDirectoryMode=0750
RuntimeDirectory=mailname
RuntimeDirectoryMode=0750
LimitNOFILE=65536

# What a name server never needs.
CapabilityBoundingSet=
AmbientCapabilities=
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
PrivateUsers=yes
PrivateMounts=yes
DevicePolicy=closed
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
ProtectProc=invisible
ProcSubset=pid
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
KeyringMode=private
RemoveIPC=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
"""


def places(addresses: tuple[IPAddress, ...], key: str | None) -> Places:
    """Return where a deployed server keeps its things.

    Args:
        addresses: where it listens; see ``engine.Places``.
        key: the name of the file with the key for transfers, in the folder of keys.

    """
    return Places(
        state=STATE / "state",
        zones=STATE / "zones",
        control=Path("/run/mailname/control.sock"),
        key_file=KEYS / key if key else None,
        tls=(TLS_CERTIFICATE, TLS_KEY),
        keys=KEYS,
        listen=addresses,
    )


def socket_unit(udp: Iterable[Endpoint], tcp: Iterable[Endpoint]) -> str:
    """Return the socket unit. FreeBind: an address that comes later, or goes for a while, keeps no socket from being opened."""
    lines = [_WRITTEN, "[Unit]", "Description=the ports of mailname, an authoritative name server", "", "[Socket]"]
    lines += [f"ListenDatagram={at}" for at in udp]
    lines += [f"ListenStream={at}" for at in tcp]
    lines += [
        "FreeBind=yes",
        "BindIPv6Only=ipv6-only",
        "Backlog=1024",
        "ReceiveBuffer=4M",
        "",
        "[Install]",
        "WantedBy=sockets.target",
    ]
    return "\n".join(lines) + "\n"


def service_unit(systemd: int) -> str:
    """Return the service unit for a version of systemd."""
    if systemd >= _RELOADS_BY_NOTIFY:
        return _SERVICE.replace("@TYPE@", "notify-reload").replace("@RELOAD@\n", "")
    return _SERVICE.replace("@TYPE@", "notify").replace("@RELOAD@", "ExecReload=/bin/kill -HUP $MAINPID")


def unit_files(udp: Iterable[Endpoint], tcp: Iterable[Endpoint], systemd: int) -> Mapping[Path, tuple[str, int]]:
    """Return all files that are the same whatever the zones are, with their modes."""
    return {
        SYSUSERS: (_SYSUSERS, 0o644),
        WRAPPER: (_WRAPPER, 0o755),
        SOCKET: (socket_unit(udp, tcp), 0o644),
        SERVICE: (service_unit(systemd), 0o644),
    }
