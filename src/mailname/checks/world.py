"""Where the check looks from: the root it trusts, the resolver it asks, and how patient it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address
from types import MappingProxyType
from typing import TYPE_CHECKING

import dns.name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dns.name import Name

    from mailname.server.network import Endpoint, IPAddress
    from mailname.wire.tsig_key import Key

# Source: https://www.internic.net/domain/named.root (the root hints file that IANA publishes).
_NAMED_ROOT = """
a 198.41.0.4     2001:503:ba3e::2:30
b 170.247.170.2  2801:1b8:10::b
c 192.33.4.12    2001:500:2::c
d 199.7.91.13    2001:500:2d::d
e 192.203.230.10 2001:500:a8::e
f 192.5.5.241    2001:500:2f::f
g 192.112.36.4   2001:500:12::d0d
h 198.97.190.53  2001:500:1::53
i 192.36.148.17  2001:7fe::53
j 192.58.128.30  2001:503:c27::2:30
k 193.0.14.129   2001:7fd::1
l 199.7.83.42    2001:500:9f::42
m 202.12.27.33   2001:dc3::35
"""

RootHint = tuple["Name", tuple["IPAddress", ...]]


def _built_in_root_hints() -> tuple[RootHint, ...]:
    lines = (line.split() for line in _NAMED_ROOT.strip().splitlines())
    return tuple((dns.name.from_text(f"{letter}.root-servers.net."), tuple(map(ip_address, rest))) for letter, *rest in lines)


@dataclass(frozen=True, slots=True)
class World:
    """What ``observe`` needs to know beside the plan.

    Attributes:
        root_hints: the root servers' names and addresses.
        resolver: a recursive resolver; without one that rung is not asked.
        control_sockets: name server -> its control socket, where it can be reached from this machine.
        zone_file: the text of the primary's zone file, where it can be read.
        timeout: seconds to wait for one try.
        tries: how often a UDP question is sent. Over TCP the kernel repeats; one connection has ``timeout * tries`` seconds.
        start: the highest rung to ask.
        walks_for_hosts: hosts are looked for from the root down even where the root is above the highest rung to ask.
        port: where the authoritative servers listen, root and TLD as well; 53 but in a world of one's own.
        families: the IP versions over which we ask.
        signed: a DS is going to be registered, so that the servers are asked for their keys.
        dnsbl: block lists to ask for the mail hosts' addresses, by their zones; none is asked that is not named.
        rdap: the RDAP server that tells of the registration, by its URL; not asked where there is none.
        ssh: where a secondary is not in step, ask the servers over SSH where the plan names a way there.
        transfer_key: what the transfers are signed with, to try one from here; its secret goes nowhere.
        second_look: seconds after which servers with different serials are asked again, since a transfer takes a moment.

    """

    root_hints: tuple[RootHint, ...] = field(default_factory=_built_in_root_hints)
    resolver: Endpoint | None = None
    control_sockets: Mapping[Name, Path] = field(default_factory=lambda: MappingProxyType({}))
    zone_file: str | None = None
    zone_file_name: str = "zone file"
    timeout: float = 1.2
    tries: int = 2
    start: str = "resolver"
    walks_for_hosts: bool = False
    port: int = 53
    families: frozenset[int] = frozenset({4, 6})
    signed: bool = False
    second_look: float = 1.0
    dnsbl: tuple[Name, ...] = ()
    rdap: str | None = None
    ssh: bool = False
    transfer_key: Key | None = None
