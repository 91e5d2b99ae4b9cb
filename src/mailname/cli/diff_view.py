"""What would change in a zone, as lines that a person reads at a glance: + comes, - goes, ~ is the serial."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.name
import dns.rdatatype
from dns.rdtypes.ANY.SOA import SOA
from rich.text import Text

from mailname.zone.name_text import name_to_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dns.name import Name
    from dns.rdata import Rdata
    from rich.console import Console

    from mailname.zone import RRset
    from mailname.zone.diff import Change

_TIMERS = ("mname", "rname", "refresh", "retry", "expire", "minimum")


def print_diff(console: Console, changes: Sequence[Change], *, apex: Name | None = None, indent: str = "  ") -> None:
    """Print what changes, a record a line; owners are relative to the apex, which a change of the SOA tells, too."""
    soa = (change.owner for change in changes if change.rdtype == dns.rdatatype.SOA)
    apex = apex or next(soa, dns.name.root)
    for line in diff_lines(changes, apex):
        console.print(Text(indent) + line)


def diff_json(changes: Iterable[Change]) -> list[dict[str, object]]:
    """Return the changes as JSON has them: owner, type, and the records before and after."""
    return [
        {
            "kind": change.kind,
            "owner": change.owner.to_text(),
            "type": dns.rdatatype.to_text(change.rdtype),
            "old": _json(change.old),
            "new": _json(change.new),
        }
        for change in changes
    ]


def _json(rrset: RRset | None) -> dict[str, object] | None:
    return {"ttl": rrset.ttl, "data": [rdata.to_text() for rdata in rrset.rdatas]} if rrset else None


def diff_lines(changes: Iterable[Change], apex: Name) -> list[Text]:
    """Return one coloured line for each record that comes or goes; owners are relative to the apex."""
    rows: list[tuple[str, str, str, str, str]] = []
    for change in changes:
        rows += (
            _soa(change) if isinstance(_first(change.old), SOA) and isinstance(_first(change.new), SOA) else _rows(change, apex)
        )
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(1, 4)]
    lines = []
    for sign, owner, ttl, rdtype, data in rows:
        padded = f"{sign} {owner:<{widths[0]}}  {ttl:>{widths[1]}}  {rdtype:<{widths[2]}}  {data}"
        lines.append(Text(padded, style={"+": "green", "-": "red"}.get(sign, "cyan")))
    return lines


def _first(rrset: RRset | None) -> Rdata | None:
    return rrset.rdatas[0] if rrset else None


def _rows(change: Change, apex: Name) -> list[tuple[str, str, str, str, str]]:
    old, new = _records(change.old), _records(change.new)
    owner, rdtype = name_to_text(change.owner, apex), dns.rdatatype.to_text(change.rdtype)
    return [
        (sign, owner, str(ttl), rdtype, rdata.to_text(origin=apex))
        for sign, here, there in (("-", old, new), ("+", new, old))
        for ttl, rdata in here
        if (ttl, rdata) not in there
    ]


def _records(rrset: RRset | None) -> list[tuple[int, Rdata]]:
    return [(rrset.ttl, rdata) for rdata in rrset.rdatas] if rrset else []


def _soa(change: Change) -> list[tuple[str, str, str, str, str]]:
    """Say what of the SOA changes in one line: its nine fields side by side tell nobody anything."""
    old, new = _first(change.old), _first(change.new)
    assert isinstance(old, SOA)
    assert isinstance(new, SOA)
    assert change.old
    assert change.new
    said = [
        f"{field} {getattr(old, field)} → {getattr(new, field)}"
        for field in ("serial", *_TIMERS)
        if getattr(old, field) != getattr(new, field)
    ]
    if change.old.ttl != change.new.ttl:
        said.append(f"TTL {change.old.ttl} → {change.new.ttl}")
    return [("~", "@", "", "SOA", ", ".join(said))]
