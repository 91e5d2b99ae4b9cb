"""The text of named.conf as clauses: words, quoted strings and nested blocks, each with its place; included files in their place.

Every statement of BIND has this form, known to us or not, so that nothing has to be known to be passed by. Comments are those of
C, C++ and the shell. What the clauses mean is in ``named_conf``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from mailname.errors import Mistake, PlanError, Position

#: Returns the texts that an ``include`` means, each with its file's name, or raises ValueError with a sentence. Its arguments
#: are the pattern as written, and the folder that ``options { directory }`` has set before; empty where it has set none yet.
Include = Callable[[str, str], list[tuple[str, str]]]

# What begins a statement at the top: after a block on an earlier line it tells that the block's semicolon was forgotten.
_STATEMENTS = frozenset(
    {"acl", "controls", "include", "key", "logging", "masters", "options", "primaries", "server", "view", "zone"}
)
_DEEPEST_BLOCK = 50
_DEEPEST_INCLUDE = 20
_MOST_INCLUDED = 20_000

# Possessive: no text can make the expression go back. A comment may begin anywhere but in a quoted string, as in BIND.
_TOKEN = re.compile(
    r"(?P<blank>\s++)"
    r"|(?P<comment>/\*(?:[^*]++|\*(?!/))*+\*/|//[^\n]*+|\#[^\n]*+)"
    r'|(?P<quoted>"(?:[^"\\]++|\\.)*+")'
    r"|(?P<mark>[{};!])"
    r'|(?P<word>(?:[^\s{};!"#/]++|/(?![/*]))++)'
    r"|(?P<other>.)",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Word:
    """One word: unquoted, quoted, or the ``!`` of a match list."""

    text: str
    at: Position
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """What stands in braces."""

    clauses: tuple[Clause, ...]
    at: Position


@dataclass(frozen=True, slots=True)
class Clause:
    """One statement up to its semicolon: words and blocks, in their order."""

    parts: tuple[Word | Block, ...]
    at: Position

    @property
    def name(self) -> str:
        """The first word, in lower case; empty where the clause begins with a block."""
        first = self.parts[0]
        return first.text.lower() if isinstance(first, Word) else ""

    @property
    def words(self) -> tuple[Word, ...]:
        """The words, without the first one."""
        return tuple(part for part in self.parts[1:] if isinstance(part, Word))

    @property
    def block(self) -> tuple[Clause, ...]:
        """What stands in the clause's first braces; nothing where it has none."""
        return next((part.clauses for part in self.parts if isinstance(part, Block)), ())


def read_clauses(text: str, file: str, include: Include) -> tuple[Clause, ...]:
    """Read a configuration and what it includes.

    Raises:
        PlanError: with the place of the first mistake; after it nothing can be told for sure.

    """
    reading = _Reading(include)
    return reading.file(text, file)


@dataclass(slots=True)
class _Reading:
    """What goes on through all files."""

    include: Include
    directory: str = ""
    open_files: list[str] = field(default_factory=list)
    included: int = 0

    def file(self, text: str, file: str) -> tuple[Clause, ...]:
        """Read one file."""
        self.open_files.append(file)
        tokens = _Tokens(text.removeprefix("\ufeff"), file)
        clauses = self._clauses(tokens, None, 0)
        self.open_files.pop()
        return clauses

    def _clauses(self, tokens: _Tokens, opened: Position | None, depth: int) -> tuple[Clause, ...]:
        found: list[Clause] = []
        while True:
            clause, ended = self._clause(tokens, opened, depth)
            if clause is None and ended:
                return tuple(found)
            if clause is None:
                continue
            if clause.name == "include" and len(clause.parts) == 2 and isinstance(clause.parts[1], Word):
                found += self._included(clause.parts[1])
            else:
                if clause.name == "directory" and clause.words:
                    self.directory = clause.words[0].text
                found.append(clause)

    def _clause(self, tokens: _Tokens, opened: Position | None, depth: int) -> tuple[Clause | None, bool]:
        """Read up to the next semicolon; None and True at the end of the block or the file."""
        parts: list[Word | Block] = []
        while (token := tokens.next()) is not None:
            kind, text, at = token
            if kind == "mark" and text == ";":
                return (Clause(tuple(parts), parts[0].at), False) if parts else (None, False)
            if kind == "mark" and text == "{":
                if depth >= _DEEPEST_BLOCK:
                    raise _mistake(at, f"Blocks stand in each other more than {_DEEPEST_BLOCK} deep.", "Close some of them.")
                parts.append(Block(self._clauses(tokens, at, depth + 1), at))
            elif kind == "mark" and text == "}":
                if opened is None:
                    raise _mistake(at, "This brace closes nothing.", "Take it away, or open its block with {.")
                if parts:
                    raise _mistake(at, "A semicolon is missing before this brace.", "End the statement with ;")
                return None, True
            else:
                if parts and isinstance(parts[-1], Block) and text in _STATEMENTS and at.line > tokens.line_before:
                    raise _mistake(at, "A semicolon is missing before this.", "End the block above it with };")
                parts.append(Word(text, at, kind == "quoted"))
        if parts:
            raise _mistake(parts[0].at, "This statement does not end: its semicolon is missing.", "End it with ;")
        if opened is not None:
            raise _mistake(opened, "This brace is never closed.", "Close the block with };")
        return None, True

    def _included(self, path: Word) -> list[Clause]:
        try:
            texts = self.include(path.text, self.directory)
        except ValueError as error:
            raise _mistake(path.at, str(error), "Correct the path; for a copy of another host's files: --root FOLDER") from None
        found: list[Clause] = []
        for text, file in texts:
            self.included += 1
            if file in self.open_files:
                raise _mistake(path.at, f"{file} includes itself.", "Take this line away.")
            if len(self.open_files) > _DEEPEST_INCLUDE or self.included > _MOST_INCLUDED:
                raise _mistake(path.at, "Too many files are included.", "Does a file include itself?")
            found += self.file(text, file)
        return found


def tokens_from(text: str, begin: int) -> Iterator[tuple[str, str, int]]:
    """Yield kind, text and end of each token from an offset on, blanks and comments left away."""
    for match in _TOKEN.finditer(text, begin):
        if match.lastgroup not in ("blank", "comment"):
            yield str(match.lastgroup), match[0], match.end()


class _Tokens:
    """The tokens of one file, comments left away."""

    def __init__(self, text: str, file: str) -> None:
        self._matches = _TOKEN.finditer(text)
        self._text = text
        self._file = file
        self._line, self._line_start, self._seen = 1, 0, 0
        self.line_before = 1

    def _at(self, offset: int) -> Position:
        lines = self._text.count("\n", self._seen, offset)
        if lines:
            self._line += lines
            self._line_start = self._text.rindex("\n", self._seen, offset) + 1
        self._seen = offset
        return Position(self._file, self._line, offset - self._line_start + 1)

    def next(self) -> tuple[str, str, Position] | None:
        """Return kind, text and place of the next token; None at the end."""
        self.line_before = self._line
        for match in self._matches:
            kind = match.lastgroup
            if kind in ("blank", "comment"):
                continue
            at, text = self._at(match.start()), match[0]
            if kind == "quoted":
                return "quoted", re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL), at
            if kind == "other" and text == '"':
                raise _mistake(at, "The quoted string that begins here does not end.", 'Close it with ".')
            if kind == "other":
                raise _mistake(at, "The comment that begins here does not end.", "Close it with */.")
            return ("mark" if kind == "mark" and text != "!" else "word"), text, at
        return None


def _mistake(at: Position, problem: str, remedy: str) -> PlanError:
    return PlanError((Mistake(at, problem, remedy),))
