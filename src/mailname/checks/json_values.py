"""One member of a JSON object, of the kind that it must be: a saved look may have been written, or bent, by anybody.

Each function raises KeyError for a member that is missing, and ValueError for one of another kind.
"""

from __future__ import annotations

import math
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Json = Mapping[str, Any]

_Kind = TypeVar("_Kind")
_MOST = 2**53  # what every reader of JSON can hold (RFC 8259 section 6)


def _wrong(key: str, wanted: str) -> ValueError:
    return ValueError(f"'{key}' is not {wanted}")


def text(of: Json, key: str) -> str:
    """Return a member that is text."""
    value = of[key]
    if not isinstance(value, str):
        raise _wrong(key, "text")
    return value


def choice(of: Json, key: str, known: Sequence[str]) -> str:
    """Return a member that is one of these words."""
    value = text(of, key)
    if value not in known:
        raise _wrong(key, f"one of {', '.join(known)}")
    return value


def whole(of: Json, key: str) -> int:
    """Return a member that is a whole number, not below 0."""
    value = of[key]
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MOST:
        raise _wrong(key, "a whole number")
    return value


def number(of: Json, key: str) -> float:
    """Return a member that is a number."""
    value = of[key]
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or abs(value) > _MOST:
        raise _wrong(key, "a number")
    return value


def truth(of: Json, key: str) -> bool:
    """Return a member that is true or false."""
    value = of[key]
    if not isinstance(value, bool):
        raise _wrong(key, "true or false")
    return value


def moment(of: Json, key: str) -> datetime:
    """Return a member that is a point in time with its offset from UTC (RFC 3339)."""
    value = datetime.fromisoformat(text(of, key))
    if value.tzinfo is None:
        raise _wrong(key, "a time with its offset from UTC")
    return value


def table(of: Json, key: str) -> Json:
    """Return a member that is an object."""
    value = of[key]
    if not isinstance(value, dict):
        raise _wrong(key, "an object")
    return value


def items(of: Json, key: str) -> list[Json]:
    """Return a member that is a list of objects."""
    value = of[key]
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise _wrong(key, "a list of objects")
    return value


def texts(of: Json, key: str) -> tuple[str, ...]:
    """Return a member that is a list of texts."""
    value = of[key]
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise _wrong(key, "a list of texts")
    return tuple(value)


def optional(of: Json, key: str, read: Callable[[Json, str], _Kind]) -> _Kind | None:
    """Return a member that may be null."""
    return None if of[key] is None else read(of, key)
