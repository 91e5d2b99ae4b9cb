"""Values, comments and tables as TOML text that a person goes on editing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_LINE = 120


def text(value: str) -> str:
    """Write a text on one line."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")  # a JSON string is a TOML basic string


def texts(values: Iterable[str]) -> str:
    """Write a list of texts, on several lines where one would be long."""
    written = [text(value) for value in values]
    line = f"[{', '.join(written)}]"
    return line if len(line) <= _LINE else "[\n" + "".join(f"  {one},\n" for one in written) + "]"


def lines(values: list[str]) -> str:
    """Write a text of several lines so that it can be read as it is."""
    whole = "".join(f"{line}\n" for line in values)
    if "'''" not in whole and all(c.isprintable() or c in "\n\t" for c in whole):
        return f"'''\n{whole}'''"
    body = "".join(text(line)[1:-1] + "\n" for line in values)
    return f'"""\n{body}"""'


def comment(said: Iterable[str]) -> list[str]:
    """Write comments on lines of their own."""
    return [f"# {one}".rstrip() for one in said]


def line(key: str, value: str, beside: str = "") -> str:
    """Write one key with its value, the values below each other."""
    written = f"{key:<10} = {value}"
    return f"{written:<58}  # {beside}" if beside else written
