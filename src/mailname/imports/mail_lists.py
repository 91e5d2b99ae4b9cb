"""Lists of records as mail servers print them for their owner to publish: nearly zone-file text, and often not quite.

What is forgiven: no ``$TTL`` and no ``$ORIGIN``; full names without their final dot; texts without quotes, in which ``;`` is no
comment; the type before the name; rows of tables, and their heads; sentences that explain the record above; MX without a
preference, and SRV as "host port". As in a plan a name with a dot is a full name; labels up to the last one that begins with
``_`` do not count: ``_25._tcp.mail`` stands in the domain.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import dns.rdatatype
from dns.rdatatype import RdataType

from mailname.errors import Mistake, Position
from mailname.imports.comments import Comments, comments_of
from mailname.plan import names
from mailname.plan.fault import WrongValueError
from mailname.plan.user_records import quoted, read_rdata, read_type
from mailname.zone.name_text import NameTextError, name_from_text
from mailname.zone.records import Record
from mailname.zone.scan import Entry, Token, scan
from mailname.zone.ttl import seconds_from_text

if TYPE_CHECKING:
    from dns.name import Name

_TYPE = r"(?:A|AAAA|CAA|CNAME|DNAME|HTTPS|MX|NAPTR|NS|OPENPGPKEY|PTR|SMIMEA|SPF|SRV|SSHFP|SVCB|TLSA|TXT)"
_BEFORE_TYPE = r"(?:\d+[smhdw]?|IN)"
_TYPE_FIRST = re.compile(
    rf"(?P<type>{_TYPE})\s+(?!{_BEFORE_TYPE}\s|{_TYPE}\s)(?P<owner>[\w@*.-]+)\s+(?P<rest>\S.*)", re.IGNORECASE
)
_BARE_TEXT = re.compile(rf'(?P<head>\s*[^\s;"()]*\s+(?:{_BEFORE_TYPE}\s+)*TXT\s+)(?P<text>[^\s"(][^"]*)$', re.IGNORECASE)
_RULE = re.compile(r"[\s|:+=*_#-]*$")
# A sentence: a capital letter, at least five words, a full stop.
_SENTENCE = re.compile(r"[A-Z][a-z]+[.,]? (?:\S+ ){3,}\S+[.)!]")
_ONLY_TYPE = re.compile(_TYPE)
_PREFERENCE, _WEIGHT = 10, 1
# The words at the head of a table.
_HEADS = frozenset(
    {
        "class",
        "content",
        "contents",
        "data",
        "host",
        "hostname",
        "name",
        "owner",
        "priority",
        "qname",
        "record",
        "ttl",
        "type",
        "value",
    }
)
_CLASS = "IN"


@dataclass(slots=True)
class Listed:
    """What was read.

    Attributes:
        records: those in the domain, in their order.
        mistakes: lines that are no record, or none of this domain; each with its place.

    """

    records: list[Record] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)
    comments: Comments = field(default_factory=Comments)


def read_list(text: str, file: str, domain: Name, *, ttl: int) -> Listed:
    """Read a list of records. Raises nothing, whatever the text is.

    Args:
        text: the list.
        file: its name in positions.
        domain: where relative owners stand; records outside it are told.
        ttl: of records that say none.

    """
    reading = _Reading(file, domain, ttl)
    lines = textwrap.dedent(text.removeprefix("\ufeff")).splitlines()
    plain = "\n".join("" if _is_explanation(line, names.say(domain)) else _plain_line(line) for line in lines)
    for entry in scan(plain, file):
        reading.entry(entry)
    reading.listed.comments = comments_of({file: plain}, tuple(reading.listed.records))
    return reading.listed


def _is_explanation(line: str, domain: str) -> bool:
    """Tell whether a line is a sentence about the record above, or the domain's name as a heading: both are no record."""
    return line.strip() == domain or (
        _SENTENCE.fullmatch(line.strip()) is not None and not any(_ONLY_TYPE.fullmatch(word) for word in line.split()[1:4])
    )


def _plain_line(line: str) -> str:
    """Turn a line into zone-file text, where it is nearly that; its number stays."""
    if line.startswith("#"):
        return f";{line[1:]}"
    words = {word.lower() for word in re.findall(r"\w+", line)}
    if _RULE.match(line) or (len(words) > 1 and words <= _HEADS):
        return ""
    if line.lstrip().startswith("|"):  # a row of a table
        line = "  ".join(cell.strip().strip("`") for cell in line.strip().strip("|").split("|"))
    if match := _TYPE_FIRST.fullmatch(line.strip()):
        line = f"{match['owner']} {match['type']} {match['rest']}"
    if match := _BARE_TEXT.match(line):
        line = match["head"] + quoted(match["text"].strip())
    return line


@dataclass(slots=True)
class _Reading:
    """The state of reading."""

    file: str
    domain: Name
    ttl: int
    listed: Listed = field(default_factory=Listed)
    origin: Name = field(init=False)
    owner: Name = field(init=False)

    def __post_init__(self) -> None:
        self.origin = self.owner = self.domain

    def entry(self, entry: Entry) -> None:
        """Take one record or directive."""
        if entry.mistake is not None:
            self.listed.mistakes.append(entry.mistake)
            return
        first = entry.tokens[0]
        try:
            if first.text.startswith("$") and not first.quoted:
                self._directive(first, entry.tokens[1:])
            else:
                self._record(entry)
        except (WrongValueError, NameTextError) as wrong:
            self._wrong(first, wrong.problem, wrong.remedy)

    def _wrong(self, token: Token, problem: str, remedy: str) -> None:
        at = Position(self.file, token.line, token.column)
        self.listed.mistakes.append(Mistake(at, problem, remedy, "warning"))

    def _directive(self, first: Token, arguments: list[Token]) -> None:
        word = first.text.upper()
        if word == "$ORIGIN" and arguments:
            self.origin = self._owner(arguments[0].text)
        elif word == "$TTL" and arguments and (ttl := seconds_from_text(arguments[0].text)) is not None:
            self.ttl = ttl
        else:
            self._wrong(
                first, f"{first.text} is not understood in a list of records.", "Import the zone file that it belongs to."
            )

    def _owner(self, text: str) -> Name:
        whole = names.say(self.domain)
        is_whole = text.lower() == whole or text.lower().endswith(f".{whole}")
        after_service = text.rpartition("_")[2].partition(".")[2] if "_" in text else text
        if not text.endswith(".") and (is_whole or ("." in after_service and self.origin == self.domain)):
            text += "."
        return name_from_text(text, self.origin)

    def _record(self, entry: Entry) -> None:
        fields = list(entry.tokens)
        if not entry.blank_owner:
            self.owner = self._owner(fields.pop(0).text)
        ttl = self.ttl
        while fields and not fields[0].quoted:
            if fields[0].text.upper() == _CLASS:
                fields.pop(0)
            elif (said := seconds_from_text(fields[0].text)) is not None:
                ttl = said
                fields.pop(0)
            else:
                break
        if len(fields) < 2:
            raise WrongValueError("This line is no record.", "A record has a name, a type and data; put a ; before a comment.")
        rdtype = read_type(fields[0].text.upper())
        if not self.owner.is_subdomain(self.domain):
            self._wrong(
                entry.tokens[0],
                f"{names.say(self.owner)} is outside the domain {names.say(self.domain)}.",
                "It belongs to the plan of its own domain.",
            )
            return
        if rdtype == RdataType.SOA or (rdtype == RdataType.NS and self.owner == self.domain):
            self._wrong(
                fields[0], f"{dns.rdatatype.to_text(rdtype)} is made by the plan itself.", "See its [[name_server]] tables."
            )
            return
        data = "".join(("" if token.glued else " ") + (f'"{token.text}"' if token.quoted else token.text) for token in fields[1:])
        rdata = read_rdata(rdtype, _completed(rdtype, data.split()) or data.strip(), self.domain)
        at, data_at = (Position(self.file, token.line, token.column) for token in (entry.tokens[0], fields[1]))
        self.listed.records.append(Record(self.owner, ttl, rdata, at, data_at))


def _completed(rdtype: RdataType, words: list[str]) -> str:
    """Return the data of an MX without a preference, or of an SRV that is host and port alone; else nothing."""
    if rdtype == RdataType.MX and len(words) == 1:
        return f"{_PREFERENCE} {words[0]}"
    if rdtype == RdataType.SRV and len(words) == 2 and words[1].isdecimal():
        return "0 0 0 ." if words[0] == "." else f"0 {_WEIGHT} {words[1]} {words[0]}"
    return ""
