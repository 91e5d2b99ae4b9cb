"""From a character of a TOML string's value back to where it stands in the text."""

from __future__ import annotations

import re

_ESCAPE = re.compile(r"\\(?:u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|[ \t]*\n[ \t\n]*|.)")


def string_map(text: str, start: int, end: int) -> list[int]:
    """Return, for each character of the value of the string at ``start``, its offset in the text, and the closing quote's.

    Args:
        text: the TOML text, line ends already LF.
        start: the offset of the opening quote.
        end: one past the closing quote.

    """
    quote = text[start]
    width = 3 if text.startswith(quote * 3, start) and end - start >= 6 else 1
    at, stop = start + width, end - width
    if width == 3 and text.startswith("\n", at):
        at += 1  # a line end straight after the opening quotes is not part of the value
    offsets: list[int] = []
    while at < stop:
        escape = _ESCAPE.match(text, at) if quote == '"' else None
        if escape is None:
            offsets.append(at)
            at += 1
            continue
        if "\n" not in escape[0]:
            offsets.append(at)
        at = escape.end()
    offsets.append(stop)
    return offsets
