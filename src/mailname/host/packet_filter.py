"""HOST-06: the packet filter drops what nobody asked for, and lets in what is wanted, IPv4 and IPv6 alike, read and tried."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from mailname.host.ruleset import Packet, read_ruleset
from mailname.host.step import Outcome, Result, judged, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mailname.host.facts import Facts, Tried
    from mailname.host.ruleset import Ruleset
    from mailname.plan.hosts import Host

_CODE = "HOST-06"
_FIX = "Drop what is not wanted, and open what the plan says."
_PREPARE = "mailname host prepare PLAN"
_DNS = 53
_MAIL = (25, 465, 587, 993, 4190)
# What is found open by mistake, and mail's ports on a host that takes none.
_UNWANTED = {(port, "tcp") for port in (*_MAIL, 23, 80, 111, 443, 631, 2049, 3306, 5432, 6379, 8080, 11211, 27017)} | {
    (port, "udp") for port in (69, 111, 123, 137, 161, 389, 1900, 5353, 11211)
}


def judge_packet_filter(facts: Facts, host: Host) -> Result:
    """Judge the live rules, and what a stranger saw; where they contradict each other, another filter is on the way."""
    told, saved = facts["filter"], [facts[name].text if not facts[name].code else "" for name in ("iptables", "ip6tables")]
    if told.code == 127 and not any(saved):
        return judged(
            _CODE, ["there is no packet filter: nft is not installed.", *_seen_outside(facts, host, None)], [], _FIX, _PREPARE
        )
    rules = read_ruleset("" if told.code else told.text, *saved) if facts.is_root and (any(saved) or not told.code) else None
    if rules is None:
        return unknown(_CODE, "the live rules are shown to root alone." if not facts.is_root else "nft does not show its rules.")
    ways = interfaces(facts)
    versions = sorted({address.version for address in host.addresses} | set(ways))
    wrong = list(_read(rules, host, ways, versions))
    elsewhere = list(_filtered_elsewhere(facts, rules, host, ways))
    if elsewhere and not wrong:
        return Result(
            _CODE,
            Outcome.DOES_NOT_HOLD,
            tuple(elsewhere),
            "The host's own filter lets it through, so another one is in the way: open the ports in the provider's.",
            "mailname host security-group PLAN --provider PROVIDER",
        )
    wrong += _seen_outside(facts, host, rules, ways)
    if not any(line.strip() == "enabled" for line in facts["filter-boot"].lines):
        wrong.append("no packet filter is set up at the next boot.")
    families = " and ".join(f"IPv{version}" for version in versions)
    ports = ", ".join(f"{port}/{protocol}" for port, protocol in host.open_ports)
    return judged(_CODE, wrong, [] if wrong else [f"{families}: closed but for {ports}."], _FIX, _PREPARE)


def interfaces(facts: Facts) -> dict[int, str]:
    """Return by which interface packets come in, by version; empty where there are several."""
    found: dict[int, set[str]] = {}
    for line in facts["addresses"].lines:
        words = line.split()
        if len(words) > 3 and words[2] in ("inet", "inet6"):
            found.setdefault(4 if words[2] == "inet" else 6, set()).add(words[1])
    return {version: names.pop() if len(names) == 1 else "" for version, names in found.items()}


def _read(rules: Ruleset, host: Host, interfaces: Mapping[int, str], versions: Sequence[int]) -> Iterator[str]:
    named = {address.version for address in host.addresses}

    def fate(version: int, protocol: str, port: int) -> str:
        return rules.fate(Packet(version, protocol, port, interfaces.get(version, "")))

    for version in versions:
        if not rules.drops_by_default(version):
            yield f"IPv{version}: what no rule forbids is let in; it should be dropped."
        shut = [f"{port}/{protocol}" for port, protocol in host.open_ports if fate(version, protocol, port) == "dropped"]
        if shut and version in named:
            yield f"IPv{version}: {', '.join(shut)} is dropped, and the plan wants it open."
        let_in = [
            f"{port}/{protocol}"
            for port, protocol in _UNWANTED - set(host.open_ports)
            if fate(version, protocol, port) == "accepted"
        ]
        if let_in and rules.drops_by_default(version):
            yield f"IPv{version}: {', '.join(sorted(let_in, key=_port))} is let in, and the plan does not want it."


def _port(text: str) -> tuple[int, str]:
    port, _, protocol = text.partition("/")
    return int(port), protocol


def _is_shut(one: Tried, host: Host) -> bool:
    """Whether a port that strangers should reach did not answer; of UDP, only port 53 answers whoever asks."""
    return (
        (one.port, one.protocol) in host.open_ports
        and one.says in ("silent", "unreachable")
        and (one.protocol == "tcp" or (one.port == _DNS and host.name_server is not None))
    )


def _filtered_elsewhere(facts: Facts, rules: Ruleset, host: Host, interfaces: Mapping[int, str]) -> Iterator[str]:
    for one in facts.tried:
        packet = Packet(one.address.version, one.protocol, one.port, interfaces.get(one.address.version, ""))
        if _is_shut(one, host) and rules.fate(packet) == "accepted":
            yield f"{one.at} is {one.says} from here, although the host lets it in."


def _seen_outside(
    facts: Facts, host: Host, rules: Ruleset | None, interfaces: Mapping[int, str] = MappingProxyType({})
) -> list[str]:
    wrong = []
    for one in facts.tried:
        wanted = (one.port, one.protocol) in host.open_ports
        if _is_shut(one, host):
            packet = Packet(one.address.version, one.protocol, one.port, interfaces.get(one.address.version, ""))
            if rules is None or rules.fate(packet) != "accepted":
                wrong.append(f"{one.at} is {one.says} from here.")
        elif not wanted and one.says == "open":
            wrong.append(f"{one.at} is open to the world, and the plan does not want it.")
    return wrong
