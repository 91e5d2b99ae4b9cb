"""The records that the owner adds by hand: ``[[record]]`` tables and ``zone_text``, read into rdata with their places."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import dns.exception
import dns.name
import dns.rdatatype
from dns.name import Name
from dns.rdatatype import RdataType

from mailname.errors import Position
from mailname.plan import names
from mailname.plan.fault import Fault, Path, WrongValueError, closest
from mailname.zone.text import read_records

if TYPE_CHECKING:
    from collections.abc import Callable

    from dns.rdata import Rdata

    from mailname.plan.draft import Draft, RecordTable
    from mailname.zone.text import Record

# Relative names in a [[record]]'s data are read below this, so that they can be told from absolute ones afterwards.
_RELATIVE = Name((b"\0relative", b""))
_MADE_BY_SIGNING = frozenset({RdataType.RRSIG, RdataType.NSEC, RdataType.NSEC3, RdataType.NSEC3PARAM})
_TYPES = tuple(t.name for t in RdataType if not dns.rdatatype.is_metatype(t) and t != RdataType.NONE)
_TEXTS = frozenset({RdataType.TXT, RdataType.SPF})


@dataclass(frozen=True, slots=True)
class Entry:
    """One record, and where its owner, its data, and the name that its data points to stand."""

    owner: Name
    ttl: int
    rdata: Rdata
    where: Path | Position
    data_where: Path | Position
    target_where: Path | Position

    @property
    def type_name(self) -> str:
        """The record type's name."""
        return dns.rdatatype.to_text(self.rdata.rdtype)


@dataclass(slots=True)
class UserRecords:
    """What was read. ``unsure`` are owners some of whose records could not be; ``whole`` is False when even that is unknown."""

    entries: list[Entry] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    unsure: set[Name] = field(default_factory=set)
    whole: bool = True


def read_type(text: str) -> RdataType:
    """Read a record type; raises WrongValueError for those that are none, or none that a person writes."""
    try:
        rdtype = dns.rdatatype.from_text(text)
    except (dns.rdatatype.UnknownRdatatype, ValueError):
        meant = closest(text, [name.lower() for name in _TYPES])
        hint = f'Did you mean "{meant.upper()}"?' if meant else "Types without a name are written as TYPE65280."
        raise WrongValueError(f"'{text}' is not a record type.", hint, instead=meant and meant.upper()) from None
    if rdtype == RdataType.NONE or dns.rdatatype.is_metatype(rdtype):
        raise WrongValueError(f"{text} is a question's type, not a record's.", "Write the type of the record.")
    if rdtype in _MADE_BY_SIGNING:
        raise WrongValueError(f"{text} records are made by signing the zone, not written by hand.", "Take this record away.")
    return rdtype


def read_rdata(rdtype: RdataType, text: str, domain: Name) -> Rdata:
    """Read the data of one ``[[record]]``: as in zone files, but with the plan's rule for names (no trailing dots)."""
    if "\n" in text:
        raise WrongValueError("The data of a record has a line break in it.", "Write one line; several records are a list.")
    if rdtype in _TEXTS and not text.lstrip().startswith('"'):
        text = quoted(text)
    read = read_records(f"@ 0 IN {dns.rdatatype.to_text(rdtype)} {text}", "", _RELATIVE, default_ttl=0)
    if read.mistakes:
        mistake = read.mistakes[0]
        raise WrongValueError(_sentence(mistake.problem), mistake.remedy)
    rdata = read.records[0].rdata
    absolute = {
        attribute: names.complete(value.relativize(_RELATIVE), domain)
        for attribute, value in names_in(rdata).items()
        if value.is_subdomain(_RELATIVE)
    }
    return rdata.replace(**absolute)


def names_in(rdata: Rdata) -> dict[str, Name]:
    """Return the names that stand in a record's data, by attribute."""
    slots = [slot for kind in type(rdata).__mro__ for slot in getattr(kind, "__slots__", ())]
    values = {slot: getattr(rdata, slot, None) for slot in slots}
    return {slot: value for slot, value in values.items() if isinstance(value, Name)}


def quoted(text: str) -> str:
    """Write a text as TXT data: quoted strings of at most 255 octets each (RFC 1035 section 3.3)."""
    octets = text.encode()
    chunks = [octets[i : i + 255] for i in range(0, len(octets), 255)] or [b""]
    return " ".join('"' + "".join(_escaped(octet) for octet in chunk) + '"' for chunk in chunks)


def _escaped(octet: int) -> str:
    character = chr(octet)
    if character in '"\\':
        return "\\" + character
    return character if 32 <= octet < 127 else f"\\{octet:03d}"


def user_records(draft: Draft, place: Callable[[Position], Position]) -> UserRecords:
    """Read all of them; ``place`` turns a position inside zone_text into one in the plan's file."""
    read = UserRecords(whole=draft.records_whole and draft.zone_text_whole)
    for table in draft.records:
        _table(read, draft, table)
    if draft.zone_text:
        _text(read, draft, draft.zone_text.value, place)
    return read


def _table(read: UserRecords, draft: Draft, table: RecordTable) -> None:
    if table.name is None:
        read.whole = False
        return
    owner = table.name.value
    if table.type is None:
        read.unsure.add(owner)
        return
    try:
        rdtype = read_type(table.type.value)
    except WrongValueError as wrong:
        read.faults.append(Fault(table.type.path, wrong.problem, wrong.remedy))
        read.unsure.add(owner)
        return
    if not table.data:
        read.unsure.add(owner)
    for text in table.data:
        try:
            rdata = read_rdata(rdtype, text.value, draft.domain)
        except WrongValueError as wrong:
            read.faults.append(Fault(text.path, wrong.problem, wrong.remedy))
            read.unsure.add(owner)
            continue
        ttl = draft.ttl if table.ttl is None else table.ttl
        read.entries.append(Entry(owner, ttl, rdata, table.name.path, text.path, text.path))


def _text(read: UserRecords, draft: Draft, text: str, place: Callable[[Position], Position]) -> None:
    records = read_records(text, "zone_text", draft.domain, default_ttl=draft.ttl)
    lines = text.split("\n")
    for mistake in records.mistakes:
        read.faults.append(Fault(place(mistake.at), _sentence(mistake.problem), mistake.remedy, mistake.severity))
        if mistake.severity == "error":
            _remember_owner(read, draft, lines, mistake.at.line)
    for record in records.records:
        owner, data = record.owner, record.rdata
        at, data_at = place(record.at), place(record.rdata_at)
        owner = _with_dot(read, draft, owner, lines, record.at, place) or owner
        fixed = {}
        for attribute, name in names_in(data).items():
            if better := _with_dot(read, draft, name, lines, record.rdata_at, place):
                fixed[attribute] = better
        if not owner.is_subdomain(draft.domain):
            read.faults.append(
                Fault(
                    at,
                    f"{names.say(owner)} is outside the domain {names.say(draft.domain)}.",
                    "Take the record to the zone that it belongs to.",
                )
            )
            continue
        if fixed:
            data = data.replace(**fixed)
        target_at = place(_target_at(record, lines))
        read.entries.append(Entry(owner, record.ttl, data, at, data_at, target_at))


def _target_at(record: Record, lines: list[str]) -> Position:
    """Find the name that a record points to behind the other fields of its data; it is spelled relative or whole."""
    at = record.rdata_at
    spelled = [name.to_text().lower() for name in names_in(record.rdata).values()]
    for token in re.compile(r"[^\s();\"]+").finditer(lines[at.line - 1], at.column - 1):
        text = token[0].lower()
        if any(name == text or name.startswith(text + ".") for name in spelled):
            return Position(at.file, at.line, token.start() + 1)
    return at


def _remember_owner(read: UserRecords, draft: Draft, lines: list[str], line: int) -> None:
    """Keep the owner of a record that could not be read in mind, so that nobody complains that it is missing."""
    for text in reversed(lines[:line]):
        first = re.match(r"[^\s;$(]+", text)
        if first:
            try:
                read.unsure.add(dns.name.from_text(first[0], draft.domain))
            except dns.exception.DNSException:
                read.whole = False
            return
    read.whole = False


def _with_dot(
    read: UserRecords, draft: Draft, name: Name, lines: list[str], near: Position, place: Callable[[Position], Position]
) -> Name | None:
    """Find a name that lost its trailing dot, tell it at its own place, and return what was meant."""
    domain = draft.domain
    meant = _undoubled(name, domain)
    if meant is None:
        return None
    written = names.say(meant)
    where = near
    for number in range(near.line, len(lines) + 1):
        start = near.column - 1 if number == near.line else 0
        found = re.compile(rf"(?<![\w.-]){re.escape(written)}(?![\w.-])", re.IGNORECASE).search(lines[number - 1], start)
        if found:
            where = Position(near.file, number, found.start() + 1)
            break
    read.faults.append(
        Fault(
            place(where),
            f"'{written}' has no trailing dot, so it means {names.say(name)}.",
            f"In zone-file text write {written}. with the dot, or only the part before {names.say(domain)}.",
        )
    )
    return meant


def _undoubled(name: Name, domain: Name) -> Name | None:
    """Return the name without the domain's second copy at its end: mail.example.tech.example.tech -> mail.example.tech."""
    if not name.is_subdomain(domain):
        return None
    relative = name.relativize(domain)
    as_absolute = relative.concatenate(dns.name.root)
    return as_absolute if as_absolute.is_subdomain(domain) else None


def _sentence(problem: str) -> str:
    first = problem.split(" ", 1)[0]
    return problem[0].upper() + problem[1:] if first in {"this", "the", "a", "an", "without", "there"} else problem
