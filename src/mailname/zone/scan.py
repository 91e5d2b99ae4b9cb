"""Zone-file text cut into entries and tokens, each with its place (RFC 1035 section 5.1).

An entry is one line, or several held together by parentheses. Whatever the text is, scanning ends, in time proportional to
its length, and a mistake spoils its own entry only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailname.errors import Mistake, Position

if TYPE_CHECKING:
    from collections.abc import Iterator

# Possessive quantifiers: no text can make the expression go back over what it has read. CR, LF and CRLF all end a line; form
# feeds, which old zone files carry between sections, are blanks.
_SCANNER = re.compile(
    r"(?P<blank>[ \t\f\v]++)"
    r"|(?P<newline>\r\n|\r|\n)"
    r"|(?P<comment>;[^\r\n]*+)"
    r'|(?P<word>(?:[^ \t\f\v\r\n();"\\]++|\\[^\r\n])++)'
    r'|(?P<quoted>"(?:[^"\\\r\n]++|\\[^\r\n])*+")'
    r"|(?P<other>.)",
    re.DOTALL,
)
_BYTE_ORDER_MARK = "\ufeff"


@dataclass(slots=True)
class Token:
    """One word of an entry.

    Attributes:
        text: as written, escapes included; without the quotes of a quoted string.
        quoted: it stood in quotes.
        glued: nothing stood between it and the token before: ``key="value"``.
        line: counts from 1.
        column: counts from 1, in characters.

    """

    text: str
    quoted: bool
    glued: bool
    line: int
    column: int

    @property
    def width(self) -> int:
        """Characters that it takes in the text."""
        return len(self.text) + 2 * self.quoted


@dataclass(slots=True)
class Entry:
    """One directive or record.

    Attributes:
        tokens: at least one, unless there is a mistake.
        blank_owner: the entry begins with a blank, so its owner is the one before.
        mistake: why the entry cannot be read.

    """

    tokens: list[Token]
    blank_owner: bool
    mistake: Mistake | None


class _Scan:
    """The entry that is being put together."""

    __slots__ = ("at_start", "blank_owner", "file", "mistake", "opened", "tokens")

    def __init__(self, file: str) -> None:
        self.file = file
        self.opened: list[Position] = []
        self._begin()

    def _begin(self) -> None:
        self.tokens: list[Token] = []
        self.blank_owner = False
        self.mistake: Mistake | None = None
        self.at_start = True

    def end(self) -> Entry | None:
        """Return what the ended line, or the end of the text, completes."""
        entry = Entry(self.tokens, self.blank_owner, self.mistake) if self.tokens or self.mistake else None
        self._begin()
        return entry

    def other(self, character: str, line: int, column: int) -> bool:
        """Take a parenthesis, or a character that cannot stand alone; tell whether the rest of the line can be read."""
        at = Position(self.file, line, column)
        if character == "(":
            self.opened.append(at)
            return True
        if character == ")" and self.opened:
            self.opened.pop()
            return True
        if self.mistake is None:
            self.mistake = _lonely(character, at)
        return False


def _lonely(character: str, at: Position) -> Mistake:
    if character == ")":
        return Mistake(at, "this parenthesis was never opened.", "Remove it, or open it with ( on the record's first line.")
    if character == '"':
        return Mistake(at, "this quoted string does not end on its line.", 'Close it with ", or write \\" for a quote inside it.')
    return Mistake(at, "a backslash stands at the end of the line.", "Remove it; records go over several lines in parentheses.")


def scan(text: str, file: str, *, line_offset: int = 0, column_offset: int = 0) -> Iterator[Entry]:
    """Cut text into entries.

    Args:
        text: the text; a byte order mark at its start is no part of it.
        file: the name to use in positions.
        line_offset: lines of the file before this text.
        column_offset: characters before this text on its first line.

    """
    start = len(_BYTE_ORDER_MARK) if text.startswith(_BYTE_ORDER_MARK) else 0
    line, line_start = 1 + line_offset, start - column_offset
    glue_at = -1  # where a token would have to start to be glued to the one before
    skipping = False  # the rest of this line cannot be read
    state = _Scan(file)
    for match in _SCANNER.finditer(text, start):
        kind = match.lastgroup
        if kind == "newline":
            line += 1
            line_start = match.end()
            skipping = False
            if not state.opened:
                entry = state.end()
                if entry is not None:
                    yield entry
            continue
        if kind == "blank" and state.at_start:
            state.blank_owner = True
        state.at_start = False
        if skipping:
            continue
        column = match.start() - line_start + 1
        if kind == "word":
            state.tokens.append(Token(match.group(), False, match.start() == glue_at, line, column))
            glue_at = match.end()
        elif kind == "quoted":
            state.tokens.append(Token(match.group()[1:-1], True, match.start() == glue_at, line, column))
            glue_at = match.end()
        elif kind == "other":
            skipping = not state.other(match.group(), line, column)
    if state.opened and state.mistake is None:
        state.mistake = Mistake(
            state.opened[0], "this parenthesis is never closed.", "Close it with ) after the record's last word."
        )
    entry = state.end()
    if entry is not None:
        yield entry
