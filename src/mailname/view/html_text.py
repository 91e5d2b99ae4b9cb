"""Text into HTML without a hole: whatever is not HTML already is escaped, and nothing becomes HTML by accident."""

from __future__ import annotations

import html
from string import Template
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# What a terminal or a bidirectional override could do to a reader; a name or a banner may hold anything.
_UNSEEN = dict.fromkeys((*range(9), 11, 12, *range(14, 32), *range(127, 160), *range(8234, 8239)), "�")
_UNSEEN |= dict.fromkeys((*range(8294, 8298), 8206, 8207, 65279), "�")
_UNSEEN |= dict.fromkeys(range(55296, 57344), "�")


class Html(str):
    """Text that is HTML."""

    __slots__ = ()

    def __html__(self) -> str:
        """Return it as it is, for templates that escape what does not say so."""
        return str(self)


def safe(value: object) -> Html:
    """Return a value as HTML text, good for content and for quoted attributes."""
    return value if isinstance(value, Html) else Html(html.escape(str(value).translate(_UNSEEN), quote=True))


def fill(template: str, **values: object) -> Html:
    """Fill a template of ours; every value that is not HTML is escaped."""
    return Html(Template(template).substitute({key: safe(value) for key, value in values.items()}))


def joined(parts: Iterable[object], between: str = "\n") -> Html:
    """Join parts, each escaped unless it is HTML."""
    return Html(between.join(safe(part) for part in parts))
