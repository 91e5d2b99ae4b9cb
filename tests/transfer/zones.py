"""Zones for the transfer tests, written as zone-file text."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

import dns.name

from mailname.transfer.actions import Peer
from mailname.zone.text import read_zone

if TYPE_CHECKING:
    from mailname.zone import Zone

APEX = dns.name.from_text("example.tech.")


def zone(serial: int = 1, *, refresh: int = 100, retry: int = 10, expire: int = 1000, more: str = "") -> Zone:
    """Return a version of example.tech."""
    text = f"""
$TTL 3600
@       SOA ns2 hostmaster {serial} {refresh} {retry} {expire} 60
        NS  ns1
        NS  ns2
        MX  10 mail
ns1     A   192.0.2.1
ns2     A   192.0.2.2
mail    A   192.0.2.2
{more}
"""
    return read_zone(text, "example.tech.zone", APEX).zone


def peer(address: str = "192.0.2.2", key: str | None = None) -> Peer:
    """Return a peer at port 53."""
    return Peer(ip_address(address), 53, dns.name.from_text(key) if key else None)
