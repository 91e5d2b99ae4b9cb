"""What can be wrong with a plan, before it is known where in the file that stands."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mailname.errors import Position

# A value's way through the file: keys and, inside arrays, numbers from 0: ("name_server", 1, "addresses", 0).
Path = tuple[str | int, ...]
BROKEN = "\0"  # stands where a value could not be read; no TOML text can say this without an escape


class WrongValueError(ValueError):
    """One value cannot be what its key asks for.

    Args:
        problem: what is wrong, starting with the value itself where that helps.
        remedy: one sentence that says what to write.
        instead: the value that was most likely meant; the rest of the plan is judged as if it stood there.

    """

    def __init__(self, problem: str, remedy: str, *, instead: object = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy
        self.instead = instead


class Fault(NamedTuple):
    """A mistake whose place is a path into the plan, or already a position (inside zone_text).

    ``point`` says which part of that place is meant: the value, the key before it, or the table it stands in.
    """

    where: Path | Position
    problem: str
    remedy: str
    severity: Literal["error", "warning"] = "error"
    point: Literal["value", "key", "table"] = "value"


def closest(word: str, known: Iterable[str], synonyms: Mapping[str, str] | None = None) -> str | None:
    """Return the known word that was most likely meant, or None: a synonym first, then the nearest spelling."""
    lowered = word.lower().replace("-", "_")
    if synonyms and lowered in synonyms:
        return synonyms[lowered]
    return next(iter(difflib.get_close_matches(lowered, list(known), n=1, cutoff=0.65)), None)
