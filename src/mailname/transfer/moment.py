"""Time that passes, told by two clocks: one that never jumps and is forgotten at a boot, and one on the wall that can be wrong.

While a machine is up, the clock that never jumps decides: it counts the time asleep and knows nothing of dates. Across a boot
there is only the wall clock; it is believed as far as it does not contradict itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

JUMP = 2.0  # seconds by which the clocks must part before it is called a jump
_LAST_SECOND = 253402300799.0  # of the year 9999


@dataclass(frozen=True, slots=True)
class Moment:
    """One look at both clocks.

    Attributes:
        waiting: seconds since this machine was booted, asleep or awake.
        wall: seconds since 1970, as the machine believes.
        boot: which boot that was; empty where the system does not tell.

    """

    waiting: float
    wall: float
    boot: str = ""


@dataclass(frozen=True, slots=True)
class Elapsed:
    """How much time passed between two moments.

    Attributes:
        seconds: what we go by.
        jumped: by how many seconds more the wall clock moved (less, where negative): the other possible answer.
        sure: it was told by the clock that never jumps.

    """

    seconds: float
    jumped: float
    sure: bool


def told_jump(seconds: float) -> float:
    """Return a jump that is worth telling, or 0: clocks that were set wrong and right again agree, but for a trifle."""
    return seconds if abs(seconds) > JUMP else 0.0


def elapsed(before: Moment, now: Moment) -> Elapsed:
    """Tell how much time passed. It is never less than this machine was up since, whatever the wall clock says."""
    by_wall = now.wall - before.wall
    if before.boot and before.boot == now.boot and now.waiting >= before.waiting:
        seconds = now.waiting - before.waiting
        jumped = by_wall - seconds
        return Elapsed(seconds, told_jump(jumped), sure=True)
    up = max(now.waiting, 0.0) if now.boot and before.boot else 0.0
    if by_wall < up - JUMP:  # it was set back: more time has passed than it admits
        return Elapsed(up, by_wall - up, sure=False)
    return Elapsed(max(by_wall, 0.0), 0.0, sure=False)


@dataclass(slots=True)
class ClockWatch:
    """Notices that the wall clock was set while we run."""

    last: Moment

    def on_look(self, now: Moment) -> float:
        """Return by how many seconds the wall clock jumped since the last look; 0 when it did not."""
        jumped = (now.wall - self.last.wall) - (now.waiting - self.last.waiting)
        if abs(jumped) <= JUMP:
            return 0.0  # the last look stays: slow drifting adds up until it is worth telling
        self.last = now
        return jumped


@dataclass(frozen=True, slots=True)
class Memory:
    """What a secondary remembers of a zone while it does not run.

    Attributes:
        at: when this was noted.
        age: seconds, then, since a primary confirmed the copy; None when none ever did.
        refresh_in: seconds, then, until the next question.
        failures: tries that failed since.
        expired: the copy was not answered any more.
        jumped: by how many seconds the wall clock had jumped since the copy was confirmed.

    """

    at: Moment
    age: float | None
    refresh_in: float = 0.0
    failures: int = 0
    expired: bool = False
    jumped: float = 0.0

    @classmethod
    def of_json(cls, raw: object) -> Memory | None:
        """Read what ``dataclasses.asdict`` makes of it; None for anything else."""
        if not isinstance(raw, dict) or not isinstance(raw.get("at"), dict):
            return None
        waiting, wall = _number(raw["at"], "waiting"), _number(raw["at"], "wall")
        boot, failures, age = raw["at"].get("boot"), raw.get("failures"), _number(raw, "age")
        refresh_in, jumped = _number(raw, "refresh_in"), _number(raw, "jumped")
        if waiting is None or wall is None or not 0.0 <= wall < _LAST_SECOND or not isinstance(boot, str):
            return None
        if refresh_in is None or jumped is None or not isinstance(failures, int) or (age is not None and age < 0.0):
            return None
        if not 0 <= failures < 1 << 32:
            return None
        return cls(Moment(waiting, wall, boot), age, refresh_in, failures, raw.get("expired") is True, jumped)


def _number(raw: Mapping[str, Any], name: str) -> float | None:
    value = raw.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < _LAST_SECOND:
        return None
    return float(value)
