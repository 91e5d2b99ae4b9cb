"""DELEG-09: the referral must fit into 512 octets, or who asks without EDNS gets it in pieces (RFC 1035 section 4.2.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.name

from mailname.checks.finding import Finding, Severity, evidence_of
from mailname.checks.reading import delegation
from mailname.checks.wording import plan_file, spoken

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dns.name import Name

    from mailname.checks.facts import Facts
    from mailname.plan import Plan
    from mailname.server.network import IPAddress

LARGEST = 512  # octets, without EDNS
_LONGEST_NAME = 255  # octets
_LONGEST_LABEL = 63
_HEADER, _FIXED, _POINTER = 12, 10, 2  # octets of a message and of a record, beside its names; of a compressed name


def referral_octets(domain: Name, glue: Mapping[Name, frozenset[IPAddress]]) -> int:
    """Return how long a referral is when the longest name below the domain is asked for, names compressed."""
    import dns.flags
    import dns.message
    import dns.rrset
    from dns.rdataclass import RdataClass
    from dns.rdatatype import RdataType

    message = dns.message.make_query(_longest_below(domain), RdataType.A, use_edns=False)
    message.flags |= dns.flags.QR
    message.authority = [dns.rrset.from_text_list(domain, 86400, RdataClass.IN, RdataType.NS, sorted(map(str, glue)))]
    for name, addresses in glue.items():
        for version, kind in ((4, RdataType.A), (6, RdataType.AAAA)):
            if texts := [str(address) for address in addresses if address.version == version]:
                message.additional.append(dns.rrset.from_text_list(name, 86400, RdataClass.IN, kind, texts))
    return len(message.to_wire(max_size=65535))


def _at_most(glue: Mapping[Name, frozenset[IPAddress]]) -> int:
    """Return how long it is if no name server's name is compressed where it first stands: most are short enough even so."""
    octets = _HEADER + _LONGEST_NAME + 4
    for name, addresses in glue.items():
        length = sum(len(label) + 1 for label in name.labels)
        octets += _POINTER + _FIXED + length
        octets += sum(_POINTER + _FIXED + len(address.packed) for address in addresses)
    return octets


def _longest_below(domain: Name) -> Name:
    labels = list(domain.labels)
    while (room := _LONGEST_NAME - sum(len(label) + 1 for label in labels)) > 1:
        labels.insert(0, b"a" * min(_LONGEST_LABEL, room - 1))
    return dns.name.Name(labels)


def referral_fits(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Note a referral that is too large."""
    parent = delegation(plan, facts)
    if parent is None or not parent.glue:
        return
    if _at_most(parent.glue) <= LARGEST:
        return
    octets = referral_octets(plan.domain, parent.glue)
    if octets <= LARGEST:
        return
    yield Finding(
        "DELEG-09",
        Severity.NOTE,
        f"The referral to {spoken(plan.domain)} takes up to {octets} octets: more than the {LARGEST} that fit without EDNS.",
        "registrar",
        "Have fewer name servers, or give them shorter names.",
        f"mailname show {plan_file(plan.domain)} --registrar",
        (evidence_of(parent.probe),),
    )
