"""Which secondaries answer and do not serve what the primary serves: where the transfer is worth a closer look."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from dns.rdatatype import RdataType

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dns.name import Name
    from dns.rdtypes.ANY.SOA import SOA

    from mailname.checks.facts import Probe
    from mailname.plan import NameServer


def out_of_step(servers: Sequence[NameServer], probes: Iterable[Probe], domain: Name) -> list[NameServer]:
    """Return the secondaries that answer and do not serve what the primary serves."""
    serials = held_serials(probes, domain)
    right = next((serials[one.name] for one in servers if one.role == "primary" and one.name in serials), set())
    late = [one for one in servers if one.role == "secondary" and one.name in serials]
    return [one for one in late if right and serials[one.name] != right]


def held_serials(probes: Iterable[Probe], domain: Name) -> dict[Name, set[int | None]]:
    """Return what each server that answers serves now, at all its addresses; None among it where it does not serve the zone."""
    last = {(p.address, p.transport): p for p in probes if p.rung == "servers" and (p.qname, p.qtype) == (domain, RdataType.SOA)}
    held: dict[Name, set[int | None]] = {}
    for probe in last.values():
        found = cast("tuple[SOA, ...]", probe.rdatas(domain, RdataType.SOA)) if probe.aa else ()
        if probe.answered:
            held.setdefault(probe.server, set()).add(found[0].serial if found else None)
    return held
