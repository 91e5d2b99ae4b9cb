"""A verdict without a cause, told without the terminal's library, whose import takes longer than a healthy look.

It is what ``verdict_view`` prints, octet by octet: in a pipe, and on a terminal where every line fits and nobody asked for other
colours. Whatever is not as plain as that is left to it.
"""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

from mailname.checks.facts import RUNGS
from mailname.checks.wording import spoken
from mailname.view.ladder_lines import TITLES, codes_at
from mailname.view.verdict_sentence import sentence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mailname.checks import Facts, Verdict
    from mailname.plan import Plan

    Line = tuple[tuple[str, str], ...]  # pieces of text, each with its style

# What changes the terminal's look or width, so that the library has to be asked.
_ASKS_FOR_MORE = ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLUMNS", "JUPYTER_COLUMNS", "JUPYTER_LINES")
_DUMB = ("", "dumb", "unknown")
# ECMA-48 section 8.3.117 (SGR), as the library writes them.
_SGR = {"bold": "1", "dim": "2", "green": "32", "bold green": "1;32"}
_GUIDES = {False: ("├── ", "│   "), True: ("└── ", "    ")}  # by whether it is the last branch


def printed(plan: Plan, facts: Facts, verdict: Verdict) -> bool:
    """Print the verdict, and tell whether it could be printed here."""
    on_terminal = sys.stdout.isatty()
    if os.name != "posix" or any(map(os.environ.get, _ASKS_FOR_MORE)) or (sys.stdout.encoding or "").lower() != "utf-8":
        return False
    if on_terminal and os.environ.get("TERM", "").lower() in _DUMB:
        return False
    width = shutil.get_terminal_size().columns if on_terminal else None
    text = plain_verdict(plan, facts, verdict, width)
    if text is None:
        return False
    sys.stdout.write(text)
    return True


def plain_verdict(plan: Plan, facts: Facts, verdict: Verdict, width: int | None) -> str | None:
    """Return the verdict as text; None where there is more to tell of it than fits in plain lines.

    Args:
        plan: what was meant.
        facts: what was seen.
        verdict: what follows from it.
        width: the terminal's columns, whose lines have styles; None for a pipe, whose lines have none.

    """
    if verdict.verdict != "well" or verdict.findings or verdict.blocked or facts.asked is not None:
        return None
    lines = [
        *_ladder(plan, facts, verdict),
        (),
        ((sentence(plan, facts, verdict), "bold green"),),
        ((f"{verdict.queries} questions in {verdict.seconds:.2f} s", "dim"),),
    ]
    whole = ["".join(text for text, _ in line) for line in lines]
    if not all(_is_plain(text) and (width is None or len(text) < width) for text in whole):
        return None
    return "".join(f"{line}\n" for line in (whole if width is None else map(_styled, lines)))


def _ladder(plan: Plan, facts: Facts, verdict: Verdict) -> Iterator[Line]:
    yield ((spoken(plan.domain), "bold"),)
    for rung in RUNGS:
        branch, beneath = _GUIDES[rung == RUNGS[-1]]
        lines = [line for line, _ in codes_at(rung, plan, facts, verdict)]
        if not lines:
            yield ((branch, "dim"), ("- ", "dim"), (TITLES[rung], ""), (" not asked", "dim"))
            continue
        yield ((branch, "dim"), ("✓ ", "green"), (TITLES[rung], "bold"))
        for number, line in enumerate(lines, 1):
            yield ((beneath, "dim"), (_GUIDES[number == len(lines)][0], "dim"), (line, "dim"))


def _is_plain(line: str) -> bool:
    """Tell whether each character of a line takes one column; of what is not ASCII only our own marks are known to."""
    return line.isprintable() and all(character.isascii() or character in "├└│─✓" for character in line)


def _styled(line: Iterable[tuple[str, str]]) -> str:
    return "".join(f"\x1b[{_SGR[style]}m{text}\x1b[0m" if style else text for text, style in line)
