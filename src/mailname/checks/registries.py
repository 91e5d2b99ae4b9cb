"""What a registry would say to the domain's name servers: its rules are data, here they are put to the facts.

Rules read what the checks found, so that a registry and the rest of the verdict never contradict each other.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any, Literal, cast

from dns.rdatatype import RdataType

from mailname.checks.reading import addresses_of, served, source_of_truth
from mailname.checks.wording import listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from dns.rdtypes.ANY.SOA import SOA

    from mailname.checks.facts import Facts
    from mailname.checks.finding import Finding
    from mailname.plan import Plan

Level = Literal["must", "should"]
Junk = Literal["accepted", "refused", "suspended", "deleted", "unknown"]
_NETWORK = {4: 24, 6: 48}
_TIMERS = ("refresh", "retry", "expire", "minimum")


@dataclass(frozen=True, slots=True)
class Rule:
    """One demand of a registry; ``numbers`` are its bounds, where it has any."""

    rule: str
    level: Level
    verified: bool
    numbers: Mapping[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Registry:
    """What one registry demands.

    Attributes:
        looks: when it looks at the name servers.
        failing: what becomes of a domain that fails.
        junk: what becomes of a second name server that does not answer, entered only so that there are two.
        gate: whether it looks before it takes an order.
        verified: whether these were read in its own text.

    """

    tlds: tuple[str, ...]
    name: str
    looks: str
    failing: str
    junk: Junk
    gate: bool
    verified: bool
    source: str
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Objection:
    """A rule that is not kept, in words."""

    rule: Rule
    says: str

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"rule": self.rule.rule, "level": self.rule.level, "verified": self.rule.verified, "says": self.says}


@dataclass(frozen=True, slots=True)
class Decision:
    """What a registry would say."""

    registry: Registry
    objections: tuple[Objection, ...]

    @property
    def refuses(self) -> bool:
        """Whether a rule that must be kept is not."""
        return any(one.rule.level == "must" for one in self.objections)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        registry = self.registry
        return {
            "registry": registry.name,
            "tlds": list(registry.tlds),
            "looks": registry.looks,
            "failing": registry.failing,
            "junk": registry.junk,
            "source": registry.source,
            "verified": registry.verified and all(rule.verified for rule in registry.rules),
            "refuses": self.refuses,
            "objections": [one.to_json() for one in self.objections],
        }


@cache
def registries() -> tuple[Registry, ...]:
    """Return all registries whose rules are known; the last is the measure for the others."""
    text = resources.files("mailname.checks").joinpath("registries.toml").read_text(encoding="utf-8")
    return tuple(_registry(one) for one in tomllib.loads(text)["registry"])


def _registry(raw: dict[str, Any]) -> Registry:
    known = ("rule", "level", "verified")
    rules = (
        Rule(one["rule"], one["level"], one["verified"], {k: v for k, v in one.items() if k not in known}) for one in raw["rules"]
    )
    return Registry(**{**raw, "tlds": tuple(raw["tlds"]), "rules": tuple(rules)})


def registry_of(tld: str) -> Registry:
    """Return the registry of a TLD, or the general measure."""
    return next((one for one in registries() if tld.lower().strip(".") in one.tlds), registries()[-1])


def decide(registry: Registry, plan: Plan, facts: Facts, findings: Iterable[Finding]) -> Decision:
    """Put a registry's rules to what was seen."""
    found = tuple(findings)
    objections = [
        Objection(rule, says) for rule in registry.rules if (says := _JUDGES[rule.rule](_Seen(plan, facts, found, rule.numbers)))
    ]
    return Decision(registry, tuple(objections))


@dataclass(frozen=True, slots=True)
class _Seen:
    plan: Plan
    facts: Facts
    findings: tuple[Finding, ...]
    numbers: Mapping[str, Any]

    def says(self, *codes: str) -> str:
        """Join what the checks found under these codes."""
        return " ".join(finding.says for finding in self.findings if finding.code in codes)


def _two_servers(seen: _Seen) -> str:
    count = len(seen.plan.name_servers)
    return "" if count > 1 else f"There is {count} name server, and two are wanted."


def _an_ipv4_address(seen: _Seen) -> str:
    addresses = [address for server in seen.plan.name_servers for address in addresses_of(server, seen.facts)]
    return "" if any(address.version == 4 for address in addresses) else "No name server has an IPv4 address."


def _distinct_addresses(seen: _Seen) -> str:
    sets = [frozenset(addresses_of(server, seen.facts)) for server in seen.plan.name_servers]
    return "" if len(sets) < 2 or len(set(sets)) > 1 or not any(sets) else "All name servers have the same addresses."


def _different_networks(seen: _Seen) -> str:
    addresses = [address for server in seen.plan.name_servers for address in addresses_of(server, seen.facts)]
    for version, bits in _NETWORK.items():
        family = [address for address in addresses if address.version == version]
        networks = {ip_network((address, bits), strict=False) for address in family}
        if len(family) > 1 and len(networks) == 1:
            return f"All name servers are in {next(iter(networks))}."
    return ""


def _soa(seen: _Seen) -> SOA | None:
    truth = source_of_truth(seen.plan, seen.facts)
    found = served(seen.facts, truth.address, seen.plan.domain, RdataType.SOA) if truth else None
    return cast("SOA", found[0]) if found else None


def _soa_range(seen: _Seen) -> str:
    if (soa := _soa(seen)) is None:
        return ""
    wrong = []
    for timer in _TIMERS:
        least, most = seen.numbers[timer]
        if not least <= (now := getattr(soa, timer)) <= most:
            wrong.append(f"{timer} is {now}, wanted are {least} to {most} seconds")
    return f"In the SOA, {listed(wrong)}." if wrong else ""


def _ns_ttl(seen: _Seen) -> str:
    truth = source_of_truth(seen.plan, seen.facts)
    probe = seen.facts.probe(truth.address, "udp", seen.plan.domain, RdataType.NS) if truth else None
    ttls = [record.ttl for record in probe.answer if record.rdtype == RdataType.NS] if probe else []
    if not ttls or min(ttls) >= seen.numbers["least"]:
        return ""
    return f"The TTL of the NS records is {min(ttls)}, wanted are {seen.numbers['least']} seconds or more."


def _retry_share(seen: _Seen) -> str:
    soa = _soa(seen)
    if soa is None or not soa.refresh or seen.numbers["least"] <= soa.retry / soa.refresh <= seen.numbers["most"]:
        return ""
    return f"In the SOA, retry ({soa.retry}) is not between an eighth and a third of refresh ({soa.refresh})."


_JUDGES: Mapping[str, Callable[[_Seen], str]] = {
    "two-servers": _two_servers,
    "an-ipv4-address": _an_ipv4_address,
    "distinct-addresses": _distinct_addresses,
    "different-networks": _different_networks,
    "glue-present": lambda seen: seen.says("DELEG-02"),
    "no-alias": lambda seen: seen.says("DELEG-08"),
    "ns-ttl": _ns_ttl,
    "glue": lambda seen: seen.says("DELEG-02", "DELEG-03"),
    "udp": lambda seen: seen.says("NS-01", "NS-03"),
    "tcp": lambda seen: seen.says("NS-01", "NS-02"),
    "authoritative": lambda seen: seen.says("NS-04", "NS-05", "NS-06", "NS-09"),
    "same-ns-set": lambda seen: seen.says("DELEG-04"),
    "same-serial": lambda seen: seen.says("XFER-01", "XFER-02", "XFER-03", "XFER-04", "XFER-05", "SERIAL-02"),
    "no-recursion": lambda seen: seen.says("NS-07"),
    "referral-size": lambda seen: seen.says("DELEG-09"),
    "soa-range": _soa_range,
    "retry-share": _retry_share,
}


_JUNK: Mapping[Junk, str] = {
    "accepted": "is accepted here: nobody looks at it, and it makes each lookup slower.",
    "refused": "is refused here: the order fails.",
    "suspended": "costs the domain here: it is taken out of the zone some weeks later.",
    "deleted": "costs the domain here: it is deleted some weeks later.",
    "unknown": "is no matter of which anything is known here.",
}


def sentence_on_junk(registry: Registry) -> str:
    """Say what this registry makes of a second name server that does not answer."""
    sure = "" if registry.verified else " (This was not verified in its own text.)"
    return f"A second name server that does not answer, entered only to have two, {_JUNK[registry.junk]}{sure}"


def sentence_of(decision: Decision, domain: str) -> str:
    """Say in one sentence what a registry would do."""
    registry = decision.registry
    if decision.refuses:
        return f"By the rules of {registry.name}, {domain} fails: {registry.name} {registry.failing}."
    if decision.objections:
        return f"By the rules of {registry.name}, {domain} passes, with {len(decision.objections)} warning(s)."
    if not registry.rules:
        return f"{registry.name[:1].upper()}{registry.name[1:]} look at no name server: {domain} is delegated as it is."
    return f"By the rules of {registry.name}, {domain} passes."
