"""What a server's configuration file is made of: names, addresses, networks and peers, each checked where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Literal

import dns.exception
import dns.name
from dns.name import Name
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator

from mailname.server.config import IPNetwork, parse_endpoint
from mailname.server.network import Endpoint, IPAddress
from mailname.server.tls import PORT as TLS_PORT
from mailname.transfer.actions import Peer, PeerTls
from mailname.wire.certificate import read_pin


def _name(value: object) -> object:
    if isinstance(value, str):
        try:
            return dns.name.from_text(value)
        except (dns.exception.DNSException, UnicodeError) as error:
            raise ValueError(f"{value} is not a domain name") from error
    return value


def _endpoint(value: object) -> object:
    return parse_endpoint(value) if isinstance(value, str) else value


def _address(value: object) -> IPAddress:
    try:
        return ip_address(value if isinstance(value, str) else "")
    except ValueError as error:
        raise ValueError("it is not an IPv4 or IPv6 address") from error


def _network(value: object) -> IPNetwork:
    try:
        return ip_network(value if isinstance(value, str) else "", strict=False)
    except ValueError as error:
        raise ValueError("it is not a network, such as 192.0.2.0/24") from error


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


NameField = Annotated[Name, BeforeValidator(_name)]


def _tls_endpoint(value: object) -> object:
    return parse_endpoint(value, TLS_PORT) if isinstance(value, str) else value


def _pin(value: object) -> object:
    return read_pin(value) if isinstance(value, str) else value


EndpointField = Annotated[Endpoint, BeforeValidator(_endpoint)]
AddressField = Annotated[IPAddress, PlainValidator(_address)]
TlsEndpointField = Annotated[Endpoint, BeforeValidator(_tls_endpoint)]
PathField = Annotated[Path, Field(strict=False)]
NetworkField = Annotated[IPNetwork, PlainValidator(_network)]
STRICT = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class PeerTable(BaseModel):
    """Another server: where it is, the key we share, and how it proves over TLS that it is the one."""

    model_config = STRICT
    address: AddressField
    port: int | None = Field(None, ge=1, le=65535)
    key: Annotated[tuple[NameField, ...], BeforeValidator(_listed)] = ()
    tls: bool | None = None
    tls_name: str | None = Field(None, min_length=1, max_length=253)
    tls_pin: Annotated[tuple[Annotated[str, BeforeValidator(_pin)], ...], BeforeValidator(_listed)] = ()
    tls_ca: PathField | None = None

    @property
    def wants_tls(self) -> bool:
        """Tell whether it is said, or meant by what it is to be known by."""
        return self.tls if self.tls is not None else bool(self.tls_name or self.tls_pin or self.tls_ca)

    def tls_mistake(self, kind: str) -> tuple[str, str] | None:
        """Return what is wrong with what is said of TLS, and what to do."""
        if not self.wants_tls:
            said = self.tls_name or self.tls_pin or self.tls_ca
            return (
                ("tls is false, and yet it is said how TLS proves who it is", "Write tls = true, or leave it away.")
                if said
                else None
            )
        if kind == "primary" and not (self.tls_name or self.tls_pin):
            return "nothing tells how this primary proves over TLS that it is the one", "Add tls_name or tls_pin."
        if kind == "secondary" and (self.tls_name or self.tls_ca):
            return (
                "a secondary proves who it is by its key, or by a certificate with a pin",
                "Leave tls_name and tls_ca away; see client_ca in [tls].",
            )
        return None


Kind = Literal["primary", "secondary"]
KeySets = Mapping[Name, tuple[Name, ...]]


def peers_of(tables: tuple[PeerTable, ...], kind: Kind, key_sets: KeySets, top: Path) -> tuple[Peer, ...]:
    """Return the peers that tables stand for.

    Args:
        tables: as they were read.
        kind: what they are to us. A secondary is notified by UDP, so its port is another.
        key_sets: a name here stands for the keys of its file.
        top: the folder to which paths are relative.

    """
    found = []
    for one in tables:
        keys = tuple(dict.fromkeys(key for name in one.key for key in key_sets.get(name, (name,))))
        tls = PeerTls(one.tls_name, one.tls_pin, top / one.tls_ca if one.tls_ca else None) if one.wants_tls else None
        port = one.port or (TLS_PORT if tls and kind == "primary" else 53)
        found.append(Peer(one.address, port, keys[0] if keys else None, keys[1:], tls))
    return tuple(found)
