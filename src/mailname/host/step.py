"""The steps of a safe host: each with a permanent code, and what was found of it on one machine."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

# Codes are permanent: a code is never given a second meaning, and a retired one is not given away again.
STEPS: Mapping[str, str] = MappingProxyType(
    {
        "HOST-01": "an administrator who is not root",
        "HOST-02": "SSH by keys, and not as root",
        "HOST-03": "who guesses passwords is banned",
        "HOST-04": "the clock is right",
        "HOST-05": "the time zone",
        "HOST-06": "the packet filter",
        "HOST-07": "only what is wanted starts",
        "HOST-08": "nothing else lives here",
        "HOST-09": "the host knows its own name",
        "HOST-10": "there is room on the disk",
        "HOST-11": "security upgrades install themselves",
        "HOST-12": "port 53 is free for the name server",
        "HOST-13": "the address leads back to the name",
    }
)


class Outcome(StrEnum):
    """What was found of a step."""

    HOLDS = "holds"
    DOES_NOT_HOLD = "does not hold"
    UNKNOWN = "could not find out"


@dataclass(frozen=True, slots=True)
class Result:
    """One step on one host.

    Attributes:
        code: one of ``STEPS``.
        outcome: whether it holds.
        seen: what was seen, one sentence each: first what is wrong, if anything.
        fix: what to do, one sentence; empty where it holds.
        command: the line to type; empty where there is none.

    """

    code: str
    outcome: Outcome
    seen: tuple[str, ...]
    fix: str = ""
    command: str = ""

    def __post_init__(self) -> None:
        if self.code not in STEPS:
            raise ValueError(f"{self.code} is no step")

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "code": self.code,
            "step": STEPS[self.code],
            "outcome": self.outcome.value,
            "seen": list(self.seen),
            "fix": self.fix,
            "command": self.command,
        }


def holds(code: str, *seen: str) -> Result:
    """Return that a step holds, and what shows it."""
    return Result(code, Outcome.HOLDS, seen)


def unknown(code: str, why: str, fix: str = "") -> Result:
    """Return that it could not be found out whether a step holds."""
    return Result(code, Outcome.UNKNOWN, (why,), fix)


def judged(code: str, wrong: list[str], right: list[str], fix: str, command: str = "") -> Result:
    """Return that a step holds where nothing is wrong, else what is wrong and what to do."""
    if not wrong:
        return holds(code, *right)
    return Result(code, Outcome.DOES_NOT_HOLD, (*wrong, *right), fix, command)
