"""What is legal in a zone and still wrong: targets that are aliases or have no address, forgotten dots, lonely name servers.

Each concern has a permanent code; docs/zone-file.md lists them. Only this zone's data is looked at: a target outside the zone, or
below one of its delegations, is somebody else's to check.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import dns.name
from dns.name import Name
from dns.rdatatype import RdataType

from mailname.zone.zone import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailname.zone.rrset import RRset
    from mailname.zone.zone import Zone

_ADDRESSES = (RdataType.A, RdataType.AAAA)
_TARGET = {RdataType.MX: "exchange", RdataType.NS: "target", RdataType.SRV: "target"}
# Codes of an aliased target, of one without an address, of one that is itself an address.
_CODES = {
    RdataType.MX: ("MX-03", "MX-02", "MX-04"),
    RdataType.NS: ("ZONE-10", "ZONE-11", "ZONE-12"),
    RdataType.SRV: ("ZONE-13", "ZONE-14", "ZONE-15"),
}
_ALSO_TARGETS = {RdataType.CNAME: "target", RdataType.DNAME: "target", RdataType.PTR: "target"}


@dataclass(frozen=True, slots=True)
class Concern:
    """One thing in a zone that its owner will not have meant."""

    code: str
    owner: Name
    rdtype: RdataType
    problem: str
    remedy: str
    severity: Literal["error", "warning"] = "error"


def inspect(zone: Zone) -> tuple[Concern, ...]:
    """Return every concern, those of one owner together, owners in canonical order."""
    return tuple(concern for rrset in zone.rrsets() for concern in _of_rrset(zone, rrset))


def _of_rrset(zone: Zone, rrset: RRset) -> Iterator[Concern]:
    repeated = False
    if (meant := _without_repetition(zone, rrset.owner)) is not None:
        repeated = True
        yield _dot_forgotten(rrset, f"the owner {rrset.owner} ends in {zone.apex} twice.", meant)
    attribute = _TARGET.get(rrset.rdtype) or _ALSO_TARGETS.get(rrset.rdtype)
    if attribute is None or zone.delegation(rrset.owner) not in (None, rrset):
        return
    targets: list[Name] = [getattr(rdata, attribute) for rdata in rrset.rdatas]
    for target in targets:
        if (meant := _without_repetition(zone, target)) is not None:
            yield _dot_forgotten(
                rrset, f"{rrset.owner} {rrset.rdtype.name} points at {target}, which ends in {zone.apex} twice.", meant
            )
        elif not repeated and rrset.rdtype in _CODES:
            yield from _of_target(zone, rrset, target)
    if rrset.rdtype == RdataType.MX and dns.name.root in targets and len(targets) > 1:
        yield Concern(
            "MX-05",
            rrset.owner,
            rrset.rdtype,
            f"{rrset.owner} has a null MX (0 .) beside other MX records.",
            "Remove the null MX, which says that the domain takes no mail, or remove the others (RFC 7505 section 3).",
        )
    if rrset.rdtype == RdataType.NS:
        yield from _of_name_servers(zone, rrset)


def _without_repetition(zone: Zone, name: Name) -> Name | None:
    """Return the name without its second apex: ``mail.example.tech.`` for ``mail.example.tech.example.tech.``."""
    apex = zone.apex.labels[:-1]
    relative = name.labels[: -len(zone.apex.labels)]
    if not apex or not name.is_subdomain(zone.apex) or len(relative) < len(apex):
        return None
    shorter = Name((*relative, b""))
    return shorter if shorter.is_subdomain(zone.apex) else None


def _dot_forgotten(rrset: RRset, problem: str, meant: Name) -> Concern:
    remedy = f"Write {meant} with its final dot, if that is meant."
    return Concern("ZONE-01", rrset.owner, rrset.rdtype, problem, remedy)


def _of_target(zone: Zone, rrset: RRset, target: Name) -> Iterator[Concern]:
    aliased, no_address, address = _CODES[rrset.rdtype]
    subject = f"{rrset.owner} {rrset.rdtype.name} points at {target}"
    if target == dns.name.root and rrset.rdtype != RdataType.NS:  # null MX (RFC 7505), SRV without service (RFC 2782)
        return
    if _looks_like_an_address(zone, target):
        yield Concern(
            address, rrset.owner, rrset.rdtype, f"{subject}, which looks like an address.", "Name a host that has an A record."
        )
        return
    if not target.is_subdomain(zone.apex):
        return
    found = [zone.lookup(target, rdtype) for rdtype in _ADDRESSES]
    if found[0].kind is Kind.DELEGATION:
        if rrset.rdtype == RdataType.NS:
            yield from _of_glue(zone, rrset, target, subject)
        return
    if found[0].kind in (Kind.ALIAS, Kind.DNAME) or (
        found[0].kind is Kind.WILDCARD and found[0].rrset is not None and found[0].rrset.rdtype == RdataType.CNAME
    ):
        section = " (RFC 2181 section 10.3)" if rrset.rdtype != RdataType.SRV else " (RFC 2782)"
        remedy = f"Point at the host itself, or give {target} its own address{section}."
        yield Concern(aliased, rrset.owner, rrset.rdtype, f"{subject}, which is an alias.", remedy)
    elif not any(one.rrset is not None for one in found):
        yield Concern(
            no_address,
            rrset.owner,
            rrset.rdtype,
            f"{subject}, which has no address.",
            f"Add an A record for {target}{_or_dot(zone, target)}.",
        )


def _or_dot(zone: Zone, target: Name) -> str:
    """Say what the name would be with a final dot, where it looks like a whole name."""
    relative = Name((*target.labels[: -len(zone.apex.labels)], b""))
    return f", or write {relative} with its final dot" if len(relative.labels) > 2 else ""


def _of_glue(zone: Zone, rrset: RRset, target: Name, subject: str) -> Iterator[Concern]:
    """Demand addresses of name servers below their own delegation: nobody could find them otherwise (RFC 1034 section 4.2.1)."""
    if rrset.owner != zone.apex and not target.is_subdomain(rrset.owner):
        return
    if not any(zone.rrset(target, rdtype) for rdtype in _ADDRESSES):
        remedy = f"Add the address of {target} to this zone, as glue."
        yield Concern("ZONE-16", rrset.owner, rrset.rdtype, f"{subject}, which is below a delegation and has no glue.", remedy)


def _looks_like_an_address(zone: Zone, target: Name) -> bool:
    labels = target.relativize(zone.apex).labels if zone.apex != dns.name.root else target.labels
    written = b".".join(label for label in labels if label)
    return (written.count(b".") == 3 and written.replace(b".", b"").isdigit()) or b":" in written


def _of_name_servers(zone: Zone, rrset: RRset) -> Iterator[Concern]:
    if len(rrset) == 1:
        yield Concern(
            "ZONE-17",
            rrset.owner,
            rrset.rdtype,
            f"{rrset.owner} has one name server only.",
            "Add a second one, on another machine and in another network (RFC 2182 section 3.1).",
            "warning",
        )
    if rrset.owner != zone.apex and zone.rrset(rrset.owner, RdataType.DNAME):
        yield Concern(
            "ZONE-18",
            rrset.owner,
            rrset.rdtype,
            f"{rrset.owner} has NS and DNAME records, but is not the apex.",
            "Keep the delegation and move the DNAME to the apex of the child zone (RFC 6672 section 2.3).",
        )
