"""Zones that others' named.conf serves and a plan takes over: its statements for them become comments, and nothing else changes.

BIND takes a configuration in which a zone or a key stands twice for a mistake, so ours can only come in when theirs goes.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailname.errors import Mistake
from mailname.imports.clauses import tokens_from
from mailname.imports.named_conf import read_configuration

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from dns.name import Name

    from mailname.errors import Position
    from mailname.imports.clauses import Clause
    from mailname.imports.named_conf import ConfiguredZone

_HEAD = "// Taken over by mailname:"


@dataclass(frozen=True, slots=True)
class GivenOver:
    """What becomes of others' configuration.

    Attributes:
        files: those that change, with their new text, by name.
        zones: those that were served until now.
        said: each statement that becomes a comment, as people call it, with its place.
        directory: to which the zones' files are relative; empty where nothing says so.
        obstacles: why it cannot be done; nothing may be changed then.

    """

    files: Mapping[str, str]
    zones: tuple[ConfiguredZone, ...]
    said: tuple[str, ...]
    directory: str
    obstacles: tuple[Mistake, ...]


def give_over(
    texts: Mapping[str, str], clauses: tuple[Clause, ...], zones: Collection[Name], keys: Mapping[str, tuple[str, str]]
) -> GivenOver:
    """Take zones and keys out of a configuration.

    Args:
        texts: its files, by the names that the clauses' places have.
        clauses: all of it.
        zones: the apexes that are served from our own file from now on.
        keys: the keys that our own file brings along: algorithm and secret, by name without its last dot.

    """
    configuration = read_configuration(clauses)
    ours = tuple(zone for zone in configuration.zones if zone.name in zones)
    obstacles = [_in_views(clause) for clause in clauses if clause.name == "view"][:1]
    obstacles += [obstacle for zone in ours for obstacle in _signed(zone)]
    statements = {zone.at: f'zone "{_bare(zone)}"' for zone in ours}
    for name, key in configuration.keys.items():
        if name not in keys:
            continue
        if (key.algorithm.rstrip("."), key.secret) != keys[name]:
            remedy = "Put the key that is there beside the plan: mailname import named.conf --keys keys"
            obstacles.append(Mistake(key.at, f"The key {name} has another secret there than beside the plan.", remedy))
        statements[key.at] = f'key "{name}"'
    by_file: defaultdict[str, list[Position]] = defaultdict(list)
    for at in statements:
        by_file[at.file].append(at)
    files = {file: _without(texts[file], places) for file, places in by_file.items()}
    said = tuple(f"{what} at {at}" for at, what in statements.items())
    return GivenOver(files, ours, said, configuration.directory, tuple(obstacles))


def _in_views(view: Clause) -> Mistake:
    problem = "The configuration has views: BIND takes no zone beside them, and a plan has one zone for all who ask."
    return Mistake(view.at, problem, "Take the view that answers anybody apart, and serve its zones without views; then deploy.")


def _signed(zone: ConfiguredZone) -> list[Mistake]:
    if not zone.is_signed:
        return []
    problem = f"BIND signs {_bare(zone)} there, and a plan's zone is not signed."
    return [Mistake(zone.at, problem, "Remove the DS records at the registrar, wait until they are forgotten, then end signing.")]


def _bare(zone: ConfiguredZone) -> str:
    return zone.name.to_text(omit_final_dot=True)


def _without(text: str, places: list[Position]) -> str:
    """Return a file's text with the statements at these places as comments."""
    for at in sorted(places, key=lambda one: (one.line, one.column), reverse=True):
        begin, end = _extent(text, at)
        line = text.rfind("\n", 0, begin) + 1
        stands_alone = not text[line:begin].strip()
        before = text[:line] if stands_alone else text[:begin].rstrip() + "\n"
        lines = text[line if stands_alone else begin : end].split("\n")
        after = text[end:] if not text[end:].partition("\n")[0].strip() else "\n" + text[end:].lstrip(" \t")
        commented = "\n".join([_HEAD, *(f"// {line}".rstrip() for line in lines)])
        text = before + commented + after
    return text


def _extent(text: str, at: Position) -> tuple[int, int]:
    """Return where the statement that begins at a place begins and ends; its semicolon is the last of it."""
    begin = 0
    for _ in range(at.line - 1):
        begin = text.index("\n", begin) + 1
    begin += at.column - 1 + (1 if at.line == 1 and text.startswith("\ufeff") else 0)
    depth = 0
    for kind, mark, end in tokens_from(text, begin):
        depth += {"{": 1, "}": -1}.get(mark, 0) if kind == "mark" else 0
        if kind == "mark" and mark == ";" and depth == 0:
            return begin, end
    return begin, len(text)  # what was read has its semicolon
