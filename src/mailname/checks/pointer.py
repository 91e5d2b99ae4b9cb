"""MAIL-03: the mail host's address must have a name that leads back to it: many receivers refuse mail from one that has not."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, cast

import dns.rcode
import dns.reversename
from dns.rdatatype import RdataType

from mailname.checks.finding import Finding, Severity, evidence_of
from mailname.checks.mail_host import visits
from mailname.checks.wording import listed, spoken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dns.name import Name
    from dns.rdtypes.ANY.PTR import PTR

    from mailname.checks.facts import Facts, Probe
    from mailname.plan import Plan
    from mailname.server.network import IPAddress

_ADDRESSES = (RdataType.A, RdataType.AAAA)


def reverse_name(address: IPAddress) -> Name:
    """Return the name below in-addr.arpa or ip6.arpa at which an address's PTR stands (RFC 1035 section 3.5, RFC 3596)."""
    return dns.reversename.from_address(str(address))


def _asked(facts: Facts, owner: Name, *kinds: RdataType) -> list[Probe]:
    found = [p for p in facts.at_rung("resolver") if p.qname == owner and p.qtype in kinds and p.answered]
    return [p for p in found if p.rcode in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN)]


def names_of(facts: Facts, address: IPAddress) -> tuple[Name, ...] | None:
    """Return the names that an address has by its PTR records; None when nobody could say."""
    asked = _asked(facts, reverse_name(address), RdataType.PTR)
    if not asked:
        return None
    return tuple(cast("PTR", r.rdata).target for probe in asked for r in probe.answer if r.rdtype == RdataType.PTR)


def _leads_back(facts: Facts, host: Name, address: IPAddress) -> bool | None:
    """Tell whether a name has this address: a name of the domain by the plan, since what is served is judged elsewhere."""
    planned = [ip_address(rdata.to_text()) for kind in _ADDRESSES for rdata in facts.expects(host, kind)]
    if planned:
        return address in planned
    asked = _asked(facts, host, *_ADDRESSES)
    if not asked:
        return None
    return any(ip_address(r.rdata.to_text()) == address for p in asked for r in p.answer if r.rdtype in _ADDRESSES)


def address_has_name(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Find mail hosts whose addresses have no name, or one that leads elsewhere."""
    seen: set[IPAddress] = set()
    for host, made in visits(plan, facts).items():
        for address in (visit.address for visit in made if visit.connected):
            names = names_of(facts, address)
            if address in seen or names is None:
                continue
            seen.add(address)
            back = [_leads_back(facts, name, address) for name in names]
            if any(one is not False for one in back):
                continue
            told = (
                f"has the name {listed(map(spoken, names))} (PTR), which does not lead back to it"
                if names
                else "has no name (PTR)"
            )
            yield Finding(
                "MAIL-03",
                Severity.FRAGILE,
                f"The address {address} of the mail host {spoken(host)} {told}: many receivers refuse mail from there.",
                f"provider of {address}",
                f"Let the provider of the address set its reverse name (PTR, rDNS) to {spoken(host)}.",
                f"dig -x {address}",
                tuple(evidence_of(probe) for probe in _asked(facts, reverse_name(address), RdataType.PTR)),
                server=host,
                addresses=(address,),
            )
