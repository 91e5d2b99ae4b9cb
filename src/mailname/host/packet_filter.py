"""HOST-06: the packet filter drops what nobody asked for, and lets in what is wanted, IPv4 and IPv6 alike, read and tried."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailname.host.ruleset import Packet, read_ruleset
from mailname.host.step import Outcome, Result, judged, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mailname.host.facts import Facts
    from mailname.host.ruleset import Ruleset
    from mailname.plan.hosts import Host

_CODE = "HOST-06"
_FIX = "Drop what is not wanted, and open what the plan says."
_PREPARE = "mailname host prepare PLAN"
_UNWANTED = (23, 111, 631, 2049, 3306, 5432, 6379, 8080, 11211, 27017)  # what is found open by mistake


def judge_packet_filter(facts: Facts, host: Host) -> Result:
    """Judge the live rules, and what a stranger saw; where they contradict each other, another filter is on the way."""
    told = facts["filter"]
    if told.code == 127:
        return judged(
            _CODE, ["there is no packet filter: nft is not installed.", *_seen_outside(facts, host, None)], [], _FIX, _PREPARE
        )
    rules = read_ruleset(told.text) if facts.is_root else None
    if rules is None:
        return unknown(_CODE, "the live rules are shown to root alone." if not facts.is_root else "nft does not show its rules.")
    versions = sorted({address.version for address in host.addresses})
    wrong = list(_read(rules, host, versions))
    elsewhere = list(_filtered_elsewhere(facts, rules, host))
    if elsewhere and not wrong:
        return Result(
            _CODE,
            Outcome.DOES_NOT_HOLD,
            tuple(elsewhere),
            "The host's own filter lets it through, so another one is in the way: open the ports in the provider's.",
            "mailname host security-group PLAN --provider PROVIDER",
        )
    wrong += _seen_outside(facts, host, rules)
    if not any(line.strip() == "enabled" for line in facts["filter-boot"].lines):
        wrong.append("no packet filter is set up at the next boot.")
    families = " and ".join(f"IPv{version}" for version in versions)
    ports = ", ".join(f"{port}/{protocol}" for port, protocol in host.open_ports)
    return judged(_CODE, wrong, [] if wrong else [f"{families}: closed but for {ports}."], _FIX, _PREPARE)


def _read(rules: Ruleset, host: Host, versions: Sequence[int]) -> Iterator[str]:
    for version in versions:
        if not rules.drops_by_default(version):
            yield f"IPv{version}: what no rule forbids is let in; it should be dropped."
        shut = [
            f"{port}/{protocol}" for port, protocol in host.open_ports if rules.fate(Packet(version, protocol, port)) == "dropped"
        ]
        if shut:
            yield f"IPv{version}: {', '.join(shut)} is dropped, and the plan wants it open."
        wanted = {port for port, protocol in host.open_ports if protocol == "tcp"}
        mail = {25, 465, 587, 993, 4190}
        let_in = [
            f"{port}/tcp"
            for port in sorted({*_UNWANTED, *mail} - wanted)
            if rules.fate(Packet(version, "tcp", port)) == "accepted"
        ]
        if let_in and rules.drops_by_default(version):
            yield f"IPv{version}: {', '.join(let_in)} is let in, and the plan does not want it."


def _filtered_elsewhere(facts: Facts, rules: Ruleset, host: Host) -> Iterator[str]:
    for one in facts.tried:
        shut = one.protocol == "tcp" and one.says in ("silent", "unreachable") and (one.port, one.protocol) in host.open_ports
        if shut and rules.fate(Packet(one.address.version, one.protocol, one.port)) == "accepted":
            yield f"{one.at} is {one.says} from here, although the host lets it in."


def _seen_outside(facts: Facts, host: Host, rules: Ruleset | None) -> list[str]:
    wrong = []
    for one in facts.tried:
        wanted = (one.port, one.protocol) in host.open_ports
        if wanted and one.protocol == "tcp" and one.says in ("silent", "unreachable"):
            if rules is None or rules.fate(Packet(one.address.version, one.protocol, one.port)) != "accepted":
                wrong.append(f"{one.at} is {one.says} from here.")
        elif not wanted and one.says == "open":
            wrong.append(f"{one.at} is open to the world, and the plan does not want it.")
    return wrong
