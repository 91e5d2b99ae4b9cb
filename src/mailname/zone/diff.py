"""The difference between two versions of a zone, RRset by RRset, in canonical order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from dns.rdatatype import RdataType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dns.name import Name
    from dns.rdtypes.ANY.SOA import SOA

    from mailname.zone.rrset import RRset
    from mailname.zone.zone import Zone


@dataclass(frozen=True, slots=True)
class Change:
    """One RRset that came, went, or has another TTL or other records."""

    kind: Literal["add", "remove", "change"]
    owner: Name
    rdtype: RdataType
    old: RRset | None
    new: RRset | None


def diff(old: Zone | None, new: Zone) -> tuple[Change, ...]:
    """Return what changed: the SOA first, then in the canonical order of the owners (RFC 4034 section 6.1), types by number.

    Args:
        old: None when nothing was published before: then everything is added.
        new: a version of the same zone.

    """
    return tuple(_changes(old, new))


def same_content(old: Zone | None, new: Zone) -> bool:
    """Tell whether nothing but the SOA's serial differs, so that the serial need not be raised."""
    return all(
        change.rdtype == RdataType.SOA
        and change.old is not None
        and change.new is not None
        and _same_but_serial(change.old, change.new)
        for change in _changes(old, new)
    )


def _changes(old: Zone | None, new: Zone) -> Iterator[Change]:
    before = old.rrsets() if old else iter(())
    after = new.rrsets()
    one, other = next(before, None), next(after, None)
    while one or other:
        if other is None or (one is not None and _precedes(one, other)):
            assert one is not None
            yield Change("remove", one.owner, one.rdtype, one, None)
            one = next(before, None)
        elif one is None or _precedes(other, one):
            yield Change("add", other.owner, other.rdtype, None, other)
            other = next(after, None)
        else:
            if one != other:
                yield Change("change", other.owner, other.rdtype, one, other)
            one, other = next(before, None), next(after, None)


def _precedes(one: RRset, other: RRset) -> bool:
    """Tell whether one RRset stands before another in ``Zone.rrsets``, the SOA apart: both versions begin with theirs."""
    order = one.owner.fullcompare(other.owner)[1]
    return order < 0 or (order == 0 and one.rdtype < other.rdtype)


def _same_but_serial(old: RRset, new: RRset) -> bool:
    before, after = cast("SOA", old.rdatas[0]), cast("SOA", new.rdatas[0])
    return old.ttl == new.ttl and bool(before.replace(serial=0) == after.replace(serial=0))
