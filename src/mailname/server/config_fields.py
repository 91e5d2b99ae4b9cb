"""What a server's configuration file is made of: names, addresses, networks and peers, each checked where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from typing import Annotated

import dns.exception
import dns.name
from dns.name import Name
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator

from mailname.server.config import IPNetwork, parse_endpoint
from mailname.server.network import Endpoint, IPAddress
from mailname.transfer.actions import Peer


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
EndpointField = Annotated[Endpoint, BeforeValidator(_endpoint)]
AddressField = Annotated[IPAddress, PlainValidator(_address)]
NetworkField = Annotated[IPNetwork, PlainValidator(_network)]
STRICT = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class PeerTable(BaseModel):
    """Another server: where it is, and the key we share."""

    model_config = STRICT
    address: AddressField
    port: int = Field(53, ge=1, le=65535)
    key: Annotated[tuple[NameField, ...], BeforeValidator(_listed)] = ()


KeySets = Mapping[Name, tuple[Name, ...]]


def peers_of(tables: tuple[PeerTable, ...], key_sets: KeySets) -> tuple[Peer, ...]:
    """Return the peers that tables stand for; a name of ``key_sets`` stands for the keys of its file."""
    found = []
    for one in tables:
        keys = tuple(dict.fromkeys(key for name in one.key for key in key_sets.get(name, (name,))))
        found.append(Peer(one.address, one.port, keys[0] if keys else None, keys[1:]))
    return tuple(found)
