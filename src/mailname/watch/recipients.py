"""Whose machines take the mail for those who are told: MX and NS of their domains, asked of the resolver. Best effort."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import dns.exception
import dns.message
import dns.name
from dns.rdatatype import RdataType

from mailname.server.network import ask_udp

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dns.name import Name

    from mailname.server.network import Endpoint, Network

_PATIENCE = 3.0  # seconds for one question


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who takes the mail of a domain, and who tells where that is; empty where nobody answered."""

    mail_hosts: tuple[Name, ...] = ()
    name_servers: tuple[Name, ...] = ()


async def recipients(network: Network, resolver: Endpoint, domains: Iterable[Name]) -> dict[Name, Recipient]:
    """Ask for each domain; what is not answered is left empty."""
    wanted = tuple(dict.fromkeys(domains))
    found = await asyncio.gather(*(_of(network, resolver, domain) for domain in wanted))
    return dict(zip(wanted, found, strict=True))


async def _of(network: Network, resolver: Endpoint, domain: Name) -> Recipient:
    hosts, servers = await asyncio.gather(
        _asked(network, resolver, domain, RdataType.MX), _asked(network, resolver, domain, RdataType.NS)
    )
    return Recipient(hosts, servers)


async def _asked(network: Network, resolver: Endpoint, domain: Name, rdtype: RdataType) -> tuple[Name, ...]:
    query = dns.message.make_query(domain, rdtype)
    try:
        reply = await ask_udp(network, query.to_wire(), resolver, timeout=_PATIENCE)
        answer = dns.message.from_wire(reply, ignore_trailing=True, raise_on_truncation=False)
    except (OSError, ValueError, dns.exception.DNSException):  # a timeout is an OSError
        return ()
    return tuple(
        rdata.exchange if rdtype is RdataType.MX else rdata.target
        for rrset in answer.answer
        if rrset.rdtype == rdtype
        for rdata in rrset
    )
