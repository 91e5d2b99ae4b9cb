"""Every exception that mailname raises on purpose.

An exception means that we cannot do what we were asked. That the world is wrong is a finding (``checks``), that a peer is
wrong is an rcode (``answer``, ``transfer``); neither is raised.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a text file: lines and columns count from 1; columns are characters."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong in a file that a person wrote, where it stands, and what to do."""

    at: Position
    problem: str
    remedy: str = ""
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        kind = "" if self.severity == "error" else "warning: "
        return f"{self.at}: {kind}{self.problem}" + (f" {self.remedy}" if self.remedy else "")


class MailnameError(Exception):
    """We cannot do what we were asked.

    Args:
        problem: one sentence that says what is wrong, with the name or address it is about.
        remedy: one sentence that says what to do, if possible the next command to type.

    """

    def __init__(self, problem: str, *, remedy: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        if not self.remedy:
            return self.problem
        return f"{self.problem}{'' if self.problem.endswith(('.', '!', '?')) else '.'} {self.remedy}"


class PlanError(MailnameError):
    """A plan or a configuration file cannot be used. Carries every mistake in it, not only the first."""

    def __init__(self, mistakes: tuple[Mistake, ...]) -> None:
        first = mistakes[0]
        more = f" (and {len(mistakes) - 1} more)" if len(mistakes) > 1 else ""
        super().__init__(f"{first.at}: {first.problem}{more}", remedy=first.remedy)
        self.mistakes = mistakes


class ZoneError(MailnameError):
    """Data that cannot be a zone: a syntax error in zone-file text, or records that must not stand together.

    ``mistakes`` are all that were found in a file, this first one and warnings included; empty where no file was read.
    """

    def __init__(
        self,
        problem: str,
        *,
        remedy: str = "",
        owner: str | None = None,
        rdtype: str | None = None,
        at: Position | None = None,
        mistakes: tuple[Mistake, ...] = (),
    ) -> None:
        super().__init__(problem, remedy=remedy)
        self.owner = owner
        self.rdtype = rdtype
        self.at = at
        self.mistakes = mistakes

    def __str__(self) -> str:
        text = super().__str__()
        return f"{self.at}: {text}" if self.at else text


class TransferError(MailnameError):
    """A zone transfer failed. ``reason`` is a stable word; ``rcode`` is what the peer answered, if it did."""

    def __init__(
        self, problem: str, *, remedy: str = "", peer: str = "", reason: str = "failed", rcode: str | None = None
    ) -> None:
        super().__init__(problem, remedy=remedy)
        self.peer = peer
        self.reason = reason
        self.rcode = rcode


class ObservationError(MailnameError):
    """We could not find out. This is no verdict on the domain."""

    def __init__(self, problem: str, *, remedy: str = "", server: str | None = None) -> None:
        super().__init__(problem, remedy=remedy)
        self.server = server


class HostError(MailnameError):
    """This machine, or one that we prepare, does not let us do a step."""

    def __init__(self, problem: str, *, remedy: str = "", step: str | None = None) -> None:
        super().__init__(problem, remedy=remedy)
        self.step = step
