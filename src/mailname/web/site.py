"""What the page is made of: the domains, who is told of changes, who may act, and the rehearsal behind it, if it is one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mailname.lab.fault import Fault
    from mailname.web.check_log import CheckLog
    from mailname.web.domain import Domain
    from mailname.web.door import Door
    from mailname.web.live import Live
    from mailname.web.rounds import Rounds


class Rehearsed(Protocol):
    """A rehearsal in which things can be broken from the page."""

    @property
    def broken(self) -> tuple[str, ...]:
        """The faults that are there now, by their names."""

    @property
    def is_secret(self) -> bool:
        """Whether they were drawn by lot, and are not to be named."""

    @property
    def faults(self) -> Sequence[Fault]:
        """What can be broken in this plan."""

    async def break_one(self, fault: str, *, secretly: bool = False) -> None:
        """Break it. Raises HostError when that cannot be."""

    async def mend(self) -> None:
        """Put everything back as the plan says. Raises HostError when that cannot be."""


@dataclass(frozen=True, slots=True)
class Site:
    """All that the pages need.

    Attributes:
        watched: what ``mailname watch`` keeps on this machine, if it does.

    """

    rounds: Rounds
    live: Live
    log: CheckLog
    door: Door
    rehearsed: Rehearsed | None = None
    watched: Path | None = None

    @property
    def domains(self) -> dict[str, Domain]:
        """The domains by name."""
        return self.rounds.domains
