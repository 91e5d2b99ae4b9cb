"""The delegation as it is going to be: for a look before the registrar has been told anything."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

import dns.name
import dns.rcode
import dns.rdata
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType

from mailname.checks.facts import Outcome, Probe, Record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dns.name import Name
    from dns.rdata import Rdata

    from mailname.checks.facts import Facts
    from mailname.plan import NameServer

NOT_YET = dns.name.from_text("not-registered-yet.")
_NOWHERE = IPv4Address(0)  # nobody was asked
_TTL = 86_400


def before_registering(facts: Facts, servers: Sequence[NameServer], ds: Sequence[Rdata] = ()) -> Facts:
    """Return the facts as if the parent had delegated the domain to these servers, with their glue and this DS."""
    domain = facts.domain
    names = [_record(domain.to_text(), RdataType.NS, server.name.to_text()) for server in servers]
    glue = [
        _record(server.name.to_text(), RdataType.A if address.version == 4 else RdataType.AAAA, str(address))
        for server in servers
        if server.name.is_subdomain(domain)
        for address in server.addresses
    ]
    referral = _answer(domain, RdataType.NS, authority=tuple(names), additional=tuple(glue))
    signed = _answer(domain, RdataType.DS, answer=tuple(Record(domain, _TTL, one) for one in ds))
    return replace(facts, start="tld", probes=(*facts.probes, referral, signed))


def _record(owner: str, rdtype: RdataType, text: str) -> Record:
    return Record(dns.name.from_text(owner), _TTL, dns.rdata.from_text(RdataClass.IN, rdtype, text))


def _answer(
    domain: Name,
    qtype: RdataType,
    *,
    answer: tuple[Record, ...] = (),
    authority: tuple[Record, ...] = (),
    additional: tuple[Record, ...] = (),
) -> Probe:
    return Probe(
        rung="tld",
        zone=domain.parent(),
        server=NOT_YET,
        address=_NOWHERE,
        port=53,
        transport="udp",
        qname=domain,
        qtype=qtype,
        outcome=Outcome.ANSWER,
        rcode=dns.rcode.NOERROR,
        answer=answer,
        authority=authority,
        additional=additional,
        tries=0,
    )
