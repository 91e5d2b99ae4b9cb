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

BROKEN = "\0"  # stands where a value could not be read; no TOML text can say this without an escape
_LITERAL = '"\\u0000"'
_AT = re.compile(r"^(.*) \(at (?:line (\d+), column (\d+)|end of document)\)$", re.DOTALL)
_STATEMENT = re.compile(r"""[ \t]*(?:[\w-]+|"[^"\n]*"|'[^'\n]*')(?:[ \t]*\.[ \t]*(?:[\w-]+|"[^"\n]*"))*[ \t]*=[ \t]*""")
_KEY_ONLY = re.compile(r"[ \t]*[\w.-]+[ \t]*(?=$|\n|[^=\s])")
_HEADER = re.compile(r"[ \t]*\[+[ \t]*([\w.-]+)[ \t]*\]*[ \t]*(?:#.*)?$", re.MULTILINE)
_MOST = 30
_ARRAYS = ("name_server", "mail_host", "record", "reverse_zone")


@dataclass(frozen=True, slots=True)
class TomlText:
    """What was read: data, places of all keys and values, and the syntax errors passed by."""

    data: dict[str, object]
    places: Places
    mistakes: tuple[Mistake, ...]


def decode(octets: bytes, file: str) -> str:
    """Turn a file's octets into text; raises PlanError with the place of the first octet that is not UTF-8."""
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError as error:
        before = octets[: error.start].decode("utf-8")
        line = before.count("\n") + 1
        column = len(before) - (before.rfind("\n") + 1) + 1
        if octets[:2] in {b"\xff\xfe", b"\xfe\xff"}:
            remedy = "The file looks like UTF-16: save it as UTF-8."
        else:
            remedy = f"Octet {octets[error.start]:#04x} stands there: save the file as UTF-8."
        raise PlanError((Mistake(Position(file, line, column), "The file is not UTF-8 text.", remedy),)) from None


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
    while True:
        try:
            return TomlText(tomllib.loads(working), Places.of(working, file), tuple(mistakes))
        except tomllib.TOMLDecodeError as error:
            now = Places.of(working, file)
            if re.match(r"Cannot (overwrite|declare|mutate|add|redefine|define)", str(error)) and now.duplicates:
                duplicate = now.duplicates[0]
                mistakes.append(_told_twice(duplicate, now))
                working = _blank(working, duplicate.start, duplicate.end)
                continue
            offset, problem, remedy, repaired = _syntax_error(str(error), working)
            mistakes.append(Mistake(now.position(offset), problem, remedy))
            if repaired is None or len(mistakes) >= _MOST:
                raise PlanError(tuple(mistakes)) from None
            working = repaired


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


def _syntax_error(said: str, text: str) -> tuple[int, str, str, str | None]:
    """Say what is wrong, where, and how the text reads without the statement that is broken (None: cannot be told)."""
    match = _AT.match(said)
    assert match, said
    what, line, column = match.groups()
    if line is None:
        return _unfinished(text)
    # Repairs keep the number of lines, and what stands before the first error of a line.
    start = 0
    for _ in range(int(line) - 1):
        start = text.index("\n", start) + 1
    at = start + int(column) - 1
    end = text.find("\n", start)
    end = len(text) if end < 0 else end
    if header := _HEADER.match(text, start, end):
        key = header[1]
        right = f"[[{key}]]" if key in _ARRAYS else f"[{key}]"
        if text[start:end].strip() != right:
            where = text.index("[", start)
            return where, "The brackets of this table's header do not match.", f"Write {right}.", _blank(text, start, end, right)
    statement = _STATEMENT.match(text, start, end)
    if statement is None:
        return _inside(text, start, end, at, what)
    key = text[start : statement.end()].rstrip(" =\t").strip()
    value_at = statement.end()
    value = text[value_at:end].rstrip()
    repaired = _blank(text, value_at, _value_end(text, value_at, end), _LITERAL)
    if not value or value.startswith("#"):
        return min(value_at, end), f"'{key}' has no value.", "Write one after the '=', or take the line away.", repaired
    where, problem, remedy = _explain(text, value_at, max(at, value_at), end, what)
    return where, problem, remedy, repaired


def _value_end(text: str, start: int, line_end: int) -> int:
    """Return where a broken value ends: with its line, or for an array over several lines with the line of its bracket."""
    if text[start:line_end].lstrip().startswith("[") and "]" not in text[start:line_end]:
        closing = re.compile(r"^[^\n=\[]*\]", re.MULTILINE).search(text, line_end)
        following = re.compile(r"^[ \t]*(?:\[|[\w.-]+[ \t]*=)", re.MULTILINE).search(text, line_end + 1)
        if closing and (following is None or closing.start() < following.start()):
            return closing.end()
    return line_end


def _explain(text: str, value_at: int, at: int, end: int, what: str) -> tuple[int, str, str]:
    """Find the token that is wrong and say why."""
    if what.startswith(("Illegal character '\\n'", "Unterminated", 'Expected "\'"', "Expected '\"'")):
        quotes = [i for i in range(value_at, min(at + 1, end)) if text[i] in "\"'"]
        where = quotes[-1] if quotes else value_at
        return where, "This text has no closing quote.", f"End it with {text[where]} on the same line."
    where = min(at, end)
    while where > value_at and re.match(r"[\w.:+/@*-]", text[where - 1]):
        where -= 1
    token = re.match(r"[^\s,\]}#]*", text[where:end])
    word = token[0] if token else ""
    if re.fullmatch(r"[\w.:/@*-]+", word):
        return where, f"{word} is not a TOML value.", f'Text stands in quotes: "{word}".'
    if what.startswith("Unclosed array"):
        return where, "This list is not closed, or a comma is missing in it.", 'Write it as ["one", "two"].'
    return (
        where,
        f"This is not TOML: {what[0].lower()}{what[1:]}.",
        'Text stands in quotes, a list in brackets: key = ["one", "two"].',
    )


def _inside(text: str, start: int, end: int, at: int, what: str) -> tuple[int, str, str, str | None]:
    """Handle an error on a line that begins no statement: inside a list of several lines, or a stray line."""
    line = text[start:end]
    opened = None
    for match in re.compile(_STATEMENT.pattern + r"\[", re.MULTILINE).finditer(text, 0, start):
        opened = match
    if opened and "]" not in re.sub(r"\"[^\"\n]*\"|'[^'\n]*'|#.*", "", text[opened.end() : start]):
        value_at = opened.end() - 1
        where, problem, remedy = _explain(text, start + len(line) - len(line.lstrip()), at, end, what)
        value_end = _value_end(text, value_at, text.find("\n", value_at))
        return where, problem, remedy, _blank(text, value_at, value_end, _LITERAL)
    where = start + len(line) - len(line.lstrip())
    if _KEY_ONLY.match(text, start, end):
        word = line.split()[0]
        return (
            where,
            f"'{word}' is neither a key with a value nor a comment.",
            f"Write {word} = ..., or put a # before it.",
            _blank(text, start, end),
        )
    return (
        where,
        f"This is not TOML: {what[0].lower()}{what[1:]}.",
        "Write key = value, or put a # before it.",
        _blank(text, start, end),
    )


def _unfinished(text: str) -> tuple[int, str, str, None]:
    """Find what is still open at the end of the text: a multi-line string, or a list."""
    for quotes in ('"""', "'''"):
        if text.count(quotes) % 2:
            return (
                text.rindex(quotes),
                f"The text that begins here has no closing {quotes}.",
                f"Add {quotes} where it ends.",
                None,
            )
    stripped = len(text.rstrip())
    return (
        max(stripped - 1, 0),
        "The file ends in the middle of a value.",
        "Close what is open: a quote, a bracket or a brace.",
        None,
    )
