"""When a word is said: on transitions only, once, and not more often than damping allows. Pure: the time is an argument.

- A fault is said when two looks have found it and it has lasted for ``confirm`` seconds. A lasting fault is always said.
- That it is mended is said when two looks have not found it, for ``confirm`` seconds the first time, and for twice as long after
  each fault of the same kind that was said within a day: what comes and goes is one fault until it stays away.
- What gets worse by a stage is said once for each stage.
- In quiet hours nothing is said but, if wanted, that mail does not arrive; after them what is still so.
- What was acknowledged is not said until the acknowledgement ends.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from mailname.watch.topics import Topic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mailname.watch.history import Acknowledgement
    from mailname.watch.topics import Seen

Kind = Literal["not_well", "worse", "again", "well"]
DAY = 86400.0
_SCHEMA = "mailname.watching/1"


@dataclass(frozen=True, slots=True)
class Damping:
    """How soon and how often a word is said.

    Attributes:
        confirm: seconds for which a thing must be so.
        longest: seconds for which a fault that has come again and again must be away, at most.

    """

    confirm: float = 60.0
    longest: float = 6 * 3600.0

    def calm(self, said: int) -> float:
        """Return the seconds for which a fault must be away that was said so many times within a day."""
        return min(self.confirm * 2.0 ** max(said - 1, 0), max(self.longest, self.confirm))


@dataclass(frozen=True, slots=True)
class Change:
    """A word to be said."""

    kind: Kind
    topic: Topic


@dataclass(slots=True)
class _Alarm:
    """What is remembered of one topic.

    Attributes:
        since: when it was found first, this time; found: in how many looks in a row, 2 for more.
        stage: the worst that two looks in a row agree on.
        said: the stage that was said; -1 where nothing was.
        gone: since when it is not found; missed: in how many looks in a row, 2 for more.
        times: when it was said, within the last day.
        known: whether it was acknowledged when it was to be said, or after it was.

    """

    topic: Topic
    since: float
    found: int = 0
    last_stage: int = 0
    stage: int = 0
    said: int = -1
    gone: float | None = None
    missed: int = 0
    times: list[float] = field(default_factory=list)
    known: bool = False


@dataclass(slots=True)
class Watching:
    """What is remembered of one domain."""

    damping: Damping = field(default_factory=Damping)
    _alarms: dict[str, _Alarm] = field(default_factory=dict)

    @property
    def told(self) -> tuple[Topic, ...]:
        """What was said not to be well, and not yet to be well again."""
        return tuple(alarm.topic for alarm in self._alarms.values() if alarm.said >= 0)

    def note(
        self,
        seen: Seen,
        now: float,
        *,
        acknowledged: Iterable[Acknowledgement] = (),
        is_quiet: Callable[[Topic], bool] = lambda _: False,
    ) -> list[Change]:
        """Take in what a look found, and return what is to be said."""
        known = {one.topic for one in acknowledged if one.at <= now < one.until}
        here = {topic.key: topic for topic in seen.topics}
        changes = []
        for key in list(dict.fromkeys([*self._alarms, *here])):
            topic = here.get(key)
            alarm = self._alarms.get(key)
            if topic is not None:
                alarm = self._found(alarm, topic, now)
                change = self._to_say(alarm, now, known=bool(known & {key, topic.code, "*"}), quiet=is_quiet(topic))
            elif alarm is None or ((seen.blind_to_all or key in seen.blind) and alarm.gone is None):
                continue
            elif seen.blind_to_all or key in seen.blind:
                alarm.gone, alarm.missed = now, 0  # what was away is not known to be away any more: it begins anew
                continue
            else:
                change = self._missed(alarm, now, quiet=is_quiet(alarm.topic))
            if change is not None:
                changes.append(change)
        self._forget(now)
        return changes

    def _found(self, alarm: _Alarm | None, topic: Topic, now: float) -> _Alarm:
        if alarm is None or (alarm.said < 0 and not alarm.found):
            times = alarm.times if alarm else []
            alarm = self._alarms[topic.key] = _Alarm(topic, now, last_stage=topic.stage, times=times)
        alarm.stage = min(alarm.last_stage, topic.stage)
        alarm.topic, alarm.last_stage = topic, topic.stage
        alarm.found = min(alarm.found + 1, 2)
        alarm.gone, alarm.missed = None, 0
        alarm.since = min(alarm.since, now)  # a clock that was set back
        return alarm

    def _to_say(self, alarm: _Alarm, now: float, *, known: bool, quiet: bool) -> Change | None:
        lasts = alarm.found >= 2 and now - alarm.since >= max(self.damping.confirm, alarm.topic.after)
        if known:
            alarm.known = True
            return None
        if not lasts or quiet:
            return None
        kind: Kind
        if alarm.said < 0:
            kind = "again" if alarm.known else "not_well"
            alarm.times.append(now)
        elif alarm.known:
            kind = "again"
        elif alarm.stage > alarm.said:
            kind = "worse"
        else:
            return None
        alarm.said, alarm.known = max(alarm.stage, alarm.said), False
        return Change(kind, alarm.topic)

    def _missed(self, alarm: _Alarm, now: float, *, quiet: bool) -> Change | None:
        alarm.found = 0
        if alarm.said < 0:
            alarm.known = False
            return None
        if alarm.gone is None or alarm.gone > now:
            alarm.gone, alarm.missed = now, 0
        alarm.missed = min(alarm.missed + 1, 2)
        if alarm.missed < 2 or now - alarm.gone < self.damping.calm(len(alarm.times)) or quiet:
            return None
        alarm.said, alarm.gone, alarm.missed, alarm.known = -1, None, 0, False
        return Change("well", alarm.topic)

    def _forget(self, now: float) -> None:
        for key, alarm in list(self._alarms.items()):
            alarm.times = [at for at in alarm.times if now - DAY < at <= now]
            if alarm.said < 0 and not alarm.found and not alarm.times:
                del self._alarms[key]

    def waits(self, now: float) -> float | None:
        """Return the seconds after which a look may bring a word that is waited for; None where none is."""
        left = []
        for alarm in self._alarms.values():
            if alarm.found and alarm.said < 0 and not alarm.known:
                left.append(alarm.since + max(self.damping.confirm, min(alarm.topic.after, DAY)) - now)
            elif alarm.found and alarm.last_stage > alarm.said >= 0:
                left.append(self.damping.confirm)
            elif alarm.gone is not None:
                left.append(alarm.gone + self.damping.calm(len(alarm.times)) - now)
        return max(min(left), self.damping.confirm) if left else None

    def to_text(self) -> str:
        """Return what is to be remembered when the process ends."""
        return json.dumps({"schema": _SCHEMA, "alarms": [asdict(alarm) for alarm in self._alarms.values()]}, ensure_ascii=False)

    @classmethod
    def from_text(cls, text: str | None, damping: Damping) -> Watching:
        """Read it back; what is not ours is as if nothing was remembered."""
        watching = cls(damping)
        try:
            read: dict[str, Any] = json.loads(text) if text else {}
            alarms = [_Alarm(**{**one, "topic": Topic(**one["topic"])}) for one in read.get("alarms", ())]
        except (ValueError, TypeError, KeyError, AttributeError):
            return watching
        watching._alarms = {alarm.topic.key: replace(alarm) for alarm in alarms}
        return watching
