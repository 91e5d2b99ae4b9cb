"""Records added to a plan that exists: at its end, as tables, and nothing of what the plan says already is changed."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import dns.rdatatype
from dns.rdatatype import RdataType

from mailname.errors import Mistake
from mailname.imports import toml_writing as toml
from mailname.imports.literal_records import meaning, record_table
from mailname.plan import expand, names
from mailname.zone import Serial
from mailname.zone.rrset import RRset

if TYPE_CHECKING:
    from dns.name import Name
    from dns.rdata import Rdata

    from mailname.imports.mail_lists import Listed
    from mailname.plan.model import Plan
    from mailname.zone import Zone

_ONE_ONLY = frozenset({RdataType.A, RdataType.AAAA, RdataType.CNAME, RdataType.DNAME})


@dataclass(frozen=True, slots=True)
class Addition:
    """What a list adds to a plan.

    Attributes:
        text: the plan's new text; the old one where nothing is new.
        known: how many records the plan has already.
        contradicted: records that the plan says otherwise; they are not added.

    """

    text: str
    known: int
    contradicted: tuple[Mistake, ...]


def add_to(text: str, plan: Plan, listed: Listed) -> Addition:
    """Add what is new of a list to a plan's text."""
    zone = expand(plan, Serial(0))
    new: defaultdict[tuple[Name, RdataType], dict[Rdata, int]] = defaultdict(dict)
    known = 0
    contradicted: list[Mistake] = []
    for record in listed.records:
        rrset = zone.rrset(record.owner, record.rdata.rdtype)
        there = rrset.rdatas if rrset else ()
        if record.rdata in there or (record.rdata.rdtype in _ONE_ONLY and record.rdata in _of(zone, record.owner)):
            known += 1
        elif against := next((one for one in there if _contradict(one, record.rdata)), None):
            problem = f"The plan says {names.say(record.owner)} {dns.rdatatype.to_text(against.rdtype)} {against} already."
            contradicted.append(Mistake(record.at, problem, "If the new one is right, change the plan's by hand.", "warning"))
        else:
            new[record.owner, record.rdata.rdtype][record.rdata] = rrset.ttl if rrset else record.ttl
    lines: list[str] = []
    for (owner, rdtype), rdatas in new.items():
        rrset = RRset(owner, rdtype, next(iter(rdatas.values())), tuple(rdatas))
        table = record_table(rrset, plan.domain, plan.ttl, meaning(rrset, plan.domain))
        if table is None:
            at = next(one.at for one in listed.records if one.owner == owner)
            problem = f"{names.say(owner)} {dns.rdatatype.to_text(rdtype)} is no [[record]] of a plan."
            contradicted.append(Mistake(at, problem, "Write it into zone_text.", "warning"))
            continue
        said = [one for rdata in rdatas for one in listed.comments.of(owner, rdata)]
        lines += ["", *toml.comment(said), *table]
    return Addition(text.rstrip("\n") + "\n" + "".join(f"{line}\n" for line in lines), known, tuple(contradicted))


def _of(zone: Zone, owner: Name) -> tuple[Rdata, ...]:
    node = zone.node(owner)
    return tuple(rdata for rrset in node.rrsets.values() for rdata in rrset.rdatas) if node else ()


def _contradict(one: Rdata, other: Rdata) -> bool:
    """Tell whether two records of one owner and type cannot both be meant: two SPF policies, two aliases, another address."""
    if one.rdtype in _ONE_ONLY:
        return True
    if one.rdtype != RdataType.TXT:
        return False
    first, second = (b"".join(getattr(rdata, "strings", ()))[:6].lower() for rdata in (one, other))
    return bool(first.startswith(b"v=") and first == second)
