"""Zone-file text read as records: directives, fields, every mistake with its place (RFC 1035 section 5, RFC 2308 section 4).

As in BIND, ``$INCLUDE`` gives origin and owner back, and ``$TTL`` inside it stays. Not implemented: classes other than IN.
"""

from __future__ import annotations

import contextlib
import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import dns.rdatatype
from dns.rdatatype import RdataType

from mailname.errors import MailnameError, Mistake, Position
from mailname.zone.rdata_text import TokenFeed, Unreadable, shown
from mailname.zone.scan import Entry, Token, scan
from mailname.zone.ttl import HIGHEST_TTL, limited, seconds_from_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from dns.name import Name
    from dns.rdata import Rdata
    from dns.rdtypes.ANY.SOA import SOA

    Include = Callable[[str], tuple[str, str]]

MOST_GENERATED = 131_072  # two reverse zones of a /16; a typing error must not fill the memory
MOST_INCLUDED = 1_000
DEEPEST_INCLUDE = 10
MOST_MISTAKES = 100
MOST_WARNINGS = 1_000

_CLASS = re.compile(r"IN|CH|HS|CLASS\d{1,5}", re.IGNORECASE | re.ASCII)
_DIRECTIVES = ("$GENERATE", "$INCLUDE", "$ORIGIN", "$TTL")
_TYPE_NAMES = sorted(dns.rdatatype.to_text(t) for t in RdataType if not dns.rdatatype.is_metatype(t) and t != RdataType.NONE)


@dataclass(frozen=True, slots=True)
class Record:
    """One record that was read. ``at`` is where its entry begins, ``rdata_at`` where its rdata does."""

    owner: Name
    ttl: int
    rdata: Rdata
    at: Position
    rdata_at: Position


@dataclass(frozen=True, slots=True)
class Records:
    """The records of a text, and everything that is wrong with it; the records are all of them only if there is no error."""

    records: tuple[Record, ...]
    mistakes: tuple[Mistake, ...]

    @property
    def errors(self) -> tuple[Mistake, ...]:
        """The mistakes that forbid the use of the text."""
        return tuple(mistake for mistake in self.mistakes if mistake.severity == "error")


class TooManyMistakesError(Exception):
    """Enough is enough: nobody reads the hundred-and-first."""


class Reader:
    """The state of reading: origin, owner and TTL as the directives and records so far have set them."""

    def __init__(self, origin: Name, default_ttl: int | None, include: Include | None) -> None:
        self.origin = origin
        self.owner: Name | None = None
        self.default_ttl = default_ttl
        self.last_ttl: int | None = None
        self.include = include
        self.records: list[Record] = []
        self.mistakes: list[Mistake] = []
        self._errors = 0
        self._feed = TokenFeed()
        self._types: dict[str, RdataType] = {}
        self._files: list[str] = []
        self._included = 0
        self._generated = 0
        self.origin_changed = False
        self.warned_of_ttl = False

    @property
    def _file(self) -> str:
        return self._files[-1]

    # Telling mistakes.

    def _at(self, token: Token) -> Position:
        return Position(self._file, token.line, token.column)

    def _wrong(self, at: Position, problem: str, remedy: str = "") -> None:
        self.mistakes.append(Mistake(at, problem, remedy))
        self._errors += 1
        if self._errors >= MOST_MISTAKES:
            raise TooManyMistakesError

    def _warn(self, at: Position, problem: str, remedy: str = "") -> None:
        if len(self.mistakes) - self._errors < MOST_WARNINGS:
            self.mistakes.append(Mistake(at, problem, remedy, "warning"))

    # Reading.

    def read(self, text: str, file: str, *, line_offset: int = 0, column_offset: int = 0) -> None:
        """Read a text or an included one."""
        self._files.append(file)
        try:
            for entry in scan(text, file, line_offset=line_offset, column_offset=column_offset):
                if entry.mistake is not None:
                    self._wrong(entry.mistake.at, entry.mistake.problem, entry.mistake.remedy)
                else:
                    self._entry(entry)
        finally:
            self._files.pop()

    def _entry(self, entry: Entry) -> None:
        first = entry.tokens[0]
        if first.text.startswith("$") and not first.quoted:
            if entry.blank_owner:
                self._wrong(self._at(first), f"{shown(first)} has a blank before it.", "Write it at the beginning of the line.")
                return
            self._directive(first, entry.tokens[1:])
            return
        try:
            if entry.blank_owner:
                fields = entry.tokens
                if self.owner is None:
                    self.owner = self.origin
                    self._wrong(self._at(first), "this record has no owner.", f"Write @ before it for {self.origin} itself.")
                    return
                if self.origin_changed:
                    self._warn(
                        self._at(first),
                        f"the owner above, {self.owner}, holds here too, though $ORIGIN was set to {self.origin} since.",
                        "Write the owner.",
                    )
            else:
                fields = entry.tokens[1:]
                self.owner = self._feed.name(first, self.origin)
            self.origin_changed = False
            self._record(self.owner, fields, first, entry)
        except Unreadable as error:
            self._tell(error, entry.tokens[-1])

    def _tell(self, error: Unreadable, last: Token) -> None:
        at = self._at(error.token) if error.token else Position(self._file, last.line, last.column + last.width)
        self._wrong(at, error.problem, error.remedy)

    def _record(self, owner: Name, fields: list[Token], first: Token, entry: Entry) -> None:
        owner_token = None if entry.blank_owner else first
        ttl, used = self._ttl_and_class(fields, owner_token)
        if used == len(fields):
            raise Unreadable(
                f"this record of {owner} has no type.", "Write its type and its data, for example: A 192.0.2.1", None
            )
        rdtype = self._rdtype(fields[used], owner_token, fields[used + 1 :])
        data = fields[used + 1 :]
        rdata = self._feed.read(rdtype, data, self.origin)
        self._add(owner, ttl, rdata, first, data[0] if data else fields[used], fields[used])

    def _ttl_and_class(self, fields: list[Token], owner: Token | None) -> tuple[int | None, int]:
        """Read TTL and class, in either order; return the TTL and how many fields they took."""
        ttl: int | None = None
        class_seen = False
        for used, token in enumerate(fields):
            if ttl is None and token.text[:1].isdigit() and not token.quoted:
                ttl = (
                    self._ttl(token, _owner_forgotten(owner.text))
                    if owner and _rdtype_from_text(owner.text)
                    else self._ttl(token)
                )
            elif not class_seen and not token.quoted and _CLASS.fullmatch(token.text):
                if token.text.upper() not in ("IN", "CLASS1"):
                    raise Unreadable(f"the class {token.text} is not served.", "Write IN, the class of the Internet.", token)
                class_seen = True
            else:
                return ttl, used
        return ttl, len(fields)

    def _ttl(self, token: Token, remedy: str = "Write seconds, or units as in 1h30m or 2d.") -> int:
        ttl = seconds_from_text(token.text)
        if ttl is None:
            raise Unreadable(f"{shown(token)} is not a TTL.", remedy, token)
        if ttl > HIGHEST_TTL:
            self._warn(
                self._at(token), f"a TTL of {token.text} counts as 0.", f"The largest TTL is {HIGHEST_TTL} (RFC 2181 section 8)."
            )
        return limited(ttl)

    def _rdtype(self, token: Token, owner: Token | None, data: list[Token]) -> RdataType:
        known = self._types.get(token.text)
        if known is None:
            known = _rdtype_from_text(token.text) if not token.quoted else None
            if known is None:
                raise self._no_type(token, owner, data)
            self._types[token.text] = known
        return known

    @staticmethod
    def _no_type(token: Token, owner: Token | None, data: list[Token]) -> Unreadable:
        problem = f"{shown(token)} is not a record type."
        if owner is not None and _rdtype_from_text(owner.text) is not None:
            remedy = _owner_forgotten(owner.text)
        elif owner is None and data and any(_rdtype_from_text(other.text) is not None for other in data[:3]):
            remedy = f"The line begins with a blank, so {shown(token)} was not read as the owner: remove the blank."
        else:
            close = difflib.get_close_matches(token.text[:20].upper(), _TYPE_NAMES, 1)
            remedy = f"Did you mean {close[0]}?" if close else "Types that are not known yet are written as TYPE65280 \\# 2 0A0B."
        return Unreadable(problem, remedy, token)

    def _add(self, owner: Name, ttl: int | None, rdata: Rdata, first: Token, data: Token, rdtype: Token) -> None:
        if ttl is None:
            ttl = self._missing_ttl(rdata, rdtype)
        else:
            self.last_ttl = ttl
        self.records.append(Record(owner, ttl, rdata, self._at(first), self._at(data)))

    def _missing_ttl(self, rdata: Rdata, rdtype: Token) -> int:
        """Find the TTL of a record without one, as RFC 2308 section 4 and BIND do."""
        if self.default_ttl is not None:
            return self.default_ttl
        if self.last_ttl is not None:
            if not self.warned_of_ttl:
                self.warned_of_ttl = True
                self._warn(
                    self._at(rdtype),
                    f"without $TTL, this record gets the TTL of the record before it, {self.last_ttl}.",
                    "Begin the file with $TTL, for example: $TTL 86400",
                )
            return self.last_ttl
        if rdata.rdtype == RdataType.SOA:
            minimum = limited(cast("SOA", rdata).minimum)
            self.default_ttl = minimum
            self._warn(
                self._at(rdtype),
                f"without $TTL, records without a TTL get the SOA's minimum, {minimum}.",
                "Begin the file with $TTL, for example: $TTL 86400",
            )
            return minimum
        raise Unreadable("this record has no TTL.", "Begin the file with $TTL, for example: $TTL 86400", rdtype)

    # Directives.

    def _directive(self, first: Token, arguments: list[Token]) -> None:
        act = {"$GENERATE": self._generate, "$INCLUDE": self._include, "$ORIGIN": self._set_origin, "$TTL": self._set_ttl}.get(
            first.text.upper()
        )
        if act is None:
            close = difflib.get_close_matches(first.text[:20].upper(), _DIRECTIVES, 1)
            self._wrong(
                self._at(first),
                f"{shown(first)} is not a directive.",
                f"Did you mean {close[0]}?"
                if close
                else f"There are {', '.join(_DIRECTIVES)}; write \\$ for an owner that begins with $.",
            )
            return
        try:
            act(first, arguments)
        except Unreadable as error:
            self._tell(error, arguments[-1] if arguments else first)

    @staticmethod
    def _arguments(arguments: list[Token], least: int, most: int, form: str) -> None:
        if len(arguments) < least:
            raise Unreadable("the directive ends here, but something is missing.", f"Write it like this: {form}", None)
        if len(arguments) > most:
            raise Unreadable(f"{shown(arguments[most])} is too much.", f"Write it like this: {form}", arguments[most])

    def _set_origin(self, _first: Token, arguments: list[Token]) -> None:
        self._arguments(arguments, 1, 1, "$ORIGIN example.tech.")
        self.origin = self._feed.name(arguments[0], self.origin)
        self.origin_changed = True

    def _set_ttl(self, _first: Token, arguments: list[Token]) -> None:
        self._arguments(arguments, 1, 1, "$TTL 86400")
        self.default_ttl = self._ttl(arguments[0])

    def _include(self, first: Token, arguments: list[Token]) -> None:
        self._arguments(arguments, 1, 2, "$INCLUDE file, or $INCLUDE file origin")
        origin = self._feed.name(arguments[1], self.origin) if len(arguments) == 2 else self.origin
        path = arguments[0]
        if self.include is None:
            raise Unreadable("$INCLUDE cannot be used here.", "Put the records of that file in its place.", first)
        self._included += 1
        if len(self._files) > DEEPEST_INCLUDE or self._included > MOST_INCLUDED:
            limit = f"more than {DEEPEST_INCLUDE} deep" if self._included <= MOST_INCLUDED else f"more than {MOST_INCLUDED} times"
            self._wrong(self._at(first), f"files are included {limit}.", "Does a file include itself?")
            raise TooManyMistakesError
        try:
            text, file = self.include(re.sub(r"\\(.)", r"\1", path.text))
        except MailnameError as error:
            raise Unreadable(error.problem, error.remedy, path) from None
        except OSError as error:
            raise Unreadable(
                f"{shown(path)} cannot be read: {error.strerror}.", "Correct the file name, or create the file.", path
            ) from None
        if file in self._files:
            raise Unreadable(f"{shown(path)} includes itself.", "Remove this line.", path)
        before = self.origin, self.owner
        self.origin = origin
        self.origin_changed = len(arguments) == 2
        try:
            self.read(text, file)
        finally:
            self.origin, self.owner = before
            self.origin_changed = False

    def _generate(self, _first: Token, arguments: list[Token]) -> None:
        from mailname.zone.generate import GenerateError, fill, numbers  # few texts have it

        form = "$GENERATE 1-20 host-$ A 192.0.2.$"
        self._arguments(arguments, 4, 6, form)
        span, left, *fields = arguments
        ttl, used = self._ttl_and_class(fields, None)
        self._arguments(arguments, used + 4, used + 4, form + "; data of several words stands in quotes")
        rdtype = self._rdtype(fields[used], left, [])
        right = fields[used + 1]
        # A quote inside the quotes that hold the template is one of the data's own.
        unquoted = re.sub(r"\\(.)", lambda escape: '"' if escape[1] == '"' else escape[0], right.text)
        template = unquoted if right.quoted else right.text
        blamed = span
        try:
            values = numbers(span.text)
            self._generated += len(values)
            if self._generated > MOST_GENERATED:
                raise Unreadable(f"$GENERATE would make more than {MOST_GENERATED} records.", "Make the range smaller.", span)
            for value in values:
                blamed = left
                owner = Token(fill(left.text, value), quoted=left.quoted, glued=False, line=left.line, column=left.column)
                self.owner = self._feed.name(owner, self.origin)
                blamed = right
                data = self._rescanned(fill(template, value), right)
                self._add(self.owner, ttl, self._feed.read(rdtype, data, self.origin), span, right, fields[used])
        except GenerateError as mistake:
            raise Unreadable(mistake.problem, mistake.remedy, blamed) from None

    def _rescanned(self, text: str, source: Token) -> list[Token]:
        """Cut generated data into tokens, all of which stand where their template does."""
        tokens: list[Token] = []
        for entry in scan(text, self._file):
            if entry.mistake is not None:
                raise Unreadable(entry.mistake.problem, entry.mistake.remedy, source)
            for token in entry.tokens:
                token.line, token.column = source.line, source.column
            tokens += entry.tokens
        return tokens


def _owner_forgotten(text: str) -> str:
    return f"The line begins with {text}, which was read as the owner: write @, the owner, or a blank before it."


def _rdtype_from_text(text: str) -> RdataType | None:
    """Return the type with this name, or TYPEnnn (RFC 3597 section 5); None for types that are no data of a zone."""
    try:
        rdtype = dns.rdatatype.from_text(text)
    except (dns.rdatatype.UnknownRdatatype, ValueError):
        return None
    return None if rdtype == RdataType.NONE or dns.rdatatype.is_metatype(rdtype) else rdtype


def read_records(
    text: str,
    file: str,
    origin: Name,
    *,
    default_ttl: int | None,
    include: Include | None = None,
    line_offset: int = 0,
    column_offset_first_line: int = 0,
) -> Records:
    """Read records that need not be a whole zone, and collect every mistake. Raises nothing, whatever the text is.

    Args:
        text: zone-file text.
        file: its name in positions.
        origin: what relative names end in until ``$ORIGIN`` says otherwise.
        default_ttl: seconds for records without a TTL before any ``$TTL``; None when the text has to say it.
        include: given the path as written, returns the text and its name in positions, or raises ZoneError or OSError;
            None forbids ``$INCLUDE``.
        line_offset: lines of the file before the text.
        column_offset_first_line: characters before the text on its first line.

    """
    reader = Reader(origin, default_ttl, include)
    _run(reader, text, file, line_offset, column_offset_first_line)
    return Records(tuple(reader.records), tuple(reader.mistakes))


def _run(reader: Reader, text: str, file: str, line_offset: int = 0, column_offset: int = 0) -> None:
    with contextlib.suppress(TooManyMistakesError):
        reader.read(text, file, line_offset=line_offset, column_offset=column_offset)
