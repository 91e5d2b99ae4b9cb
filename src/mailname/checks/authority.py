"""NS-04, NS-05, NS-06, NS-09: each name server that answers must serve the zone with authority."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dns.rcode
from dns.rdatatype import RdataType

from mailname.checks.finding import Finding, Severity, evidence_of
from mailname.checks.reading import sights
from mailname.checks.wording import dig, duration, listed, plan_file, sentence, spoken, unit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mailname.checks.facts import Facts, Probe
    from mailname.checks.reading import Sight
    from mailname.plan import NameServer, Plan

# The built-in server's words for a zone that it loaded all the same, and that is told of as SERIAL-01 or SERIAL-02.
_LOADED_ALL_THE_SAME = frozenset({"serial-not-raised", "went-back"})
_NOT_HERE = (dns.rcode.REFUSED, dns.rcode.NXDOMAIN, dns.rcode.NOTAUTH)


def is_unconfirmed(status: Mapping[str, Any]) -> bool:
    """Tell whether a secondary's copy is of unknown age: it stopped before it wrote down that a primary had confirmed it."""
    return status.get("state") == "expired" and "confirmed_at" in status and status["confirmed_at"] is None


def _not_serving(plan: Plan, facts: Facts) -> Iterator[tuple[NameServer, list[Sight], bool]]:
    """Iterate over the servers that answer without authority, with the addresses at which they do."""
    all_seen = sights(plan, facts)
    none_serves = not any(sight.serial is not None for sight in all_seen)
    for server in plan.name_servers:
        found = [s for s in all_seen if s.server == server and s.soa is not None and s.serial is None]
        if found:
            yield server, found, none_serves


def zone_not_loaded(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Find servers that say that they do not have the zone, or that are silent about this zone and not about others."""
    all_seen = sights(plan, facts)
    severity = Severity.FRAGILE if any(sight.serial is not None for sight in all_seen) else Severity.DEAD
    for server in plan.name_servers:
        own = [sight for sight in all_seen if sight.server == server]
        lacking = [(s, s.soa) for s in own if s.soa and s.serial is None and s.soa.rcode in _NOT_HERE and not s.soa.ra]
        dropping = [(s, s.elsewhere) for s in own if s.is_down and s.elsewhere]
        name, domain = spoken(server.name), spoken(plan.domain)
        says = []
        if lacking:
            rcode = dns.rcode.to_text(lacking[0][1].rcode or dns.rcode.REFUSED)
            says.append(
                f"{name} ({listed(s.address for s, _ in lacking)}) answers {rcode} for {domain}: the zone is not loaded there."
            )
        if dropping:
            says.append(
                f"{name} ({listed(s.address for s, _ in dropping)}) is silent to every question about {domain}"
                " and answers others: it drops what it does not serve."
            )
        here = [*lacking, *dropping]
        if not here:
            continue
        unanswered = [facts.probe(sight.address, "udp", plan.domain, RdataType.SOA) for sight, _ in dropping]
        yield Finding(
            "NS-04",
            severity,
            " ".join(says),
            f"configuration on {name}",
            f"Add the zone {domain} as {server.role} to the configuration on {name} and reload it.",
            _reload(plan, server),
            tuple(evidence_of(probe) for probe in (*unanswered, *(probe for _, probe in here)) if probe),
            server=server.name,
            addresses=tuple(sight.address for sight, _ in here),
        )


def zone_expired(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Find secondaries that answer SERVFAIL: the copy has expired, or none ever came (RFC 1035 section 3.3.13, EXPIRE)."""
    for server, found, none_serves in _not_serving(plan, facts):
        here = [(sight, sight.soa) for sight in found if sight.soa and sight.soa.rcode == dns.rcode.SERVFAIL]
        nobody_knows = not facts.planned and none_serves  # which of them is the primary
        if not here or (server.role != "secondary" and not nobody_knows):
            continue
        name, domain = spoken(server.name), spoken(plan.domain)
        status = facts.status(server.name)
        failure = (status or {}).get("last_failure")
        if status and is_unconfirmed(status):
            what = "is kept there, and must be confirmed by a primary before it is answered from: when that was done last was not"
            what += " written down before the server stopped"
        elif status and status.get("state") == "expired":
            what = "has expired there, since no transfer came through for"
            what += f" {duration(plan.soa.expire)}"
        elif status:
            what = "has never arrived there"
        elif nobody_knows:
            what = "does not load there, has expired, or never arrived"
        else:
            what = "has expired there or never arrived"
        last = f" The last failure: {sentence(str(failure['says']))}" if failure else ""
        yield Finding(
            "NS-05",
            Severity.DEAD if none_serves else Severity.FRAGILE,
            f"{name} ({listed(sight.address for sight, _ in here)}) answers SERVFAIL for {domain}: the zone {what}.{last}",
            f"configuration on {name}",
            f"{sentence(str(failure['remedy']))} Then transfer again on {name}."
            if failure and failure.get("remedy")
            else f"Transfer the zone again on {name}, and see there why the transfers failed.",
            f"mailname retransfer {domain}" if server.engine == "builtin" else f"journalctl -u {unit(server)} -n 30",
            tuple(evidence_of(probe) for _, probe in here),
            server=server.name,
            addresses=tuple(sight.address for sight, _ in here),
        )


def _says_something_else(probe: Probe) -> bool:
    """Tell whether a server neither lacks the zone nor fails on it; a resolver refuses what it is not asked to resolve."""
    return probe.rcode not in (*_NOT_HERE, dns.rcode.SERVFAIL) or (probe.ra and probe.rcode in _NOT_HERE)


def _how(probe: Probe, domain: str) -> str:
    """Say what is wrong with an answer that is none of an authority."""
    rcode = dns.rcode.to_text(probe.rcode or dns.rcode.NOERROR)
    if probe.ra:
        return f"answers for {domain} without authority ({rcode}, it is a resolver)"
    if probe.rcode != dns.rcode.NOERROR:
        return f"answers {rcode} for {domain}"
    if probe.rdatas(probe.qname, RdataType.SOA):
        return f"answers for {domain} without authority (the AA flag is not set)"
    referral = next((record.owner for record in probe.authority if record.rdtype == RdataType.NS), None)
    if not probe.aa and referral is not None:
        return f"refers to the servers of {spoken(referral)} instead of answering for {domain}: the zone is not loaded there"
    return f"answers for {domain} without its SOA record: what it serves is no whole zone"


def not_authoritative(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Find servers that answer, but not as an authority: a resolver, a server that refers elsewhere, half a zone."""
    for server, found, none_serves in _not_serving(plan, facts):
        here = [(sight, sight.soa) for sight in found if sight.soa and _says_something_else(sight.soa)]
        if not here:
            continue
        name, probe = spoken(server.name), here[0][1]
        yield Finding(
            "NS-06",
            Severity.DEAD if none_serves else Severity.FRAGILE,
            f"{name} ({listed(sight.address for sight, _ in here)}) {_how(probe, spoken(plan.domain))}.",
            f"configuration on {name}",
            f"Let {name} serve {spoken(plan.domain)} as {server.role}, not resolve or forward it."
            if probe.ra
            else f"Let {name} serve the whole zone {spoken(plan.domain)} as {server.role}, and see in its log why it does not.",
            dig(probe.address, plan.domain, "SOA"),
            tuple(evidence_of(probe) for _, probe in here),
            server=server.name,
            addresses=tuple(sight.address for sight, _ in here),
        )


def zone_fails_to_load(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Find a primary that answers SERVFAIL, or that keeps an old version because the new one is no zone."""
    server = plan.primary
    name, domain = spoken(server.name), spoken(plan.domain)
    problem = (facts.status(server.name) or {}).get("problem")
    if problem and problem.get("reason") in _LOADED_ALL_THE_SAME:
        problem = None
    written = facts.zone_file.problem if facts.zone_file else ""
    failing = [s.soa for s in sights(plan, facts) if s.server == server and s.soa and s.soa.rcode == dns.rcode.SERVFAIL]
    none_serves = not any(sight.serial is not None for sight in sights(plan, facts))
    if (not failing or (none_serves and not facts.planned)) and not problem and not written:
        return
    why = str(problem["says"]) if problem else written
    yield Finding(
        "NS-09",
        Severity.DEAD if none_serves else Severity.FRAGILE,
        (
            f"{name} ({failing[0].address}) answers SERVFAIL for {domain}: the zone fails to load."
            if failing
            else f"{name} keeps serving an older version of {domain}, because the zone file cannot be loaded."
        )
        + (f" {sentence(why)}" if why else ""),
        f"zone file on {name}",
        str(problem["remedy"])
        if problem and problem.get("remedy")
        else f"Write the zone again from the plan, or correct the zone file on {name} and reload it.",
        f"mailname publish {plan_file(plan.domain)}",
        tuple(evidence_of(probe) for probe in failing),
        server=server.name,
        addresses=tuple(probe.address for probe in failing),
    )


def _reload(plan: Plan, server: NameServer) -> str:
    return f"mailname reload {spoken(plan.domain)}" if server.engine == "builtin" else f"sudo systemctl reload {unit(server)}"
