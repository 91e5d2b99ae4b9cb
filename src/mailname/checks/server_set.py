"""DELEG-06 and DELEG-07: two name servers, on two machines, in two networks (RFC 2182 sections 3 and 5)."""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING

from mailname.checks.finding import Finding, Severity, evidence_of
from mailname.checks.reading import addresses_of, delegation, sights
from mailname.checks.wording import listed, plan_file, spoken

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dns.name import Name

    from mailname.checks.facts import Facts
    from mailname.plan import Plan
    from mailname.server.network import IPAddress

_NETWORK = {4: 24, 6: 48}  # bits that two addresses of one site mostly share


def enough_servers(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Note a delegation to a single name server, where the plan means it so; else the lists differ, which is told as that."""
    parent = delegation(plan, facts)
    if parent is None or len(parent.names) != 1 or len(plan.name_servers) > 1:
        return
    yield Finding(
        "DELEG-06",
        Severity.NOTE,
        f"{spoken(plan.domain)} has one name server, {spoken(plan.primary.name)}: when it is down, the domain is gone."
        " Many registries want two.",
        "plan",
        'Add a second [[name_server]] with role = "secondary" to the plan, on another machine and network.',
        f"mailname show {plan_file(plan.domain)} --registrar",
        (evidence_of(parent.probe),),
    )


def different_machines(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Find name servers that are one machine under several names, and note those that share a network."""
    found = {server.name: frozenset(addresses_of(server, facts)) for server in plan.name_servers}
    known = [addresses for addresses in found.values() if addresses]
    if len(found) < 2 or len(known) < len(found):
        return
    parent = delegation(plan, facts)
    evidence = (evidence_of(parent.probe),) if parent else ()
    shared = _shared(found)
    answering = {sight.address for sight in sights(plan, facts) if sight.soa is not None}
    if shared and not any(answering & set(addresses) for addresses in shared.values()):
        return  # nobody is there: that is told, and not what would be wrong if somebody were
    if shared:
        yield Finding(
            "DELEG-07",
            Severity.FRAGILE,
            " ".join(
                f"{listed(spoken(name) for name in names)} are the same machine: {'all' if len(names) > 2 else 'both'} have"
                f" {listed(addresses)}."
                for names, addresses in shared.items()
            ),
            "plan",
            "Put the secondary on another machine, and write its address into the plan and to the registrar.",
            f"mailname show {plan_file(plan.domain)} --registrar",
            evidence,
            addresses=tuple(address for addresses in shared.values() for address in addresses),
        )
    elif _one_network(known):
        yield Finding(
            "DELEG-07",
            Severity.NOTE,
            f"{listed(spoken(name) for name in found)} are in the same network: what cuts off one cuts off all.",
            "plan",
            "Put one of them elsewhere when you can.",
            f"mailname show {plan_file(plan.domain)} --registrar",
            evidence,
        )


def _shared(servers: Mapping[Name, frozenset[IPAddress]]) -> dict[tuple[Name, ...], list[IPAddress]]:
    """Return the names that share addresses, with these."""
    shared: dict[tuple[Name, ...], list[IPAddress]] = {}
    for address in sorted({address for addresses in servers.values() for address in addresses}, key=str):
        names = tuple(name for name, addresses in servers.items() if address in addresses)
        if len(names) > 1:
            shared.setdefault(names, []).append(address)
    return shared


def _one_network(servers: list[frozenset[IPAddress]]) -> bool:
    networks = {ip_network((a, _NETWORK[a.version]), strict=False) for addresses in servers for a in addresses}
    families = {network.version for network in networks}
    return len(networks) == len(families) and all(len({a.version for a in addresses}) == len(families) for addresses in servers)
