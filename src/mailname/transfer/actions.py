"""What the transfer logic asks the server to do. Each is a plain value; doing it is the server's part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

    from dns.name import Name

    from mailname.zone import Serial


@dataclass(frozen=True, slots=True)
class Peer:
    """A name server that we transfer from or to: where it is asked, and the key we share, if any."""

    address: IPv4Address | IPv6Address
    port: int = 53
    key: Name | None = None

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if self.address.version == 6 else f"{self.address}:{self.port}"


@dataclass(frozen=True, slots=True)
class SendNotify:
    """Send a NOTIFY for this serial and report the answer."""

    peer: Peer
    serial: Serial


@dataclass(frozen=True, slots=True)
class AskForSoa:
    """Ask this primary for the zone's SOA and report what it says."""

    peer: Peer


@dataclass(frozen=True, slots=True)
class Transfer:
    """Transfer the zone from this primary; it offered this serial."""

    peer: Peer
    offered: Serial


@dataclass(frozen=True, slots=True)
class Expire:
    """Stop answering from this zone (RFC 1035 section 3.3.13, EXPIRE)."""


Action = SendNotify | AskForSoa | Transfer | Expire
