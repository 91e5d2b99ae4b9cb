"""What ``mailname watch`` has kept of a domain, read beside it: how it was, what was said of it, what somebody knows of."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from mailname.errors import HostError
from mailname.watch.history import Acknowledgement, History, Spell, Transition

if TYPE_CHECKING:
    from pathlib import Path

_MOST = 200


@dataclass(frozen=True, slots=True)
class Watched:
    """What was kept; ``problem`` says why nothing can be told."""

    spells: list[Spell] = field(default_factory=list)
    said: list[Transition] = field(default_factory=list)
    acknowledged: list[Acknowledgement] = field(default_factory=list)
    problem: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values; times are seconds since 1970."""
        return {
            "spells": [asdict(one) for one in self.spells],
            "said": [asdict(one) for one in self.said],
            "acknowledged": [asdict(one) for one in self.acknowledged],
            "problem": self.problem,
        }


def watched(path: Path | None, domain: str) -> Watched:
    """Read what there is of a domain."""
    if path is None or not path.exists():
        return Watched()
    try:
        with closing(History(path)) as history:
            return Watched(history.spells(domain, _MOST), history.transitions(domain, _MOST), history.acknowledgements(domain))
    except HostError as error:
        return Watched(problem=error.problem)
