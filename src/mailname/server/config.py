"""What a server is told to do: addresses, keys, zones. Read from a file by ``config_file``, or made for ``--zones DIR``."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import TYPE_CHECKING, Literal

from mailname.answer import Settings
from mailname.answer.rate_limit import RateLimit
from mailname.errors import HostError
from mailname.server.network import Endpoint, IPAddress
from mailname.transfer.transfer_limits import TransferLimits

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dns.name import Name

    from mailname.server.catalog_config import CatalogConfig
    from mailname.server.key_use import KeyFile
    from mailname.server.tls import TlsFiles
    from mailname.transfer.actions import Peer
    from mailname.update.policy import UpdateRule
    from mailname.wire.tsig_key import Key

IPNetwork = IPv4Network | IPv6Network
Role = Literal["primary", "secondary"]


@dataclass(frozen=True, slots=True)
class ZoneConfig:
    """One zone: its role, and from whom it comes or to whom it goes."""

    name: Name
    role: Role
    file: Path | None = None
    primaries: tuple[Peer, ...] = ()
    secondaries: tuple[Peer, ...] = ()
    allow_transfer: tuple[IPNetwork, ...] = ()
    update: tuple[UpdateRule, ...] = ()


@dataclass(frozen=True, slots=True)
class FolderConfig:
    """A folder of zone files: each NAME.zone is a primary zone.

    Attributes:
        path: the folder.
        allow_transfer: who may transfer the zones.
        images: where their images are kept for the next start; None keeps none.

    """

    path: Path
    allow_transfer: tuple[IPNetwork, ...] = ()
    images: Path | None = None


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """One server. ``state`` None keeps nothing on disk: for trying out."""

    listen: tuple[Endpoint, ...]
    zones: tuple[ZoneConfig, ...]
    state: Path | None = None
    control: Path | None = None
    keys: Mapping[Name, Key] = field(default_factory=dict)
    rate_limit: RateLimit = field(default_factory=RateLimit)
    replies: Settings = field(default_factory=Settings)
    folder: FolderConfig | None = None
    key_files: tuple[KeyFile, ...] = ()
    catalogs: tuple[CatalogConfig, ...] = ()
    tls_listen: tuple[Endpoint, ...] = ()
    tls: TlsFiles | None = None
    transfer_limits: TransferLimits = field(default_factory=TransferLimits)


def parse_endpoint(text: str, default: int = 53) -> Endpoint:
    """Read ``192.0.2.1``, ``192.0.2.1:53``, ``[2001:db8::1]:53`` or ``2001:db8::1``; the port is ``default`` unless given.

    Raises:
        ValueError: with a sentence.

    """
    host, port = text, str(default)
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        host = host if bracket and rest[:1] in {"", ":"} else ""
        port = rest[1:] or str(default)
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    try:
        address = ip_address(host)
    except ValueError as error:
        raise ValueError(f"{text} is not an address with an optional port, such as 192.0.2.1:53 or [2001:db8::1]:53") from error
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError(f"{port} is not a port from 1 to 65535")
    return Endpoint(address, int(port))


def config_for_folder(
    folder: Path,
    listen: tuple[Endpoint, ...],
    allow_transfer: tuple[IPNetwork, ...],
    control: Path | None,
    images: Path | None = None,
) -> ServerConfig:
    """Make the configuration of ``mailname serve --zones DIR``: each NAME.zone is a primary zone.

    Nothing is kept on disk but the zones' images, where ``images`` is given.

    Raises:
        HostError: there is no such folder.

    """
    if not folder.is_dir():
        raise HostError(f"there is no folder {folder}", remedy="Name the folder that holds the NAME.zone files.", step="load")
    return ServerConfig(listen, (), None, control, folder=FolderConfig(folder, allow_transfer, images))


def own_address(listen: tuple[Endpoint, ...], towards: IPAddress) -> IPAddress | None:
    """Return the address to speak from: the one we are known by, so that lists of addresses at the peer match.

    None leaves the choice to the system: we listen on a wildcard, or on no address of that family and reach.
    """
    for at in listen:
        same_reach = at.address.version == towards.version and at.address.is_loopback == towards.is_loopback
        if same_reach and not at.address.is_unspecified:
            return at.address
    return None
