"""What preparing would change on a host: as a reader sees it before it happens, and as it is done."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Step = dict[str, Any]  # what the child process is told, one JSON object


class When(StrEnum):
    """In which order things are done, so that nobody is locked out."""

    FIRST = "first"
    GUARDED = "guarded"  # could lock out: behind the guard, which restores the former state
    LAST = "last"  # only after the administrator has come in anew


@dataclass(frozen=True, slots=True)
class Change:
    """One change.

    Attributes:
        title: what it is about, in a few words.
        codes: the steps of ``mailname host check`` that it mends.
        diff: the lines that are shown: a unified diff for files, ``+`` and ``-`` lines otherwise.
        steps: what is done.
        when: in which order.
        makes_password: whether the administrator is given a new password, which no step may hold.

    """

    title: str
    codes: tuple[str, ...]
    diff: tuple[str, ...]
    steps: tuple[Step, ...] = ()
    when: When = When.FIRST
    makes_password: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return what is shown, as JSON values."""
        return {"title": self.title, "codes": list(self.codes), "diff": list(self.diff), "when": self.when.value}


@dataclass(frozen=True, slots=True)
class LeftAlone:
    """Something that is wrong, and that preparing does not touch: why, and what to do."""

    code: str
    why: str
    fix: str

    def to_json(self) -> dict[str, str]:
        """Return it as JSON values."""
        return {"code": self.code, "why": self.why, "fix": self.fix}


def file_diff(path: str, before: str | None, after: str) -> tuple[str, ...]:
    """Return the unified diff of a file; ``before`` is None where there is none."""
    old = [] if before is None else before.splitlines()
    lines = difflib.unified_diff(old, after.splitlines(), "/dev/null" if before is None else path, path, lineterm="")
    return tuple(lines)


def packages(names: list[str], held: list[str]) -> Step:
    """Install packages; ``held`` are units that must not start by themselves meanwhile."""
    return {"kind": "packages", "names": names, "held": held}


def user(name: str, groups: list[str]) -> Step:
    """Make a user with a home and a shell."""
    return {"kind": "user", "name": name, "groups": groups}


def keys(name: str, lines: list[str]) -> Step:
    """Let these keys in as a user."""
    return {"kind": "keys", "name": name, "lines": lines}


def file(path: str, text: str, mode: str = "644", check_new: str = "", check: str = "", after: str = "") -> Step:
    """Put a file in place.

    Args:
        path: where.
        text: what stands in it.
        mode: its mode.
        check_new: a command that judges the new file while it lies beside the old one, as ``$new``.
        check: a command that judges it in its place; where it fails, the old file comes back.
        after: a command that makes it count; where it fails, the old file comes back.

    """
    return {"kind": "file", "path": path, "text": text, "mode": mode, "check_new": check_new, "check": check, "after": after}


def unit(name: str) -> Step:
    """Let a unit start now and at boot."""
    return {"kind": "unit", "name": name}


def order(words: str) -> Step:
    """Run a shell command."""
    return {"kind": "order", "words": words}
