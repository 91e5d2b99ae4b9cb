"""JSON on standard output, without the consoles: who reads it by a program does not wait for them."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from mailname.cli.exits import end_quietly

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def print_json(value: Mapping[str, object] | Sequence[object]) -> None:
    """Print one JSON document on standard output."""
    try:
        sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        end_quietly()
