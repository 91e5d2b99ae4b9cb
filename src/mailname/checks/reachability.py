"""NS-01, NS-02, NS-03: each name server must answer at each of its addresses, over UDP and TCP (RFC 7766 section 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dns.rdatatype import RdataType

from mailname.checks.facts import Outcome
from mailname.checks.finding import Finding, Severity, evidence_of
from mailname.checks.reading import sights
from mailname.checks.special_address import out_of_the_internet
from mailname.checks.wording import dig, listed, spoken, unit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailname.checks.facts import Facts, Transport
    from mailname.checks.finding import Evidence
    from mailname.checks.reading import Sight
    from mailname.plan import Plan


def server_down(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Find servers that answer neither over UDP nor over TCP; one finding for all such addresses of a server."""
    all_seen = sights(plan, facts)
    nobody_answers = not any(Outcome.ANSWER in (sight.udp, sight.tcp) for sight in all_seen)
    for server in plan.name_servers:
        down = [
            s for s in all_seen if s.server == server and s.is_down and s.elsewhere is None and not out_of_the_internet(facts, s)
        ]
        if not down:
            continue
        addresses = listed((sight.address for sight in down), last="or")
        closed = all(sight.udp is Outcome.REFUSED or sight.tcp is Outcome.REFUSED for sight in down)
        name = spoken(server.name)
        if closed:
            says = f"Nothing listens on port 53 of {name} ({addresses}): the machine is up and its name server is not."
            where = f"name server on {name}"
            fix = f"Start the name server on {name} and see why it stopped."
            command = f"sudo systemctl restart {unit(server)} && journalctl -u {unit(server)} -n 30"
        else:
            says = f"{name} ({addresses}) answers neither over UDP nor over TCP on port 53."
            where = f"firewall on {name}"
            fix = f"See whether {name} is up at all; then open port 53, UDP and TCP, in its firewall and at its provider."
            command = dig(down[0].address, plan.domain, "SOA")
        yield Finding(
            "NS-01",
            Severity.DEAD if nobody_answers else Severity.FRAGILE,
            says,
            where,
            fix,
            command,
            _evidence(facts, plan, down, ("udp", "tcp")),
            server=server.name,
            addresses=tuple(sight.address for sight in down),
        )


def tcp_unreachable(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Find servers that answer over UDP and not over TCP."""
    yield from _one_transport(plan, facts, "NS-02", "tcp")


def udp_unreachable(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Find servers that answer over TCP and not over UDP."""
    yield from _one_transport(plan, facts, "NS-03", "udp")


def _one_transport(plan: Plan, facts: Facts, code: str, lost: Transport) -> Iterator[Finding]:
    for server in plan.name_servers:
        found = []
        for sight in sights(plan, facts):
            works, fails = (sight.udp, sight.tcp) if lost == "tcp" else (sight.tcp, sight.udp)
            if sight.server == server and works is Outcome.ANSWER and fails not in (None, Outcome.ANSWER):
                found.append(sight)
        if not found:
            continue
        name, kind = spoken(server.name), lost.upper()
        other = "UDP" if lost == "tcp" else "TCP"
        why = "transfers and large answers need it" if lost == "tcp" else "nearly every question comes over it"
        yield Finding(
            code,
            Severity.FRAGILE,
            f"{name} ({listed(sight.address for sight in found)}) answers over {other} and not over {kind} on port 53; {why}.",
            f"firewall on {name}",
            f"Open {kind} port 53 on {name}, in its firewall and at its provider, and let the name server listen there.",
            dig(found[0].address, plan.domain, "SOA", *(["+tcp"] if lost == "tcp" else [])),
            _evidence(facts, plan, found, ("udp", "tcp")),
            server=server.name,
            addresses=tuple(sight.address for sight in found),
        )


def _evidence(facts: Facts, plan: Plan, of: list[Sight], transports: tuple[Transport, ...]) -> tuple[Evidence, ...]:
    probes = [facts.probe(sight.address, transport, plan.domain, RdataType.SOA) for sight in of for transport in transports]
    return tuple(evidence_of(probe) for probe in probes if probe)
