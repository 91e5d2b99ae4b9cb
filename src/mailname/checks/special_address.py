"""DELEG-11: a name server that is to be found by everyone needs an address that everyone can reach (RFC 6890, RFC 1918)."""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING

from mailname.checks.facts import Outcome
from mailname.checks.finding import Finding, Severity, evidence_of
from mailname.checks.reading import sights
from mailname.checks.remembered import remembered
from mailname.checks.wording import listed, plan_file, spoken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailname.checks.facts import Facts
    from mailname.checks.reading import Sight
    from mailname.plan import Plan
    from mailname.server.network import IPAddress

_KINDS = {
    "is for private networks only": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"),
    "is this machine itself": ("127.0.0.0/8", "::1/128"),
    "is good on one cable only": ("169.254.0.0/16", "fe80::/10"),
    "is for documents and tests only": (
        "192.0.2.0/24",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "198.18.0.0/15",
        "2001:db8::/32",
        "3fff::/20",
    ),
    "is no address of a machine": ("0.0.0.0/8", "224.0.0.0/3", "ff00::/8", "::/128"),
}
_NETWORKS = tuple((kind, ip_network(text)) for kind, texts in _KINDS.items() for text in texts)


def kind_of(address: IPAddress) -> str | None:
    """Say what an address is that the Internet does not route; None for one that it does."""
    return next((kind for kind, net in _NETWORKS if address.version == net.version and address in net), None)


def out_of_the_internet(facts: Facts, sight: Sight) -> str | None:
    """Say why an address that does not answer could not; None where it could, or where such addresses work in this network."""
    if Outcome.ANSWER in (sight.udp, sight.tcp) or sight.elsewhere is not None:
        return None
    kind = kind_of(sight.address)
    working = _working(facts)
    return kind if working and kind not in working else None  # where nothing answered, our own network is the matter


@remembered
def _working(facts: Facts) -> frozenset[str | None]:
    return frozenset(kind_of(probe.address) for probe in facts.probes if probe.answered)


def address_is_public(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Find name servers that do not answer and could not, by their address; in a network where such addresses work, none."""
    all_seen = sights(plan, facts)
    nobody_answers = not any(Outcome.ANSWER in (sight.udp, sight.tcp) for sight in all_seen)
    for server in plan.name_servers:
        own = (sight for sight in all_seen if sight.server == server)
        found = {sight.address: kind for sight in own if (kind := out_of_the_internet(facts, sight))}
        if not found:
            continue
        name = spoken(server.name)
        probes = [probe for address in found for probe in facts.asked_at(address)[:1]]
        yield Finding(
            "DELEG-11",
            Severity.DEAD if nobody_answers else Severity.FRAGILE,
            f"{name} cannot be reached from the Internet: {listed(f'{address} {kind}' for address, kind in found.items())}.",
            "registrar",
            f"Write the public address of {name} into the zone, and as glue at the registrar; or remove {listed(found)}.",
            f"mailname show {plan_file(plan.domain)} --registrar",
            tuple(evidence_of(probe) for probe in probes),
            server=server.name,
            addresses=tuple(found),
        )
