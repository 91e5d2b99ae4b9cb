"""Where each key and value of a TOML text stands: paths to positions, by the syntax tree.

tomllib reads values and forgets where they were; tree-sitter keeps the places and does not read values. Both see one text.
"""

from __future__ import annotations

import tomllib
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

import tree_sitter_toml
from tree_sitter import Language, Parser

from mailname.errors import Position

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from mailname.plan.fault import Path

_NO_VALUES = frozenset({"comment", ",", "[", "]", "{", "}"})


@dataclass(slots=True)
class Place:
    """Offsets in characters; -1 where there is none. ``end`` is one past the value."""

    key: int = -1
    value: int = -1
    end: int = -1


@dataclass(slots=True)
class Duplicate:
    """A key or table that was already there: the offsets of the key, and of all that has to go with it."""

    key: int
    start: int
    end: int
    name: str


@cache
def _parser() -> Parser:
    return Parser(Language(tree_sitter_toml.language()))


@dataclass(slots=True)
class Places:
    """The places of one text. Paths may be renamed, so that a misspelt key is judged as what it was meant to be."""

    text: str
    file: str
    places: dict[Path, Place] = field(default_factory=dict)
    duplicates: list[Duplicate] = field(default_factory=list)
    _lines: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, text: str, file: str) -> Places:
        """Walk the syntax tree of a text; what does not parse has no place of its own."""
        places = cls(text, file)
        _Walk(places).document(_parser().parse(text.encode()).root_node)
        return places

    def offset(self, path: Path, point: str = "value") -> int:
        """Return the offset of a value, key or table; of the nearest that encloses it when it has no place."""
        while path:
            place = self.places.get(path)
            if place is not None:
                wanted, other = (place.key, place.value) if point == "key" else (place.value, place.key)
                return wanted if wanted >= 0 else other
            path = path[:-1]
        return 0

    def position(self, offset: int) -> Position:
        """Turn an offset into line and column, both counted from 1, columns in characters."""
        if not self._lines:
            self._lines = [0, *(i + 1 for i, c in enumerate(self.text) if c == "\n")]
        line = bisect_right(self._lines, offset)
        return Position(self.file, line, offset - self._lines[line - 1] + 1)

    def at(self, path: Path, point: str = "value") -> Position:
        """Return the position of a value, key or table."""
        return self.position(self.offset(path, point))

    def move(self, old: Path, new: Path) -> None:
        """Give all places at and below one path another path."""
        for path in [p for p in self.places if p[: len(old)] == old]:
            self.places[new + path[len(old) :]] = self.places.pop(path)


class _Walk:
    """One walk over a syntax tree, keeping count of the elements of arrays of tables."""

    def __init__(self, places: Places) -> None:
        self.found = places.places
        self.duplicates = places.duplicates
        self.arrays: dict[Path, int] = {}
        self.tables: set[Path] = set()
        self.raw = places.text.encode()
        self.ascii = places.text.isascii()

    def at(self, octet: int) -> int:
        """Turn an octet offset into a character offset."""
        return octet if self.ascii else len(self.raw[:octet].decode())

    def document(self, root: Node) -> None:
        for node in root.children:
            if node.type == "pair":
                self.pair(node, ())
            elif node.type in {"table", "table_array_element"}:
                self.table(node)

    def table(self, node: Node) -> None:
        keys = list(self.keys(next(child for child in node.children if child.type.endswith("_key"))))
        path: Path = ()
        for name, where in keys[:-1]:
            path = (*path, name)
            self.found.setdefault(path, Place(key=self.at(where.start_byte), value=self.at(node.start_byte)))
            if path in self.arrays:
                path = (*path, self.arrays[path] - 1)
        name, where = keys[-1]
        path = (*path, name)
        key, start = self.at(where.start_byte), self.at(node.start_byte)
        if node.type == "table_array_element":
            self.found.setdefault(path, Place(key=key, value=start))
            self.arrays[path] = self.arrays.get(path, 0) + 1
            path = (*path, self.arrays[path] - 1)
        elif path in self.tables or (path in self.found and self.found[path].end >= 0):
            self.duplicates.append(Duplicate(key, start, self.at(node.end_byte), name))
            return
        else:
            self.tables.add(path)
        self.found[path] = Place(key=key, value=start)
        for child in node.children:
            if child.type == "pair":
                self.pair(child, path)

    def pair(self, node: Node, table: Path) -> None:
        key_node = node.children[0]
        value = next(child for child in reversed(node.children) if child.type not in _NO_VALUES)  # a comment may end the pair
        path = table
        names = list(self.keys(key_node))
        for name, where in names:
            path = (*path, name)
            if path not in self.found:
                self.found[path] = Place(key=self.at(where.start_byte))
            elif name is names[-1][0] or self.found[path].end >= 0:
                start, end = self.at(node.start_byte), self.at(node.end_byte)
                self.duplicates.append(Duplicate(self.at(where.start_byte), start, end, name))
                return
        self.value(value, path)

    def value(self, node: Node, path: Path) -> None:
        place = self.found.setdefault(path, Place())
        place.value, place.end = self.at(node.start_byte), self.at(node.end_byte)
        if node.type == "array":
            for number, child in enumerate(child for child in node.children if child.type not in _NO_VALUES):
                self.value(child, (*path, number))
        elif node.type == "inline_table":
            for child in node.children:
                if child.type == "pair":
                    self.pair(child, path)

    def keys(self, node: Node) -> Iterator[tuple[str, Node]]:
        if node.type == "dotted_key":
            for child in node.children:
                if child.type != ".":
                    yield from self.keys(child)
        else:
            text = self.raw[node.start_byte : node.end_byte].decode()
            yield (next(iter(tomllib.loads(f"{text} = 0"))) if node.type == "quoted_key" else text), node
