"""Prefixes of address space and the reverse zones they mean (RFC 1035 section 3.5, RFC 3596 section 2.5)."""

from __future__ import annotations

from ipaddress import IPv4Network, ip_address, ip_network
from typing import TYPE_CHECKING

import dns.reversename
from dns.name import Name

from mailname.plan.fault import WrongValueError

if TYPE_CHECKING:
    from mailname.plan.address import IPNetwork


def read_prefix(text: str) -> IPNetwork:
    """Read a prefix that is exactly one reverse zone: IPv4 at octets, IPv6 at nibbles."""
    if "/" not in text:
        raise WrongValueError(f"'{text}' is not a prefix: its length is missing.", 'As in "192.0.2.0/24" or "2001:db8:1::/48".')
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise WrongValueError(f"'{text}' is not a prefix.", 'As in "192.0.2.0/24" or "2001:db8:1::/48".') from None
    length = network.prefixlen
    if isinstance(network, IPv4Network):
        if length > 24:
            raise WrongValueError(
                f"{text} is smaller than a /24: its reverse zone belongs to your provider.",
                "Ask the provider to set the PTR records, or to delegate names of yours as RFC 2317 describes.",
            )
        if length not in {8, 16, 24}:
            raise WrongValueError(f"{text} is not one reverse zone.", "Write one [[reverse_zone]] for each /24 or /16 in it.")
    elif length % 4 or not 4 <= length <= 124:
        raise WrongValueError(f"{text} is not one reverse zone.", "Use a length that is a multiple of 4, as in /48 or /64.")
    if network.network_address != ip_address(text.partition("/")[0]):
        raise WrongValueError(f"{text} has bits beyond its length.", f'Did you mean "{network}"?', instead=str(network))
    return network


def reverse_apex(network: IPNetwork) -> Name:
    """Return the apex of the reverse zone of a prefix."""
    whole = dns.reversename.from_address(str(network.network_address))
    step = 8 if network.version == 4 else 4
    return Name(whole.labels[(network.max_prefixlen - network.prefixlen) // step :])
