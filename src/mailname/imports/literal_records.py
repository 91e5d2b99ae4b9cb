"""What of a zone no table of the plan makes: the mail's own records as ``[[record]]``, everything else as zone-file text.

A table is written only where ``plan`` reads exactly the same record from it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import dns.rdatatype
from dns.rdatatype import RdataType

from mailname.imports import toml_writing as toml
from mailname.plan import names
from mailname.plan.fault import WrongValueError
from mailname.plan.user_records import read_rdata
from mailname.zone.name_text import name_to_text
from mailname.zone.rdata_text import TokenFeed
from mailname.zone.ttl import words
from mailname.zone.write import rdata_to_text

if TYPE_CHECKING:
    from dns.name import Name
    from dns.rdata import Rdata

    from mailname.imports.found_zone import FoundZone
    from mailname.zone.rrset import RRset

# By the owner's first labels, what a TXT record is for the mail.
_TXT_OWNERS = (
    (re.compile(r"_dmarc$|.*\._report\._dmarc$"), "DMARC: what receivers do with mail that is not ours, and whom they tell"),
    (re.compile(r"(.*\.)?_domainkey$"), "DKIM: the public key that our signatures are verified with"),
    (
        re.compile(r"_mta-sts$"),
        "MTA-STS: that there is a policy at https://mta-sts.DOMAIN; a new id makes senders fetch it again",
    ),
    (re.compile(r"_smtp\._tls$"), "TLS-RPT: where senders report deliveries that failed because of TLS"),
    (re.compile(r".*\._bimi$"), "BIMI: the logo"),
)
_SPF = "SPF: who may send mail of the domain"
_TLSA = "TLSA: the certificate of the mail host (DANE)"


@dataclass(slots=True)
class Literal:
    """The lines of the key ``zone_text``, which stand above the plan's first table, and the ``[[record]]`` tables."""

    zone_text: list[str] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)


def literal_records(found: FoundZone, ttl: int, made: set[tuple[Name, RdataType]]) -> Literal:
    """Write what the plan's own tables do not make.

    Args:
        found: the zone.
        ttl: the plan's.
        made: what its tables make, by owner and type.

    """
    literal = Literal()
    lines: list[str] = []
    feed = TokenFeed()
    for rrset in found.order:
        if (rrset.owner, rrset.rdtype) in made:
            continue
        means = meaning(rrset, found.apex)
        table = record_table(rrset, found.apex, ttl, means) if means else None
        if table is not None:
            said = [one for rdata in rrset.rdatas for one in found.comments.of(rrset.owner, rdata)]
            literal.tables += ["", *toml.comment(said), *table]
        else:
            lines += _lines(found, rrset, ttl, feed)
    lines += [f"; {one}" for one in found.comments.tail]
    if lines:
        literal.zone_text = ["", "# Further records, as zone files write them: here a full name needs its final dot."]
        literal.zone_text += [f"zone_text = {toml.lines(lines)}"]
    return literal


def meaning(rrset: RRset, apex: Name) -> str:
    """Say what an RRset is for the mail; nothing where it is something else."""
    if rrset.rdtype == RdataType.TLSA:
        return _TLSA
    if rrset.rdtype != RdataType.TXT:
        return ""
    if any(rdata.to_text().lower().startswith('"v=spf1') for rdata in rrset.rdatas):
        return _SPF
    owner = name_to_text(rrset.owner, apex).lower()
    return next((means for pattern, means in _TXT_OWNERS if pattern.match(owner)), "")


def record_table(rrset: RRset, domain: Name, ttl: int, means: str = "") -> list[str] | None:
    """Write an RRset as one ``[[record]]``; None where a plan could not read it from there."""
    owner = "@" if rrset.owner == domain else names.say(rrset.owner)
    try:
        if names.read_owner(owner, domain) != rrset.owner:
            return None
    except WrongValueError:
        return None
    data = [_data(rdata, domain) for rdata in rrset.rdatas]
    if any(one is None for one in data):
        return None
    said = [one for one in data if one is not None]
    return [
        f"[[record]]{f'  # {means}' if means else ''}",
        f"name = {toml.text(owner)}",
        f'type = "{dns.rdatatype.to_text(rrset.rdtype)}"',
        f"data = {toml.text(said[0]) if len(said) == 1 else toml.texts(said)}",
        *([f"ttl  = {rrset.ttl}  # {words(rrset.ttl)}"] if rrset.ttl != ttl else []),
    ]


def _data(rdata: Rdata, domain: Name) -> str | None:
    """Write one record's data; a text without its quotes where it is read back in the same strings."""
    written = [rdata.to_text()]
    if rdata.rdtype == RdataType.TXT:
        strings: tuple[bytes, ...] = getattr(rdata, "strings", ())
        joined = b"".join(strings)
        if joined and joined.isascii() and joined.decode().isprintable():
            written.insert(0, joined.decode())
    for one in written:
        try:
            if read_rdata(rdata.rdtype, one, domain) == rdata:
                return one
        except WrongValueError:
            continue
    return None


def _lines(found: FoundZone, rrset: RRset, ttl: int, feed: TokenFeed) -> list[str]:
    owner, rdtype = name_to_text(rrset.owner, found.apex), dns.rdatatype.to_text(rrset.rdtype)
    with_ttl = f" {rrset.ttl}" if rrset.ttl != ttl else ""
    lines: list[str] = []
    for rdata in rrset.rdatas:
        key = rrset.owner, rdata
        lines += [f"; {one}" for one in found.comments.above.get(key, ())]
        beside = "  ".join(found.comments.beside.get(key, ()))
        line = f"{owner:<24}{with_ttl} {rdtype:<6} {rdata_to_text(rdata, found.apex, feed)}"
        lines.append(f"{line}  ; {beside}" if beside else line)
    return lines
