"""A name that stands for itself, or as ``*.NAME`` for all that is below NAME: how configurations choose names."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dns.name import Name


def matches(pattern: Name, name: Name) -> bool:
    """Tell whether a pattern stands for a name. ``*`` alone stands for every name but the root, ``*.NAME`` never for NAME."""
    if not pattern.is_wild():
        return bool(pattern == name)
    above = pattern.parent()
    return name != above and bool(name.is_subdomain(above))


def any_matches(patterns: Iterable[Name], name: Name) -> bool:
    """Tell whether one of several patterns stands for a name."""
    return any(matches(pattern, name) for pattern in patterns)
