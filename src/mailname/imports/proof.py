"""The proof that an import lost nothing: the plan is read as any plan, and its zone compared with the one that was found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailname.errors import PlanError
from mailname.plan import expand, load
from mailname.zone.diff import diff

if TYPE_CHECKING:
    from mailname.errors import Mistake
    from mailname.plan.model import Plan
    from mailname.zone import Zone
    from mailname.zone.diff import Change


@dataclass(frozen=True, slots=True)
class Proof:
    """What came of reading the plan again.

    Attributes:
        plan: None where the text is no plan.
        changes: how its zone differs from the one that was found, under the same serial; nothing where they are equal.
        mistakes: why the text is no plan, or what its owner should know.

    """

    plan: Plan | None
    changes: tuple[Change, ...]
    mistakes: tuple[Mistake, ...]

    @property
    def lost_nothing(self) -> bool:
        """Whether the plan means the zone that was found, record by record."""
        return self.plan is not None and not self.changes


def prove(text: str, file: str, zone: Zone) -> Proof:
    """Read a plan's text and compare what it means with a zone."""
    try:
        loaded = load(text, file)
    except PlanError as error:
        return Proof(None, (), error.mistakes)
    return Proof(loaded.plan, diff(zone, expand(loaded.plan, zone.serial)), loaded.warnings)
