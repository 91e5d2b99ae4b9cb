"""SIG-01: what is signed must be signed for today, by a key of the zone (RFC 4034 section 3.1.5, RFC 4035 section 5.3.1).

Not looked at: whether a signature is the right one for the data, which takes the algorithms themselves.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

import dns.rcode
from dns.rdatatype import RdataType

from mailname.checks.ds import validators_drop, validators_follow
from mailname.checks.facts import SIGNATURES
from mailname.checks.finding import Finding, Severity, evidence_of
from mailname.checks.reading import sights
from mailname.checks.wording import dig, duration, listed, spoken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dns.rdtypes.ANY.DNSKEY import DNSKEY
    from dns.rdtypes.ANY.RRSIG import RRSIG

    from mailname.checks.facts import Facts, Probe
    from mailname.plan import NameServer, Plan
    from mailname.server.network import IPAddress


def signatures_valid(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Find name servers whose signatures over the SOA or the keys are over, not begun, missing, or made by no key of the zone."""
    wrong = _wrong(plan, facts)
    if not wrong:
        return
    dead = nothing_validates(plan, facts)
    by_server: dict[NameServer, dict[IPAddress, tuple[str, Probe]]] = {}
    for server, address, why, probe in wrong:
        by_server.setdefault(server, {})[address] = (why, probe)
    for server, found in by_server.items():
        name, (why, probe) = spoken(server.name), next(iter(found.values()))
        yield Finding(
            "SIG-01",
            Severity.DEAD if dead else Severity.FRAGILE,
            f"{name} ({listed(found)}): {why}; whoever validates takes "
            + (f"the whole domain {spoken(plan.domain)} for forged." if dead else "what it answers for forged."),
            f"signing on {spoken(plan.primary.name)}" if dead or server.role == "primary" else f"configuration on {name}",
            "Sign the zone again where its keys are, and look at the clock there and why it did not happen by itself; until"
            " that is mended, the DS can be taken away at the registrar."
            if dead or server.role == "primary"
            else f"Transfer the zone again on {name}: others have valid signatures.",
            dig(probe.address, plan.domain, probe.qtype.name, "+dnssec"),
            tuple(evidence_of(one) for _, one in found.values()),
            server=server.name,
            addresses=tuple(found),
        )


def nothing_validates(plan: Plan, facts: Facts) -> bool:
    """Tell whether no name server gives an answer that a resolver that validates would take."""
    bad = {address for _, address, _, _ in _wrong(plan, facts)}
    asked = {p.address for p in facts.at_rung(SIGNATURES) if p.answered}
    return bool(bad) and asked <= bad


def _wrong(plan: Plan, facts: Facts) -> list[tuple[NameServer, IPAddress, str, Probe]]:
    """Return each address with wrong signatures, with why; none where the parent has no DS, or one that leads to no key."""
    if not validators_follow(facts) or not any(facts.at_rung(SIGNATURES)) or validators_drop(plan, facts):
        return []
    found = []
    for sight in sights(plan, facts):
        probes = {p.qtype: p for p in facts.at_rung(SIGNATURES) if p.address == sight.address and _is_whole(p)}
        keys = probes.get(RdataType.DNSKEY)
        tags = {_tag(key) for key in cast("tuple[DNSKEY, ...]", keys.rdatas(facts.domain, RdataType.DNSKEY))} if keys else None
        for kind in (RdataType.SOA, RdataType.DNSKEY):
            probe = probes.get(kind)
            why = _why(probe, facts.at, tags) if probe and probe.rdatas(facts.domain, kind) else ""
            if probe and why:
                found.append((sight.server, sight.address, why, probe))
                break
    return found


def _is_whole(probe: Probe) -> bool:
    return probe.answered and probe.rcode == dns.rcode.NOERROR and probe.aa and not probe.tc


def _tag(key: DNSKEY) -> tuple[int, int]:
    import dns.dnssec  # with all of cryptography, which few domains need

    return dns.dnssec.key_id(key), int(key.algorithm)


def _why(probe: Probe, at: datetime, tags: set[tuple[int, int]] | None) -> str:
    """Say why no signature of an answer is valid; empty where one is."""
    what = "SOA" if probe.qtype == RdataType.SOA else "keys"
    made = cast("tuple[RRSIG, ...]", probe.rdatas(probe.qname, RdataType.RRSIG))
    made = tuple(one for one in made if one.type_covered == probe.qtype)
    if not made:
        return f"there is a DS at the parent, and the {what} {'comes' if what == 'SOA' else 'come'} without a signature"
    now = at.timestamp()
    if all(one.expiration < now for one in made):
        last = max(one.expiration for one in made)
        return f"the signatures of the {what} have expired on {_date(last)}, {duration(now - last)} ago"
    if all(one.inception > now or one.expiration < now for one in made):
        first = min(one.inception for one in made if one.inception > now)
        return f"the signatures of the {what} begin on {_date(first)} only: the clock is wrong where they are made, or here"
    if tags is not None and not any((one.key_tag, int(one.algorithm)) in tags for one in made):
        key = listed(sorted({str(one.key_tag) for one in made}))
        return f"the signatures of the {what} are made with key {key}, which is not in the zone"
    return ""


def _date(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d at %H:%M UTC")
