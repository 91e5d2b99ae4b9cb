"""A reverse zone that was found becomes a ``[[reverse_zone]]`` of the plan of a domain that the same name servers serve.

Taken is what comes out the same: each address has the name that it had. The SOA and the TTL are the plan's, which is told; a
reverse zone with other records (delegations, aliases as in RFC 2317) stays a matter for a person.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, cast

import dns.exception
import dns.name
import dns.reversename
from dns.rdatatype import RdataType

from mailname.errors import PlanError
from mailname.imports import toml_writing as toml
from mailname.plan import expand_all, load, names
from mailname.zone import Serial

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dns.name import Name
    from dns.rdtypes.ANY.PTR import PTR

    from mailname.plan.address import IPAddress, IPNetwork
    from mailname.zone import Zone

IPV4, IPV6 = dns.name.from_text("in-addr.arpa."), dns.name.from_text("ip6.arpa.")


@dataclass(frozen=True, slots=True)
class Joined:
    """What came of it: the plan's text with the table, or why there is none; and what to know."""

    text: str = ""
    why_not: str = ""
    note: str = ""


def home(zone: Zone, domains: Iterable[Zone]) -> Zone | None:
    """Return the domain that a reverse zone goes with: of those with the same name servers, the one that most PTRs lead into."""
    servers = _targets(zone)
    alike = [one for one in domains if _targets(one) == servers]
    pointed = list((_pointed(zone) or {}).values())
    return max(alike, key=lambda one: sum(name.is_subdomain(one.apex) for name in pointed), default=None)


def join(text: str, file: str, zone: Zone) -> Joined:
    """Add a reverse zone to a plan's text, and prove that each address keeps its name."""
    said, prefix, pointed = names.say(zone.apex), prefix_of(zone.apex), _pointed(zone)
    if prefix is None or pointed is None:
        return Joined(why_not=f"{said} has more than one PTR for each address: a plan has no word for the rest.")
    table = ["", "[[reverse_zone]]", toml.line("prefix", toml.text(str(prefix)))]
    made = _made(text + "\n".join(table) + "\n", file, zone.apex)
    if isinstance(made, str):
        return Joined(why_not=made)
    more = {address: name for address, name in pointed.items() if made.get(address) != name}
    if more:
        rows = [f'  {{ address = "{one}", name = {toml.text(names.say(name))} }},' for one, name in sorted(more.items(), key=str)]
        table += ["ptr = [", *rows, "]"]
    whole = text + "\n".join(table) + "\n"
    made = _made(whole, file, zone.apex)
    if isinstance(made, str):
        return Joined(why_not=made)
    if any(made.get(address) != name for address, name in pointed.items()):
        return Joined(why_not=f"A plan would give addresses in {prefix} other names than {said} does.")
    added = ", ".join(f"{address} {names.say(name)}" for address, name in made.items() if address not in pointed)
    note = f"The reverse zone {said} is in this plan, too, with {len(pointed)} names; its SOA and its TTL become the plan's."
    return Joined(whole, note=note + (f" New there: {added}." if added else ""))


def prefix_of(apex: Name) -> IPNetwork | None:
    """Return the prefix that a reverse zone is for; None where it is none."""
    for origin, count in ((IPV4, 4), (IPV6, 32)):
        if not apex.is_subdomain(origin) or apex == origin:
            continue
        labels = [label.decode("ascii", "replace") for label in reversed(apex.relativize(origin).labels)]
        if len(labels) >= count:
            return None
        whole = labels + ["0"] * (count - len(labels))
        try:
            if origin is IPV4:
                return IPv4Network((".".join(whole), 8 * len(labels)))
            groups = ("".join(whole[place : place + 4]) for place in range(0, count, 4))
            return IPv6Network((":".join(groups), 4 * len(labels)))
        except ValueError:
            return None
    return None


def _made(text: str, file: str, apex: Name) -> dict[IPv4Address | IPv6Address, Name] | str:
    """Return the names that a plan gives addresses in a reverse zone, or why it is no plan."""
    try:
        zones = expand_all(load(text, file).plan, Serial(0))
    except PlanError as error:
        return f"{error.mistakes[0].problem} {error.mistakes[0].remedy}"
    return dict(_pointed(next(zone for zone in zones if zone.apex == apex)) or {})


def _targets(zone: Zone) -> frozenset[Name]:
    rrset = zone.rrset(zone.apex, RdataType.NS)
    return frozenset(getattr(rdata, "target", dns.name.root) for rdata in rrset.rdatas) if rrset else frozenset()


def _pointed(zone: Zone) -> Mapping[IPAddress, Name] | None:
    """Return the name of each address; None where the zone holds anything else."""
    found: dict[IPAddress, Name] = {}
    for rrset in zone.rrsets():
        if rrset.owner == zone.apex and rrset.rdtype in (RdataType.SOA, RdataType.NS):
            continue
        try:
            address = ip_address(dns.reversename.to_address(rrset.owner))
        except (dns.exception.DNSException, ValueError):
            return None
        if rrset.rdtype != RdataType.PTR or len(rrset) != 1:
            return None
        found[address] = cast("PTR", rrset.rdatas[0]).target
    return found
