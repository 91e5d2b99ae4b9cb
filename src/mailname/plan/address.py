"""Addresses: which can be read, which can serve the public, and which share a prefix."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from mailname.plan.fault import WrongValueError

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network

_LIMITED_BROADCAST = IPv4Address("255.255.255.255")
_THIS_NETWORK = IPv4Network("0.0.0.0/8")
_PRIVATE = (
    (IPv4Network("10.0.0.0/8"), "private (RFC 1918)"),
    (IPv4Network("172.16.0.0/12"), "private (RFC 1918)"),
    (IPv4Network("192.168.0.0/16"), "private (RFC 1918)"),
    (IPv4Network("100.64.0.0/10"), "behind the provider's address translation (RFC 6598)"),
    (IPv6Network("fc00::/7"), "unique local (RFC 4193)"),
)


def read_address(text: str) -> IPAddress:
    """Read one IPv4 or IPv6 address; raises WrongValueError with the likely reason."""
    try:
        address = ip_address(text)
    except ValueError:
        raise WrongValueError(f"'{text}' is not an IP address.", _why_no_address(text)) from None
    if isinstance(address, IPv6Address) and address.scope_id:
        raise WrongValueError(f"'{text}' has a zone index ('%{address.scope_id}').", "Write the global address without it.")
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        raise WrongValueError(f"'{text}' is an IPv4 address in IPv6 dress.", f'Write "{address.ipv4_mapped}".')
    if reason := _unusable(address):
        raise WrongValueError(f"{text} is {reason}: nobody on the Internet can reach a host there.", "Write its public address.")
    return address


def _why_no_address(text: str) -> str:
    head, slash, _ = text.partition("/")
    if slash and is_address(head):
        return f'That is a prefix; write the one address, "{head}".'
    head = text.rpartition(":")[0].strip("[]")
    if text.count(":") == 1 or text.startswith("["):
        if is_address(head):
            return f'Leave the port away: "{head}".'
    elif text.strip() != text and is_address(text.strip()):
        return f'Leave the spaces away: "{text.strip()}".'
    if re.fullmatch(r"[0-9.]+", text):
        return 'An IPv4 address is four numbers from 0 to 255, as in "192.0.2.1", without leading zeros.'
    if ":" in text:
        return 'An IPv6 address is groups of hexadecimal digits, "::" at most once, as in "2001:db8:1::1".'
    return 'Write an address, as in "192.0.2.1" or "2001:db8:1::1", not a name.'


def _unusable(address: IPAddress) -> str | None:
    if address.is_unspecified:
        return "the unspecified address"
    if address.is_loopback:
        return "a loopback address"
    if address.is_multicast:
        return "a multicast address"
    if address.is_link_local:
        return "a link-local address"
    if address == _LIMITED_BROADCAST:
        return "the broadcast address"
    if isinstance(address, IPv4Address) and (address.is_reserved or address in _THIS_NETWORK):
        return "a reserved address"
    return None


def private_reason(address: IPAddress) -> str | None:
    """Tell why an address is not reachable from the Internet though it is a good one at home; None when it is not so."""
    return next((reason for network, reason in _PRIVATE if address in network), None)


def is_address(text: str) -> bool:
    """Tell whether a text that should be a name is an address (an MX or NS may not name one)."""
    try:
        ip_address(text.rstrip(".").strip("[]"))
    except ValueError:
        return False
    return True


def prefix(address: IPAddress) -> IPNetwork:
    """Return what commonly fails together: the /24 of an IPv4 address, the /48 of an IPv6 address."""
    return ip_network((address, 24 if address.version == 4 else 48), strict=False)
