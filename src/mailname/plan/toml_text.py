"""TOML text to data and places, with every syntax error told, not only the first.

tomllib stops at the first error. Where the broken statement can be told from the rest, it is taken out (its key stays, with a
mark instead of the value) and reading goes on; so one missing quote hides nothing else.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass

from mailname.errors import Mistake, PlanError, Position
from mailname.plan.places import Duplicate, Places

_LITERAL = '"\\u0000"'
_AT = re.compile(r"^(.*) \(at (?:line (\d+), column (\d+)|end of document)\)$", re.DOTALL)
_STATEMENT = re.compile(r"""[ \t]*(?:[\w-]+|"[^"\n]*"|'[^'\n]*')(?:[ \t]*\.[ \t]*(?:[\w-]+|"[^"\n]*"))*[ \t]*=[ \t]*""")
_KEY_ONLY = re.compile(r"[ \t]*[\w.-]+[ \t]*(?=$|\n|[^=\s])")
_HEADER = re.compile(r"[ \t]*\[+[ \t]*([\w.-]+)[ \t]*\]*[ \t]*(?:#.*)?$", re.MULTILINE)
_STATEMENT_ANYWHERE = re.compile(r"^" + _STATEMENT.pattern, re.MULTILINE)
_QUOTED = re.compile(r"\"[^\"\n]*\"|'[^'\n]*'|#.*")
_LIST = re.compile(_STATEMENT.pattern + r"\[", re.MULTILINE)
_ODD_KEY = re.compile(r"""[ \t]*([^\s="'\[\]{}#,]*[^\x00-\x7f][^\s="'\[\]{}#,]*)[ \t]*=""")
_MOST = 30
_ARRAYS = ("name_server", "mail_host", "record", "reverse_zone", "other_ttl")


@dataclass(frozen=True, slots=True)
class TomlText:
    """What was read: data, places of all keys and values, and the syntax errors passed by.

    ``lost`` says that a line had to be taken out whose key is unknown: then nothing that is missing proves anything.
    """

    data: dict[str, object]
    places: Places
    mistakes: tuple[Mistake, ...]
    lost: bool


def read_toml(text: str, file: str) -> TomlText:
    """Read a text; raises PlanError when it cannot be read far enough to judge the rest."""
    mistakes: list[Mistake] = []
    if text.startswith("\ufeff"):
        text = text[1:]
        mistakes.append(
            Mistake(
                Position(file, 1, 1),
                "The file begins with a byte order mark, which is no part of TOML.",
                "Save it as UTF-8 without BOM.",
                "warning",
            )
        )
    text = text.replace("\r\n", "\n")
    working = text
    lost = False
    while True:
        try:
            return TomlText(tomllib.loads(working), Places.of(working, file), tuple(mistakes), lost)
        except tomllib.TOMLDecodeError as error:
            now = Places.of(working, file)
            if re.match(r"Cannot |Duplicate ", str(error)) and now.duplicates:
                duplicate = now.duplicates[0]
                mistakes.append(_told_twice(duplicate, now))
                working = _blank(working, duplicate.start, duplicate.end)
                continue
            if quoted := _quoted_key(str(error), working):
                working = quoted  # validation tells that there is no such key
                continue
            broken = _syntax_error(str(error), working)
            mistakes.append(Mistake(now.position(broken.offset), broken.problem, broken.remedy))
            if broken.repaired is None or len(mistakes) >= _MOST:
                raise PlanError(tuple(mistakes)) from None
            working = broken.repaired
            lost |= broken.lost


def _told_twice(duplicate: Duplicate, places: Places) -> Mistake:
    header = places.text[duplicate.start] == "["
    problem = f"The table [{duplicate.name}] is there twice." if header else f"The key '{duplicate.name}' is there twice."
    remedy = "Keep one of them."
    if duplicate.name in _ARRAYS:
        remedy = f"For several of them write [[{duplicate.name}]] with double brackets."
    return Mistake(places.position(duplicate.key), problem, remedy)


def _blank(text: str, start: int, end: int, instead: str = "") -> str:
    """Take out a part of a text, keeping its line ends so that all other lines stay where they are."""
    return text[:start] + instead + re.sub(r"[^\n]", "" if instead else " ", text[start:end]) + text[end:]


@dataclass(frozen=True, slots=True)
class _Broken:
    """One syntax error: where, what, and how the text reads without it (None: that cannot be told)."""

    offset: int
    problem: str
    remedy: str
    repaired: str | None
    lost: bool = False


@dataclass(frozen=True, slots=True)
class _Stop:
    """Where tomllib stopped, and what it said."""

    said: str
    start: int  # of the line
    end: int
    at: int


def _stop(said: str, text: str) -> _Stop | None:
    """Read tomllib's message; None when it stopped at the end of the text."""
    match = _AT.match(said)
    assert match, said
    what, line, column = match.groups()
    if line is None:
        return None
    start = 0
    for _ in range(int(line) - 1):
        start = text.index("\n", start) + 1
    end = text.find("\n", start)
    return _Stop(f"{what[0].lower()}{what[1:]}", start, len(text) if end < 0 else end, start + int(column) - 1)


def _quoted_key(said: str, text: str) -> str | None:
    """Put a key into quotes that TOML allows only so, as one with an umlaut; None when that is not what is wrong."""
    stop = _stop(said, text)
    match = stop and _ODD_KEY.match(text, stop.start, stop.end)
    return f'{text[: match.start(1)]}"{match[1]}"{text[match.end(1) :]}' if match and stop and stop.at <= match.end(1) else None


def _syntax_error(said: str, text: str) -> _Broken:
    """Say what is wrong, where, and how the text reads without the statement that is broken."""
    stop = _stop(said, text)
    if stop is None:
        return _unfinished(text)
    start, end = stop.start, stop.end
    before = text[start : stop.at].rstrip()
    if before.endswith(",") and text[stop.at : stop.at + 1] == "}":
        at = start + len(before) - 1
        problem = "TOML has no comma before the closing brace of an inline table."
        return _Broken(at, problem, "Take the comma away.", _blank(text, at, at + 1))
    header = _HEADER.match(text, start, end)
    if header:
        right = f"[[{header[1]}]]" if header[1] in _ARRAYS else f"[{header[1]}]"
        if text[start:end].strip() != right:
            problem = "The brackets of this table's header do not match."
            return _Broken(text.index("[", start), problem, f"Write {right}.", _blank(text, start, end, right))
    statement = _STATEMENT.match(text, start, end)
    if statement is None:
        return _inside(text, stop)
    value_at = statement.end()
    opened = _unclosed_list(text, start) if stop.at < value_at else None
    if opened is not None:
        return _Broken(
            opened, "This list is not closed.", 'Write it as ["one", "two"].', _blank(text, opened, start - 1, _LITERAL)
        )
    value = text[value_at:end].rstrip()
    repaired = _blank(text, value_at, _value_end(text, value_at, end), _LITERAL)
    if not value or value.startswith("#"):
        key = statement[0].rstrip(" =\t").strip()
        return _Broken(min(value_at, end), f"'{key}' has no value.", "Write one after the '=', or take the line away.", repaired)
    return _Broken(*_explain(text, value_at, stop), repaired)


def _value_end(text: str, start: int, line_end: int) -> int:
    """Return where a broken value ends: with its line, or for an array over several lines with the line of its bracket."""
    if text[start:line_end].lstrip().startswith("[") and "]" not in text[start:line_end]:
        closing = re.compile(r"^[^\n=\[]*\]", re.MULTILINE).search(text, line_end)
        following = re.compile(r"^[ \t]*(?:\[|[\w.-]+[ \t]*=)", re.MULTILINE).search(text, line_end + 1)
        if closing and (following is None or closing.start() < following.start()):
            return closing.end()
    return line_end


def _explain(text: str, value_at: int, stop: _Stop) -> tuple[int, str, str]:
    """Find the token that is wrong and say why."""
    at = min(max(stop.at, value_at), stop.end)
    if stop.said.startswith(("illegal character '\\n'", "unterminated", 'expected "\'"', "expected '\"'")):
        quotes = [i for i in range(value_at, min(at + 1, stop.end)) if text[i] in "\"'"]
        where = quotes[-1] if quotes else value_at
        return where, "This text has no closing quote.", f"End it with {text[where]} on the same line."
    while at > value_at and re.match(r"[\w.:/@*-]", text[at - 1]):
        at -= 1
    token = re.match(r"[^\s,\]}#]*", text[at : stop.end])
    if token and re.fullmatch(r"0\d+", token[0]):
        return at, f"{token[0]} has a leading zero.", f"Write {int(token[0])}."
    if token and re.fullmatch(r"[\w.:/@*-]+", token[0]):
        return at, f"{token[0]} is not a TOML value.", f'Text stands in quotes: "{token[0]}".'
    if stop.said.startswith("unclosed array"):
        return at, "This list is not closed, or a comma is missing in it.", 'Write it as ["one", "two"].'
    return at, f"This is not TOML: {stop.said}.", 'Text stands in quotes, a list in brackets: key = ["one", "two"].'


def _inside(text: str, stop: _Stop) -> _Broken:
    """Handle an error on a line that begins no statement: inside a list of several lines, or a stray line."""
    line = text[stop.start : stop.end]
    where = stop.start + len(line) - len(line.lstrip())
    value_at = _unclosed_list(text, stop.start)
    if value_at is not None:
        value_end = _value_end(text, value_at, text.find("\n", value_at))
        return _Broken(*_explain(text, where, stop), _blank(text, value_at, value_end, _LITERAL))
    if colon := re.match(r"[ \t]*([\w-]+)[ \t]*:[ \t]*(\S.*)", line):
        problem = "Between a key and its value TOML has '=', not ':'."
        at = stop.start + line.index(":")
        return _Broken(where, problem, f"Write {colon[1]} = {colon[2].rstrip()}", f"{text[:at]}={text[at + 1 :]}")
    if stop.said.startswith("unclosed array") and where > stop.start:
        problem = "A comma is missing before this, or the list above it is not closed."
        return _Broken(where, problem, 'Write it as ["one", "two"].', f"{text[: where - 1]},{text[where:]}")
    without = _blank(text, stop.start, stop.end)
    if _KEY_ONLY.match(text, stop.start, stop.end):
        word = line.split()[0]
        problem = f"'{word}' is neither a key with a value nor a comment."
        return _Broken(where, problem, f"Write {word} = ..., or put a # before it.", without, lost=True)
    return _Broken(where, f"This is not TOML: {stop.said}.", "Write key = value, or put a # before it.", without, lost=True)


def _unclosed_list(text: str, before: int) -> int | None:
    """Return the offset of the bracket of a list that is still open."""
    opened = None
    for match in _LIST.finditer(text, 0, before):
        opened = match.end() - 1
    return opened if opened is None or "]" not in _QUOTED.sub("", text[opened:before]) else None


def _unfinished(text: str) -> _Broken:
    """Find what is still open at the end of the text: a quote, a multi-line string, or a list."""
    for match in _STATEMENT_ANYWHERE.finditer(text):
        end = text.find("\n", match.end())
        end = len(text) if end < 0 else end
        if re.fullmatch(r"'(?!'')[^'\n]*", text[match.end() : end]):
            repaired = _blank(text, match.end(), end, _LITERAL)
            return _Broken(match.end(), "This text has no closing quote.", "End it with ' on the same line.", repaired)
    for quotes in ('"""', "'''"):
        if text.count(quotes) % 2:
            remedy = f"Add {quotes} where it ends."
            return _Broken(text.rindex(quotes), f"The text that begins here has no closing {quotes}.", remedy, None)
    at = max(len(text.rstrip()) - 1, 0)
    return _Broken(at, "The file ends in the middle of a value.", "Close what is open: a quote, a bracket or a brace.", None)
