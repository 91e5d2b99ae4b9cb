"""How each domain was since this page is served: one line for each time that its verdict changed, the newest of each kept."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mailname.checks import Verdict
    from mailname.watch.history import Spell

MOST = 200  # lines of one domain


@dataclass(frozen=True, slots=True)
class Kept:
    """A time in which the verdict was the same."""

    first: datetime
    last: datetime
    looks: int
    verdict: str
    code: str
    says: str

    @classmethod
    def of_spell(cls, spell: Spell) -> Kept:
        """Return what ``mailname watch`` has kept."""
        first, last = datetime.fromtimestamp(spell.since, UTC), datetime.fromtimestamp(spell.until, UTC)
        return cls(first, last, spell.looks, spell.verdict, spell.code, spell.says)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "first": self.first.isoformat(),
            "last": self.last.isoformat(),
            "looks": self.looks,
            "verdict": self.verdict,
            "code": self.code or None,
            "says": self.says,
        }


class CheckLog:
    """The lines, in memory: what is to outlast this process is kept by ``mailname watch``."""

    def __init__(self) -> None:
        self._kept: defaultdict[str, deque[Kept]] = defaultdict(lambda: deque(maxlen=MOST))

    def note(self, domain: str, at: datetime, verdict: Verdict) -> None:
        """Note a verdict; the same as before makes the last line longer."""
        finding = verdict.cause.finding if verdict.cause else None
        code, says = (finding.code, finding.says) if finding else ("", "")
        lines, moment = self._kept[domain], at.astimezone(UTC)
        if lines and (lines[0].verdict, lines[0].code) == (verdict.verdict, code):
            lines[0] = replace(lines[0], last=moment, looks=lines[0].looks + 1, says=says)
        else:
            lines.appendleft(Kept(moment, moment, 1, verdict.verdict, code, says))

    def of(self, domain: str, most: int = 50) -> list[Kept]:
        """Return the last lines of a domain, the newest first."""
        return list(self._kept[domain])[:most] if domain in self._kept else []
