"""What an update does to a zone: prerequisites, permission, and the changes, all or nothing (RFC 2136 section 3).

Not implemented: forwarding to the primary (section 6); the odd rules for WKS records.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from dns.rcode import Rcode
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType

from mailname.update.draft import Draft
from mailname.update.message import UpdateError
from mailname.update.policy import is_allowed
from mailname.zone.name_pattern import any_matches
from mailname.zone.serial import Serial

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dns.name import Name
    from dns.rdata import Rdata
    from dns.rdtypes.ANY.SOA import SOA

    from mailname.update.message import Update, UpdateRecord
    from mailname.update.policy import UpdateRule
    from mailname.zone import Zone
    from mailname.zone.image_merge import Changes

_ANY, _NONE, _IN = RdataClass.ANY, RdataClass.NONE, RdataClass.IN
_ONE_RECORD = frozenset({RdataType.SOA, RdataType.CNAME, RdataType.DNAME})
_BESIDE_CNAME = frozenset({RdataType.CNAME, RdataType.RRSIG, RdataType.NSEC, RdataType.KEY})
_AT_APEX_FOR_EVER = frozenset({RdataType.SOA, RdataType.NS})


def judge(zone: Zone, update: Update, rules: Sequence[UpdateRule]) -> Changes:
    """Return what an update changes in a zone.

    Args:
        zone: as it is served now.
        update: it.
        rules: those that are for the key it is signed with.

    Raises:
        UpdateError: a prerequisite does not hold, something is not allowed, or it is malformed.

    """
    if zone.denial is not None:
        raise UpdateError(Rcode.REFUSED, "the zone is signed, and not by this server: what is changed would have no signature")
    draft = Draft(zone)
    _check_prerequisites(draft, update.prerequisites)
    for record in update.changes:
        _scan(zone, record)
    for record in update.changes:
        _permit(draft, record, rules)
    for record in update.changes:
        _change(draft, record)
    return draft.changes()


def touched(zone: Zone, update: Update) -> set[tuple[Name, RdataType]]:
    """Return the names and types that an update may change."""
    found: set[tuple[Name, RdataType]] = set()
    for record in update.changes:
        node = zone.node(record.owner) if record.rdtype == RdataType.ANY else None
        types = [record.rdtype] if record.rdtype != RdataType.ANY else [*node.rrsets] if node is not None else []
        found.update((record.owner, kind) for kind in types)
    return found


def _check_prerequisites(draft: Draft, prerequisites: Iterable[UpdateRecord]) -> None:
    """Section 3.2."""
    wanted: dict[tuple[Name, RdataType], set[Rdata]] = {}
    for record in prerequisites:
        if record.ttl != 0:
            raise UpdateError(Rcode.FORMERR, f"a prerequisite with a TTL: {record}")
        _check_in_zone(draft.apex, record)
        if record.rdclass == _IN and record.rdata is not None and not _is_meta(record.rdtype):
            wanted.setdefault((record.owner, record.rdtype), set()).add(record.rdata)
            continue
        if record.rdclass not in (_ANY, _NONE) or record.rdata is not None:
            raise UpdateError(Rcode.FORMERR, f"no kind of prerequisite: {record}")
        held = draft.at(record.owner)
        if record.rdtype == RdataType.ANY:
            if bool(held) != (record.rdclass == _ANY):
                rcode = Rcode.NXDOMAIN if record.rdclass == _ANY else Rcode.YXDOMAIN
                raise UpdateError(rcode, f"{record.owner} is {'in use' if held else 'not in use'}")
        elif (record.rdtype in held) != (record.rdclass == _ANY):
            rcode = Rcode.NXRRSET if record.rdclass == _ANY else Rcode.YXRRSET
            raise UpdateError(rcode, f"{record} {'exists' if record.rdtype in held else 'does not exist'}")
    for (owner, kind), rdatas in wanted.items():
        if set(draft.at(owner).get(kind, (0, ()))[1]) != rdatas:
            raise UpdateError(Rcode.NXRRSET, f"{owner} {RdataType.to_text(kind)} is not what the update supposes")


def _check_in_zone(apex: Name, record: UpdateRecord) -> None:
    if not record.owner.is_subdomain(apex):
        raise UpdateError(Rcode.NOTZONE, f"{record.owner} is not in the zone")


def _is_meta(kind: RdataType) -> bool:
    """Tell whether a type is one of questions and messages, not of data (RFC 6895 section 3.1)."""
    return 128 <= kind <= 255 or kind in (RdataType.OPT, RdataType.NONE)


def _scan(zone: Zone, record: UpdateRecord) -> None:
    """Section 3.4.1."""
    _check_in_zone(zone.apex, record)
    if record.rdclass == _IN:
        good = not _is_meta(record.rdtype) and record.rdata is not None
    elif record.rdclass == _ANY:
        good = record.ttl == 0 and record.rdata is None and (record.rdtype == RdataType.ANY or not _is_meta(record.rdtype))
    else:
        good = record.rdclass == _NONE and record.ttl == 0 and not _is_meta(record.rdtype) and record.rdata is not None
    if not good:
        raise UpdateError(Rcode.FORMERR, f"no kind of change: {record}")


def _permit(draft: Draft, record: UpdateRecord, rules: Sequence[UpdateRule]) -> None:
    """Section 3.3, for each record: all types that are there must be allowed where a whole name is to be deleted."""
    kinds = [record.rdtype]
    if record.rdtype == RdataType.ANY:
        kinds = [kind for kind in draft.at(record.owner) if record.owner != draft.apex or kind not in _AT_APEX_FOR_EVER]
        if not kinds and not any(any_matches(rule.names, record.owner) for rule in rules):
            raise UpdateError(Rcode.REFUSED, f"{record.owner} is not this key's to change")
    for kind in kinds:
        if not is_allowed(rules, record.owner, kind):
            raise UpdateError(Rcode.REFUSED, f"{record.owner} {RdataType.to_text(kind)} is not this key's to change")


def _change(draft: Draft, record: UpdateRecord) -> None:
    """Section 3.4.2."""
    held, at_apex = draft.at(record.owner), record.owner == draft.apex
    if record.rdclass == _IN:
        _add(draft, record)
    elif record.rdtype == RdataType.ANY:
        for kind in [one for one in held if not (at_apex and one in _AT_APEX_FOR_EVER)]:
            del held[kind]
    elif record.rdclass == _ANY:
        if not (at_apex and record.rdtype in _AT_APEX_FOR_EVER):
            held.pop(record.rdtype, None)
    elif record.rdtype in held and record.rdtype != RdataType.SOA:
        ttl, rdatas = held[record.rdtype]
        left = tuple(one for one in rdatas if one != record.rdata)
        if left:
            held[record.rdtype] = (ttl, left)
        elif not (at_apex and record.rdtype == RdataType.NS):  # the last NS of the apex stays
            del held[record.rdtype]


def _add(draft: Draft, record: UpdateRecord) -> None:
    """Section 3.4.2.2: what cannot stand there is passed over in silence."""
    held = draft.at(record.owner)
    assert record.rdata is not None  # it was scanned
    others = [kind for kind in held if kind not in _BESIDE_CNAME]
    if record.rdtype == RdataType.CNAME and others:
        return
    if RdataType.CNAME in held and record.rdtype not in _BESIDE_CNAME:
        return
    if record.rdtype == RdataType.SOA:
        if record.owner != draft.apex:
            return
        old, new = cast("SOA", held[RdataType.SOA][1][0]), cast("SOA", record.rdata)
        if not Serial(new.serial).is_newer_than(Serial(old.serial)):
            return
    before = () if record.rdtype in _ONE_RECORD else held.get(record.rdtype, (0, ()))[1]
    held[record.rdtype] = (record.ttl, (*(one for one in before if one != record.rdata), record.rdata))
