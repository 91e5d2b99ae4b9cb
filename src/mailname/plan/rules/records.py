"""The owner's extra records: what the plan makes itself, what is there twice, and targets that lead nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.name
from dns.rdatatype import RdataType
from dns.rdtypes.ANY.CNAME import CNAME
from dns.rdtypes.IN.A import A
from dns.rdtypes.IN.AAAA import AAAA

from mailname.plan import names
from mailname.plan.address import IPAddress, is_address
from mailname.plan.contents import in_domain_hosts
from mailname.plan.fault import Fault, Path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dns.name import Name
    from dns.rdata import Rdata

    from mailname.errors import Position
    from mailname.plan.contents import Contents
    from mailname.plan.draft import Draft
    from mailname.plan.user_records import Entry, UserRecords

_TARGETS = {RdataType.MX: "exchange", RdataType.NS: "target", RdataType.SRV: "target"}


def check(draft: Draft, read: UserRecords, contents: Contents, line_of: Callable[[Path | Position], int]) -> Iterator[Fault]:
    """Judge the extra records."""
    usable = []
    for entry in read.entries:
        if fault := _reserved(draft, entry):
            yield fault
        else:
            usable.append(entry)
    for entry in usable:
        if entry.rdata.rdtype == RdataType.SPF:
            remedy = "Write it as TXT, where receivers look for it."
            yield Fault(entry.where, "The record type SPF is no longer used (RFC 7208 section 3.1).", remedy, "warning")
    yield from _twice(usable, line_of)
    yield from _addresses(draft, usable)
    hosts = {host.name.value for host in in_domain_hosts(draft) if host.name}
    for entry in usable:
        yield from _target(entry, contents, hosts)


def _reserved(draft: Draft, entry: Entry) -> Fault | None:
    """Refuse what the plan itself makes at the apex, and what signing makes."""
    rdtype = entry.rdata.rdtype
    if rdtype == RdataType.SOA:
        return Fault(entry.where, "The SOA record is made from the plan.", "Take this one away and set [soa] and contact.")
    if rdtype == RdataType.NS and entry.owner == draft.domain:
        return Fault(
            entry.where,
            "The domain's NS records are made from the [[name_server]] tables.",
            "Take this one away, and add a [[name_server]] if it is missing there.",
        )
    if rdtype in {RdataType.RRSIG, RdataType.NSEC, RdataType.NSEC3, RdataType.NSEC3PARAM}:
        return Fault(entry.where, f"{entry.type_name} records are made by signing the zone.", "Take this record away.")
    return None


def _twice(entries: list[Entry], line_of: Callable[[Path | Position], int]) -> Iterator[Fault]:
    first: dict[tuple[Name, Rdata], Entry] = {}
    ttls: dict[tuple[Name, RdataType], Entry] = {}
    for entry in entries:
        before = first.setdefault((entry.owner, entry.rdata), entry)
        ttl_before = ttls.setdefault((entry.owner, entry.rdata.rdtype), entry)
        what = f"{names.say(entry.owner)} {entry.type_name}"
        if before is not entry:
            yield Fault(
                entry.data_where,
                f"This record of {what} is there twice; the first is on line {line_of(before.data_where)}.",
                "Keep one of them.",
                "warning",
            )
        elif ttl_before.ttl != entry.ttl:
            yield Fault(
                entry.where,
                f"{what} has the TTL {ttl_before.ttl} on line {line_of(ttl_before.where)}, {entry.ttl} here; the first counts.",
                "Give them the same TTL (RFC 2181 section 5.2).",
                "warning",
            )


def _addresses(draft: Draft, entries: list[Entry]) -> Iterator[Fault]:
    """Tell addresses that the plan gives in two places: the same ones once too often, others as a contradiction."""
    made: dict[Name, tuple[str, set[IPAddress]]] = {}
    if draft.website:
        made[draft.domain] = ("website", {address.value for address in draft.website})
    for host in in_domain_hosts(draft):
        assert host.name
        if not host.addresses or not host.whole:
            continue
        name, own = host.name.value, {address.value for address in host.addresses}
        kind = str(host.path[0])
        other, others = made.setdefault(name, (kind, own))
        if others != own and kind != other:  # of the same kind it is a host that is there twice
            yield Fault(
                (*host.path, "addresses"),
                f"{names.say(name)} has other addresses here than as {other}: {_list(own)}, there {_list(others)}.",
                "One name has one set of addresses: make them equal, or use another name.",
            )
    for entry in entries:
        if not isinstance(entry.rdata, A | AAAA) or entry.owner not in made:
            continue
        other, others = made[entry.owner]
        key = "website" if other == "website" else f"the {other.replace('_', ' ')}"
        if entry.rdata.address in {str(address) for address in others}:
            yield Fault(
                entry.data_where,
                f"The plan already makes this record from {key}.",
                "Take this one away, so that the address stands in one place.",
                "warning",
            )
        else:
            yield Fault(
                entry.data_where,
                f"{names.say(entry.owner)} is {_list(others)} by {key}, and {entry.rdata.address} here.",
                f"Take this record away, or put the address into the list of {key}.",
            )


def _list(addresses: set[IPAddress]) -> str:
    return ", ".join(sorted(map(str, addresses)))


def _target(entry: Entry, contents: Contents, hosts: set[Name]) -> Iterator[Fault]:
    rdtype = entry.rdata.rdtype
    if isinstance(entry.rdata, CNAME):
        yield from _alias_target(entry, entry.rdata.target, contents)
    if rdtype not in _TARGETS:
        return
    target = getattr(entry.rdata, _TARGETS[rdtype])
    said, kind = names.say(target), "an NS" if rdtype == RdataType.NS else f"an {entry.type_name}"
    if target == dns.name.root:
        return
    literal = names.say(target.relativize(contents.domain)) if target.is_subdomain(contents.domain) else said
    if is_address(literal):
        yield Fault(
            entry.target_where, f"'{literal}' is an address; {kind} needs a name.", "Name the host that has this address."
        )
    elif contents.is_alias(target) and target not in hosts:  # an alias that is a host of the plan is told there
        yield Fault(
            entry.target_where,
            f"{said} is an alias, and {kind} may not name one.",
            "Name the host that it points to (RFC 2181 section 10.3).",
        )
    elif not contents.has_address(target) and target not in hosts:
        near = contents.nearest(target)
        yield Fault(
            entry.target_where,
            f"{said} has no address in the zone.",
            f"Did you mean '{near}'?" if near else "Add its address, or name another host.",
        )


def _alias_target(entry: Entry, target: Name, contents: Contents) -> Iterator[Fault]:
    if contents.exists(target):
        return
    near = contents.nearest(target)
    relative = names.say(target.relativize(contents.domain))
    remedy = f"Did you mean '{near}'?" if near else "Add it, or name another target."
    if not near and "." in relative:
        remedy = f"Did you mean '{relative}.' with a trailing dot?"
    yield Fault(entry.target_where, f"The alias leads to {names.say(target)}, which is not in the zone.", remedy, "warning")
