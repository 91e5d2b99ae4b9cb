"""What a look found that is worth a word: each cause, each countdown that runs, servers apart for too long. Pure.

A topic has a key that stays the same from look to look, so that the same fault is spoken of once, and a stage that grows
while it gets worse: each stage is worth one more word.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast

from dns.rdatatype import RdataType

from mailname.checks.facts import EDNS_OPTIONS
from mailname.checks.reading import sight_of, sights
from mailname.checks.wording import dig, duration, plan_file, spoken, unit
from mailname.view.verdict_sentence import sentence
from mailname.watch.history import Look

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dns.rdtypes.ANY.SOA import SOA

    from mailname.checks import Facts, Finding, Verdict
    from mailname.plan import NameServer, Plan

REGISTRATION_DAYS = (30, 14, 7, 3, 1, 0)
CERTIFICATE_DAYS = (14, 7, 3, 1, 0)
EXPIRE_PARTS = (1 / 2, 1 / 4, 1 / 8)  # of the SOA's expire that are left
UNKNOWN = "unknown"
_UNKNOWN_AFTER = 1800.0  # seconds in which our own line may come back
# Said with a countdown of their own.
_COUNTED = ("SERIAL-03", "REG-02", "MAIL-04")


@dataclass(frozen=True, slots=True)
class Topic:
    """One thing that is not well.

    Attributes:
        key: the same from look to look.
        stage: how bad it is; grows.
        after: seconds that it must last before a word is said, where that is longer than for others.
        wakes: whether mail does not arrive.

    """

    key: str
    code: str
    stage: int
    says: str
    effect: str
    place: str
    fix: str
    command: str
    after: float = 0.0
    wakes: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look found.

    Attributes:
        blind: keys of which this look cannot tell whether they are mended.
        blind_to_all: whether it could tell nothing.

    """

    topics: tuple[Topic, ...]
    blind: frozenset[str] = frozenset()
    blind_to_all: bool = False


def seen_in(plan: Plan, facts: Facts, verdict: Verdict) -> Seen:
    """Return what is worth a word."""
    effect = effect_of(plan, facts, verdict)
    if verdict.verdict == "unknown":
        finding = verdict.cause.finding if verdict.cause else None
        says = finding.says if finding else "No name server could be tried from here."
        fix = "See whether this machine reaches the Internet; this is no verdict on the domain."
        again = f"mailname check {plan_file(plan.domain)}"
        code = finding.code if finding else ""
        return Seen((Topic(UNKNOWN, code, 0, says, effect, "this machine", fix, again, _UNKNOWN_AFTER),), blind_to_all=True)
    causes = [] if verdict.cause is None else [verdict.cause.finding, *(one.finding for one in verdict.also)]
    topics = []
    for number, finding in enumerate(causes):
        if finding.code not in _COUNTED:
            broken = number == 0 and verdict.verdict == "broken"
            says = finding.says
            topics.append(_topic(key_of(finding), finding, int(broken), says, effect, wakes=broken))
    topics += _copies(plan, facts, verdict)
    topics += _registration(facts, verdict, effect)
    topics += _certificates(facts, verdict, effect)
    topics += _apart(plan, facts, causes, effect)
    told = {topic.key: topic for topic in reversed(topics)}
    return Seen(tuple(reversed(told.values())), _blind(plan, facts))


def look_of(plan: Plan, facts: Facts, verdict: Verdict) -> Look:
    """Return what the history keeps of a look."""
    finding = verdict.cause.finding if verdict.cause else None
    return Look(
        domain=spoken(plan.domain),
        verdict=verdict.verdict,
        code=finding.code if finding else "",
        topic=key_of(finding) if finding else "",
        says=finding.says if finding else "",
        place=finding.where if finding else "",
        fix=finding.fix if finding else "",
        command=finding.command if finding else "",
        effect=effect_of(plan, facts, verdict),
        at=facts.at.timestamp(),
    )


def key_of(finding: Finding) -> str:
    """Return what a finding is about, the same from look to look."""
    return f"{finding.code} {spoken(finding.server)}" if finding.server is not None else finding.code


def effect_of(plan: Plan, facts: Facts, verdict: Verdict) -> str:
    """Say what it means for mail."""
    says = sentence(plan, facts, verdict)
    if verdict.verdict == "broken" and "mail does not arrive" in says:
        # RFC 5321 section 4.5.4.1: the give-up time generally needs to be at least 4-5 days.
        return f"{says} Senders try again for some days, then they send it back."
    return says


def _topic(key: str, finding: Finding, stage: int, says: str, effect: str, *, after: float = 0.0, wakes: bool = False) -> Topic:
    return Topic(key, finding.code, stage, says, effect, finding.where, finding.fix, finding.command, after, wakes)


def _found(verdict: Verdict, code: str, server: NameServer | None = None) -> Finding | None:
    return next((one for one in verdict.findings if one.code == code and (server is None or one.server == server.name)), None)


def _expires(facts: Facts, plan: Plan, server: NameServer) -> tuple[float, int, int] | None:
    """Return the seconds until a secondary's copy expires, the SOA's expire, and the seconds after which it is worth a word.

    By the EXPIRE option (RFC 7314), or by its control socket, whichever was asked.
    """
    for sight in sights(plan, facts):
        if sight.server.name != server.name or sight.soa is None or sight.serial is None:
            continue
        soa = cast("SOA", sight.soa.rdatas(sight.soa.qname, RdataType.SOA)[0])
        usual = 2 * (soa.refresh + soa.retry)
        for probe in facts.at_rung(EDNS_OPTIONS):
            if probe.address == sight.address and probe.expire is not None:
                return probe.expire, soa.expire, usual
        told = (facts.status(server.name) or {}).get("expires_at")
        if isinstance(told, str):
            return (_moment(told) - facts.at).total_seconds(), soa.expire, usual
    return None


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _copies(plan: Plan, facts: Facts, verdict: Verdict) -> Iterator[Topic]:
    """Iterate over the secondaries whose copy comes near its end."""
    for server in plan.secondaries:
        known = _expires(facts, plan, server)
        finding = _found(verdict, "SERIAL-03", server)
        if known is None:
            continue
        left, whole, usual = known
        stage = sum(left < part * whole for part in EXPIRE_PARTS)
        if finding is None and (not stage or whole - left <= usual):
            continue
        name = spoken(server.name)
        others = len(plan.name_servers) - 1
        yield Topic(
            f"SERIAL-03 {name}",
            "SERIAL-03",
            stage,
            f"{name} will stop answering in {duration(max(left, 0))}:"
            f" it has not reached its primary for {duration(max(whole - left, 0))}.",
            f"Mail arrives until then; after it, {others} of {others + 1} name servers {'is' if others == 1 else 'are'} left.",
            f"transfer to {name}",
            finding.fix if finding else f"See in the log of {name} why it does not reach {spoken(plan.primary.name)}.",
            finding.command if finding else f"journalctl -u {unit(server)}",
        )


def _stage(left: timedelta, days: tuple[int, ...]) -> int:
    """Return how many of these days are reached; 0 for none."""
    return sum(left <= timedelta(days=one) for one in days)


def _registration(facts: Facts, verdict: Verdict, effect: str) -> Iterator[Topic]:
    finding = _found(verdict, "REG-02")
    if finding is not None and facts.registration is not None and facts.registration.ends is not None:
        stage = _stage(facts.registration.ends - facts.at, REGISTRATION_DAYS)
        means = f"{effect} When it has ended, the domain is taken out of its parent zone, and no mail arrives."
        yield _topic("REG-02", finding, stage, finding.says, means)


def _certificates(facts: Facts, verdict: Verdict, effect: str) -> Iterator[Topic]:
    for finding in verdict.findings:
        if finding.code != "MAIL-04" or finding.server is None:
            continue
        ends = [one.certificate.ends for one in facts.mail if one.certificate and one.address in finding.addresses]
        stage = _stage(min(ends) - facts.at, CERTIFICATE_DAYS) if ends else 0
        causes = [verdict.cause, *verdict.also] if verdict.cause else []
        if stage or any(cause.finding is finding for cause in causes if cause):
            means = f"{effect} Senders that insist on a good certificate hold their mail back when it has ended."
            yield _topic(key_of(finding), finding, stage, finding.says, means)


def _apart(plan: Plan, facts: Facts, causes: list[Finding], effect: str) -> Iterator[Topic]:
    """Iterate over the secondaries that are behind the primary, and of which nothing else is said; said after refresh."""
    primary = sight_of(plan, facts, plan.primary.name)
    if primary is None or primary.serial is None or primary.soa is None:
        return
    soa = cast("SOA", primary.soa.rdatas(primary.soa.qname, RdataType.SOA)[0])
    for server in plan.secondaries:
        sight = sight_of(plan, facts, server.name)
        if sight is None or sight.serial is None or not primary.serial.is_newer_than(sight.serial):
            continue
        if any(finding.server == server.name for finding in causes):
            continue
        name, from_name = spoken(server.name), spoken(plan.primary.name)
        yield Topic(
            f"serial {name}",
            "",
            0,
            f"{name} has had another serial ({sight.serial}) than {from_name} ({primary.serial}) for longer than refresh"
            f" ({duration(soa.refresh)}): it does not ask, or does not get the zone.",
            effect,
            f"transfer to {name}",
            f"See in the log of {name} why it does not fetch the zone from {from_name}.",
            dig(sight.address, plan.domain, "SOA"),
            after=float(soa.refresh),
        )


def _blind(plan: Plan, facts: Facts) -> frozenset[str]:
    """Return the countdowns of which nothing was seen: who does not answer has not mended them."""
    keys = set()
    for server in plan.secondaries:
        if _expires(facts, plan, server) is None:
            keys |= {f"SERIAL-03 {spoken(server.name)}", f"serial {spoken(server.name)}"}
    if facts.registration is None or facts.registration.problem:
        keys |= {"REG-01", "REG-02"}
    for host in plan.mail_hosts:
        if not any(visit.certificate for visit in facts.mail if visit.host == host.name):
            keys.add(f"MAIL-04 {spoken(host.name)}")
    return frozenset(keys)
