"""What ``traffic`` says on the control socket: the counts of all workers and of the reference, added up; `mailname.traffic/1`."""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import dns.exception
import dns.name
import dns.rcode
import dns.rdatatype

from mailname.server.client_sketch import network_of
from mailname.server.clock import iso
from mailname.server.context import bare
from mailname.server.traffic import OTHER_TYPES
from mailname.wire.octets import octets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dns.name import Name

    from mailname.answer.images import Images
    from mailname.server.client_sketch import ClientSketch
    from mailname.server.name_sketch import NameSketch
    from mailname.server.traffic import Traffic

MOST = 1000  # zones, networks or names in one report


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted, and where.

    Attributes:
        traffic: by the reference.
        plain: by whoever answers plain questions.
        limited: replies of the reference, or prepared by it, that were too many.
        workers: the Counters of those that count zones and clients for themselves.
        images: by whose numbers they count zones; None without workers.
        tallies: answers about names in a zone that others gave, by its apex in wire form and lower case.

    """

    traffic: Traffic
    plain: Sequence[dict[str, Any]]
    limited: int
    workers: Sequence[Any]
    images: Images | None
    tallies: Mapping[bytes, int]


def report(counted: Counted, since: float, most: int, only: Name | None = None) -> dict[str, Any]:
    """Add up what was counted.

    Args:
        counted: by all.
        since: when the server was started, in seconds since 1970.
        most: zones, networks and names to name, those with the most.
        only: name this zone, whatever its count.

    """
    udp: Counter[str] = Counter()
    types: Counter[int] = Counter()
    rcodes: Counter[int] = Counter()
    took, microseconds = Counter(counted.traffic.took), counted.traffic.microseconds
    for seen in counted.plain:
        took.update(seen["took"])
        microseconds += seen["microseconds"]
        types.update(seen["types"])
        rcodes.update(seen["rcodes"])
        udp.update({name: seen[name] for name in ("received", "plain", "handed_on", "limited", "ipv4", "ipv6", "edns", "do")})
    families, transports = {4: udp["ipv4"], 6: udp["ipv6"]}, {"udp": udp["plain"], "tcp": 0}
    by_reference = 0
    for kind, count in counted.traffic.answers.items():
        by_reference += count
        if kind.rdtype is not None:
            types[kind.rdtype] += count
        rcodes[kind.rcode] += count
        families[kind.version] += count
        transports[kind.transport] += count
        udp["edns"] += count * kind.edns
        udp["do"] += count * kind.do
    questions = udp["received"] - udp["handed_on"] + counted.traffic.questions
    return {
        "schema": "mailname.traffic/1",
        "since": iso(since),
        "questions": questions,
        "answers": udp["plain"] + by_reference,
        "answered_by": {"plain": udp["plain"], "reference": by_reference},
        "limited": udp["limited"] + counted.limited,
        "types": {_type_text(rdtype): count for rdtype, count in types.most_common()},
        "rcodes": {dns.rcode.to_text(dns.rcode.Rcode(rcode)): count for rcode, count in rcodes.most_common()},
        "transports": transports,
        "families": {"ipv4": families[4], "ipv6": families[6]},
        "edns": udp["edns"],
        "do": udp["do"],
        "latency": {str(1 << bits): took[bits] for bits in sorted(took)},
        "microseconds": microseconds,
        "zones": _zones(counted, since, most, only),
        "clients": _clients([counted.traffic.clients, *(counters.clients for counters in counted.workers)], most),
        "names": _names([counted.traffic.names, *(counters.names for counters in counted.workers)], most),
    }


def _type_text(rdtype: int) -> str:
    return "other" if rdtype == OTHER_TYPES else dns.rdatatype.to_text(dns.rdatatype.RdataType.make(rdtype))


def _zones(counted: Counted, since: float, most: int, only: Name | None) -> list[dict[str, Any]]:
    others = Counter(counted.traffic.zones)
    others.update(counted.tallies)
    others.pop(b"", None)
    images, workers = counted.images, counted.workers
    if images is None:
        if only is not None:
            return [_zone(octets(only), others[octets(only).lower()], since)]
        return [_zone(apex, count, since) for apex, count in heapq.nlargest(most, others.items(), key=itemgetter(1))]
    if only is not None:
        number = images.number(octets(only).lower())
        seen = [counters.zone(images, number) for counters in workers] if number >= 0 else []
        return [_zone(octets(only), sum(count for count, _ in seen) + others[octets(only).lower()], _begun(seen, since))]
    from mailname.server.udp_worker import busiest_zones

    by_number = {images.number(apex): count for apex, count in others.items()}
    return [
        _zone(images.apex(number), count, _begun([counters.zone(images, number) for counters in workers], since))
        for number, count in (busiest_zones(list(workers), by_number, images, most) if most else ())
    ]


def _begun(seen: Sequence[tuple[int, int]], since: float) -> float:
    """Return since when a zone is counted: it may have come after the start."""
    return max(min((begun for _, begun in seen), default=0), since)


def _zone(apex: bytes, answers: int, since: float) -> dict[str, Any]:
    return {"zone": bare(dns.name.from_wire(apex, 0)[0]), "answers": answers, "since": iso(since)}


def _clients(sketches: Sequence[ClientSketch], most: int) -> list[dict[str, Any]]:
    """Join sketches: counts add up, and so does by how much they may be too high."""
    networks: dict[int, list[int]] = {}
    for sketch in sketches:
        for key, count, over, since in sketch.entries():
            known = networks.setdefault(key, [0, 0, since])
            networks[key] = [known[0] + count, known[1] + over, min(known[2], since)]
    return [
        {"network": network_of(key), "questions": count, "at_least": count - over, "since": iso(since)}
        for key, (count, over, since) in heapq.nlargest(most, networks.items(), key=lambda one: one[1][0])
    ]


def _names(sketches: Sequence[NameSketch], most: int) -> list[dict[str, Any]]:
    """Join sketches, as those of clients."""
    names: dict[bytes, list[int]] = {}
    for sketch in sketches:
        for name, count, over, since in sketch.entries():
            known = names.setdefault(name, [0, 0, since])
            names[name] = [known[0] + count, known[1] + over, min(known[2], since)]
    return [
        {"name": _name_text(name), "questions": count, "at_least": count - over, "since": iso(since)}
        for name, (count, over, since) in heapq.nlargest(most, names.items(), key=lambda one: one[1][0])
    ]


def _name_text(wire: bytes) -> str:
    """Write a name; one that a worker was just about to put into its place may be no name for a moment."""
    try:
        return bare(dns.name.from_wire(wire, 0)[0])
    except dns.exception.DNSException:
        return "?"
