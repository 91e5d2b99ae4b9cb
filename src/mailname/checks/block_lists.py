"""MAIL-07 and MAIL-08: a mail host may be on a block list; and a list that does not answer us says nothing of it."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from typing import TYPE_CHECKING, NamedTuple

import dns.rcode
from dns.rdatatype import RdataType

from mailname.checks.finding import Finding, Severity, evidence_of
from mailname.checks.mail_host import visits
from mailname.checks.observe_lists import LISTED, NOT_LISTED, listed_name
from mailname.checks.wording import listed, spoken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dns.name import Name

    from mailname.checks.facts import Facts, Probe
    from mailname.plan import Plan
    from mailname.server.network import IPAddress

_VALUES = IPv4Network("127.0.0.0/8")  # RFC 5782 section 2.1: what is outside is no answer of a list
_ERRORS = IPv4Network("127.255.255.0/24")  # by custom of the large lists: "you may not ask us", never "listed"


class _Said(NamedTuple):
    """What a list says of an address: its values, none when it is not listed; ``why`` it says nothing that can be used."""

    probe: Probe
    values: tuple[IPv4Address, ...] = ()
    why: str = ""


def _said(facts: Facts, address: IPAddress, of: Name) -> _Said | None:
    name = listed_name(address, of)
    probe = next((p for p in facts.at_rung("resolver") if (p.qname, p.qtype) == (name, RdataType.A)), None)
    if probe is None:
        return None
    if not probe.answered or probe.rcode is None:
        return _Said(probe, why="the resolver does not answer for it")
    if probe.rcode not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        return _Said(probe, why=f"the answer is {dns.rcode.to_text(probe.rcode)}")
    found = tuple(IPv4Address(r.rdata.to_text()) for r in probe.answer if r.rdtype == RdataType.A)
    if refused := [one for one in found if one in _ERRORS]:
        return _Said(probe, why=f"it answers {listed(refused)}, by which it refuses to answer")
    if strange := [one for one in found if one not in _VALUES]:
        return _Said(probe, why=f"it answers {listed(strange)}, which is no value of a list")
    return _Said(probe, found)


def _useless(facts: Facts, of: Name, version: int) -> _Said | None:
    """Return why a list cannot be believed for a family of addresses; None when it works."""
    here, not_here = (_said(facts, points[version], of) for points in (LISTED, NOT_LISTED))
    if here is None or here.why:
        return here
    if not here.values:
        return _Said(here.probe, why=f"it does not know its own test point {LISTED[version]}")
    if not_here is not None and not_here.values:
        return _Said(not_here.probe, why=f"it lists {NOT_LISTED[version]}, and so everybody")
    return None


def on_block_list(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Find mail hosts on a list; note the lists that say nothing."""
    at = {visit.address: host for host, made in visits(plan, facts).items() for visit in made}
    for of in facts.dnsbl:
        for version in sorted({address.version for address in at}):
            useless = _useless(facts, of, version)
            if useless is not None:
                yield _without_answer(of, version, useless)
                continue
            for address, host in at.items():
                said = _said(facts, address, of) if address.version == version else None
                if said is None or not said.values:
                    continue
                yield Finding(
                    "MAIL-07",
                    Severity.FRAGILE,
                    f"The mail host {spoken(host)} ({address}) is on the block list {spoken(of)} ({listed(said.values)}):"
                    " who goes by that list refuses its mail.",
                    f"mail server on {spoken(host)}",
                    f"Find out why (dig {spoken(said.probe.qname)} TXT says where to read), stop what causes it, and ask"
                    f" {spoken(of)} to take the address out.",
                    f"dig {spoken(said.probe.qname)} A",
                    (evidence_of(said.probe),),
                    server=host,
                    addresses=(address,),
                )


def _without_answer(of: Name, version: int, useless: _Said) -> Finding:
    return Finding(
        "MAIL-08",
        Severity.NOTE,
        f"The block list {spoken(of)} says nothing of IPv{version} addresses here: {useless.why}."
        " That is no word about the mail host.",
        "resolver",
        "Ask through a resolver of your own: large lists do not answer public ones; or leave this list out.",
        f"dig {spoken(useless.probe.qname)} A",
        (evidence_of(useless.probe),),
    )
