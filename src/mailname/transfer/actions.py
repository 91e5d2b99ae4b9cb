"""What the transfer logic asks the server to do. Each is a plain value; doing it is the server's part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address
    from pathlib import Path

    from dns.name import Name

    from mailname.zone import Serial


@dataclass(frozen=True, slots=True)
class PeerTls:
    """How a peer proves over TLS that it is the one (RFC 9103): a primary by a name, a pin, or both; a secondary by a pin or not.

    Attributes:
        name: the name in its certificate, which a CA has signed.
        pins: its public key's SHA-256, in base64; several while it changes.
        ca: the CA's certificates; None: those that the machine trusts.

    """

    name: str | None = None
    pins: tuple[str, ...] = ()
    ca: Path | None = None


@dataclass(frozen=True, slots=True)
class Peer:
    """A name server that we transfer from or to.

    Attributes:
        address: where it is asked.
        port: where it is asked.
        key: the key that we sign with, if we share any.
        tls: asked over TLS only, as a primary; as a secondary, it may transfer over TLS only.
        also_keys: others that we share, while ``key`` takes their place: it may sign with them still, and not know ``key`` yet.

    """

    address: IPv4Address | IPv6Address
    port: int = 53
    key: Name | None = None
    also_keys: tuple[Name, ...] = ()
    tls: PeerTls | None = None

    @property
    def keys(self) -> tuple[Name, ...]:
        """All keys that we share, the one that we sign with first."""
        return () if self.key is None else (self.key, *self.also_keys)

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
    """Transfer the zone from this primary; it offered this serial.

    Attributes:
        unless: the serial held: an SOA that is not newer ends the transfer at its first record. None takes any serial.
        hinted: only a NOTIFY told the serial: what the transfer begins with may be another.

    """

    peer: Peer
    offered: Serial
    unless: Serial | None = None
    hinted: bool = False


@dataclass(frozen=True, slots=True)
class Expire:
    """Stop answering from this zone (RFC 1035 section 3.3.13, EXPIRE)."""


@dataclass(frozen=True, slots=True)
class Resume:
    """Answer from this zone again: a primary has confirmed the copy that had expired."""


Action = SendNotify | AskForSoa | Transfer | Expire | Resume
