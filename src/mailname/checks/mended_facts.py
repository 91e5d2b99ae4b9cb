"""Facts as they would be after a fix: what single answers would then say. Nothing here is ever shown as seen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import dns.rcode
from dns.rdatatype import RdataType

from mailname.checks.facts import Outcome, Record

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from dns.name import Name
    from dns.rdata import Rdata

    from mailname.checks.facts import Facts, Probe
    from mailname.checks.reading import Sight
    from mailname.plan import Plan
    from mailname.server.network import IPAddress

    RRsets = Collection[tuple[Name, RdataType]]

#: The TTL of what is put in place of an answer; no check reads it.
TTL = 3600


@dataclass(frozen=True, slots=True)
class Mended:
    """What is meant and what would be seen, after one or more fixes."""

    plan: Plan
    facts: Facts


def changed(facts: Facts, change: Callable[[Probe], Probe | None]) -> Facts:
    """Return the facts with each last answer changed, or left out where the change gives None."""
    latest = [probe for rung in {probe.rung for probe in facts.probes} for probe in facts.at_rung(rung)]
    return replace(facts, probes=tuple(new for new in map(change, latest) if new is not None))


def answering(probe: Probe, rdatas: Iterable[Rdata], *, aa: bool = True) -> Probe:
    """Return the probe as it would be if these were the RRset asked for."""
    return replace(
        probe,
        outcome=Outcome.ANSWER,
        rcode=dns.rcode.NOERROR,
        aa=aa,
        ra=not aa,
        tc=False,
        answer=tuple(Record(probe.qname, TTL, rdata) for rdata in rdatas),
        authority=(),
        additional=(),
        tries=1,
        edns=True,
        answered_from=None,
    )


def refusing(probe: Probe) -> Probe:
    """Return the probe as a server answers what is none of its business, or of the asker's."""
    return replace(answering(probe, (), aa=False), rcode=dns.rcode.REFUSED, ra=False)


def is_of_the_zone(facts: Facts, probe: Probe) -> bool:
    """Tell whether a server of the zone must answer this question to everyone."""
    return probe.qname.is_subdomain(facts.domain) and probe.qtype != RdataType.AXFR


def as_planned(facts: Facts, probe: Probe, serial: int) -> Probe:
    """Return the probe as a server answers that serves what is meant, under this serial."""
    rdatas = facts.expects(probe.qname, probe.qtype)
    if probe.qtype == RdataType.SOA:
        rdatas = tuple(rdata.replace(serial=serial) for rdata in rdatas)
    return answering(probe, rdatas)


def serving(facts: Facts, addresses: Collection[IPAddress], model: Sight | None, serial: int) -> Facts:
    """Return the facts as they would be if these addresses served the zone as the model does; without one, as it is meant.

    What neither can say is left out, as if it had not been asked.
    """

    def change(probe: Probe) -> Probe | None:
        if probe.rung != "servers" or probe.address not in addresses:
            return probe
        if not is_of_the_zone(facts, probe):
            return refusing(probe)
        if model is None:
            return as_planned(facts, probe, serial) if facts.expected else None
        known = facts.probe(model.address, "udp", probe.qname, probe.qtype)
        known = known if known and known.answered else facts.probe(model.address, "tcp", probe.qname, probe.qtype)
        if known is None or not known.answered:
            return None
        return replace(
            known, server=probe.server, address=probe.address, port=probe.port, transport=probe.transport, tries=1, edns=True
        )

    return changed(facts, change)
