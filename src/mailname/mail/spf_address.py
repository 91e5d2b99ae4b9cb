"""What an SPF record says of one address, as far as the records at hand tell (RFC 7208 sections 4.6, 5 and 6.1).

Not implemented: ``exists``, ``ptr`` and macros, and hosts of other domains: there the answer is that nobody can say from here.
"""

from __future__ import annotations

import re
from ipaddress import ip_network
from typing import TYPE_CHECKING, Literal

import dns.exception
import dns.name

from mailname.mail.policy import MOST_LOOKUPS
from mailname.mail.spf_follow import spf_targets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from ipaddress import IPv4Address, IPv6Address

    from dns.name import Name

    Address = IPv4Address | IPv6Address
    RecordOf = Callable[[Name], str | None]
    AddressesOf = Callable[[Name], Iterable[Address] | None]

Result = Literal["pass", "fail", "softfail", "neutral"]
_SIGNS: dict[str, Result] = {"": "pass", "+": "pass", "-": "fail", "~": "softfail", "?": "neutral"}
_TERM = re.compile(r"([+?~-]?)(ip4|ip6|a|mx|all)(?::([^/]*))?((?:/\d+)?(?://\d+)?)", re.IGNORECASE)
_OTHER_MODIFIER = re.compile(r"(?!redirect=)[a-z][a-z0-9_.-]*=.*", re.IGNORECASE)


def spf_record(texts: Iterable[str]) -> str | None:
    """Return the one SPF record among TXT records; None where there is none, or more than one."""
    found = [text for text in texts if text.lower() == "v=spf1" or text.lower().startswith("v=spf1 ")]
    return found[0] if len(found) == 1 else None


def result_for(
    address: Address,
    record: str,
    domain: Name,
    addresses_of: AddressesOf,
    mail_hosts: Iterable[Name] | None,
    record_of: RecordOf = lambda _domain: None,
    deep: int = 0,
) -> Result | None:
    """Return what the record says of mail from this address; None where that depends on more than we know.

    Args:
        address: where the mail comes from.
        record: the SPF record.
        domain: whose it is.
        addresses_of: gives a host's addresses; None when nobody could say.
        mail_hosts: the hosts that the domain's MX names; None where they are not known.
        record_of: gives another domain's one SPF record; None when nobody could say.
        deep: how many records have led to this one.

    """
    hosts = tuple(mail_hosts) if mail_hosts is not None else None
    to: Name | None = None

    def of_another(other: Name) -> Result | None:
        further = record_of(other) if deep < MOST_LOOKUPS else None
        return result_for(address, further, other, addresses_of, None, record_of, deep + 1) if further is not None else None

    for term in record.split()[1:]:
        if _OTHER_MODIFIER.fullmatch(term):
            continue
        if elsewhere := spf_targets(f"v=spf1 {term}"):
            kind, other = elsewhere[0]
            if kind == "redirect":
                to = other
                continue
            result = of_another(other)
            if result is None:
                return None
            if result == "pass":
                return _SIGNS[term[0] if term[0] in _SIGNS else ""]
            continue
        match = _TERM.fullmatch(term)
        if match is None or "%" in term:
            return None
        matches = _matches(match, address, domain, addresses_of, hosts)
        if matches is None:
            return None
        if matches:
            return _SIGNS[match[1]]
    return of_another(to) if to is not None else "neutral"


def _matches(
    term: re.Match[str], address: Address, domain: Name, addresses_of: AddressesOf, hosts: tuple[Name, ...] | None
) -> bool | None:
    kind, value, lengths = term[2].lower(), term[3], term[4]
    if kind == "all":
        return True
    if kind in ("ip4", "ip6"):
        return _is_in(address, f"{value}{lengths}")
    try:
        target = dns.name.from_text(value) if value else domain
    except dns.exception.DNSException:
        return None
    asked = (target,) if kind == "a" else hosts if target == domain else None
    if asked is None:
        return None
    found: list[Address] = []
    for host in asked:
        known = addresses_of(host)
        if known is None:
            return None
        found += known
    v4, _, v6 = lengths.partition("//")
    length = v4.lstrip("/") if address.version == 4 else v6
    suffix = f"/{length}" if length else ""
    return any(_is_in(address, f"{one}{suffix}") for one in found if one.version == address.version)


def _is_in(address: Address, network: str) -> bool | None:
    try:
        return address in ip_network(network, strict=False)
    except ValueError:
        return None
