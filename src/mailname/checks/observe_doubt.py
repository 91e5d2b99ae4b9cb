"""What is asked only where the answers so far fit two causes: the one question that tells them apart."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import dns.name
from dns.rdatatype import RdataType

from mailname.checks.asking import Addressee
from mailname.checks.delegation import said_by_parents
from mailname.checks.facts import Facts
from mailname.checks.outcome import Outcome
from mailname.checks.partial_answers import dropped_questions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dns.name import Name

    from mailname.checks.asking import Asker
    from mailname.checks.facts import Probe, Transport


async def settle(asker: Asker, domain: Name) -> None:
    """Ask what decides between causes that look alike."""
    seen = Facts(domain, datetime.now(UTC), probes=tuple(asker.probes))
    await asyncio.gather(*_parents_serials(asker, seen), *_our_own_network(asker, seen), *_dropped_types(asker, seen))


def _parents_serials(asker: Asker, seen: Facts) -> Iterator[asyncio.Future[Probe]]:
    """Ask parents that disagree for their serials: one of them may have an older copy, or a broken one."""
    said = said_by_parents(seen)
    if len(set(said.values())) < 2:
        return
    for probe in said:
        whom = Addressee("tld", probe.zone, probe.server, probe.endpoint)
        yield asyncio.ensure_future(asker.ask(whom, probe.zone, RdataType.SOA))


def _dropped_types(asker: Asker, seen: Facts) -> Iterator[asyncio.Future[Probe]]:
    """Ask once more what an address has not answered while it answered other types: packets are lost, types are filtered."""
    for address in {probe.address for probe in seen.at_rung("servers") if probe.outcome is Outcome.SILENT}:
        for probe in dropped_questions(seen, address):
            whom = Addressee(probe.rung, probe.zone, probe.server, probe.endpoint)
            yield asyncio.ensure_future(asker.ask(whom, probe.qname, probe.qtype))


def mute_transports(facts: Facts) -> tuple[Transport, ...]:
    """Return the transports over which no name server of the domain answered, while it did over the other."""
    asked = list(facts.at_rung("servers"))
    found: list[Transport] = []
    transports: tuple[Transport, Transport] = ("udp", "tcp")
    for one, other in (transports, transports[::-1]):
        over = {probe.outcome for probe in asked if probe.transport == one}
        if over == {Outcome.SILENT} and any(probe.answered for probe in asked if probe.transport == other):
            found.append(one)
    return tuple(found)


def heard_elsewhere(facts: Facts, transport: Transport) -> bool | None:
    """Tell whether anybody above the domain answered over a transport; None where nobody was asked."""
    asked = [p.answered for rung in ("root", "tld") for p in facts.at_rung(rung) if p.transport == transport]
    return any(asked) if asked else None


def _our_own_network(asker: Asker, seen: Facts) -> Iterator[asyncio.Future[Probe]]:
    """Ask a root server over a transport that nobody has answered: perhaps our own network does not let it out."""
    for transport in mute_transports(seen):
        if heard_elsewhere(seen, transport) is None:
            for name, addresses in asker.world.root_hints[:1]:
                for address in asker.wanted(addresses)[:1]:
                    whom = Addressee("root", dns.name.root, name, asker.at(address))
                    question = dns.name.Name(seen.domain.labels[-2:])
                    yield asyncio.ensure_future(asker.ask(whom, question, RdataType.NS, transport=transport))
