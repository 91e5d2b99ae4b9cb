"""Looks at many domains, each when its time has come; keeps what was found, and hands on what is to be said."""

from __future__ import annotations

import asyncio
import heapq
import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from mailname.checks import Place, judge, observe
from mailname.checks.explain import explain
from mailname.checks.wording import spoken
from mailname.errors import MailnameError
from mailname.watch.history import Transition
from mailname.watch.message import SCHEMA, message, topic_to_json
from mailname.watch.next_look import next_look
from mailname.watch.topics import effect_of, look_of, seen_in
from mailname.watch.transitions import Watching

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailname.checks import Facts, Verdict, World
    from mailname.checks.rdap import RegistrationFact
    from mailname.plan import Plan
    from mailname.server.network import Network
    from mailname.watch.clock import Clock
    from mailname.watch.settings import Settings
    from mailname.watch.telling import Telling
    from mailname.watch.topics import Topic
    from mailname.watch.transitions import Change

log = logging.getLogger("mailname")

_RDAP_EVERY = 86400.0  # seconds: a registration changes once a year, and registries count who asks
_RDAP_AGAIN = 3600.0  # where it did not answer
_OUTBOX_EVERY = 15.0


@dataclass(slots=True)
class Watched:
    """One domain that is watched.

    Attributes:
        reread: reads its plan again where the file has changed; returns the last good one where it cannot be used.

    """

    plan: Plan
    place: Place
    world: World
    reread: Callable[[], Plan]
    registration: RegistrationFact | None = None
    registration_at: float | None = None

    @property
    def domain(self) -> str:
        """Its name, as people write it."""
        return spoken(self.plan.domain)


@dataclass(slots=True)
class Rounds:
    """The watching of all domains.

    Attributes:
        tell: is given a JSON document for each look and each change, as they come.

    """

    watched: list[Watched]
    network: Network
    clock: Clock
    settings: Settings
    telling: Telling
    tell: Callable[[dict[str, Any]], None]
    jobs: int = 8
    verdicts: dict[str, str] = field(default_factory=dict)

    async def once(self) -> int:
        """Look at each domain once, send what is to be said, and return how many messages did not go."""
        waiting = iter(self.watched)

        async def work() -> None:
            for one in waiting:
                await self.look(one)

        async with asyncio.TaskGroup() as group:
            for _ in range(min(self.jobs, len(self.watched))):
                group.create_task(work())
        return await self.telling.go(self._now(), all_at_once=True)

    async def run(self) -> None:
        """Look again and again, until it is cancelled."""
        start = self._now()
        # At first all at once, as many as may be; a look is what somebody waits for who has just started it.
        due = [(start, number) for number in range(len(self.watched))]
        changed = asyncio.Event()

        async def work() -> None:
            while True:
                if not due or due[0][0] > self._now():
                    changed.clear()
                    await self._until(due[0][0] if due else None, changed)
                    continue
                _, number = heapq.heappop(due)
                seconds = await self.look(self.watched[number])
                heapq.heappush(due, (self._now() + seconds, number))
                changed.set()

        async with asyncio.TaskGroup() as group:
            for _ in range(min(self.jobs, len(self.watched))):
                group.create_task(work())
            group.create_task(self._post())

    async def _until(self, at: float | None, changed: asyncio.Event) -> None:
        """Wait until a time, or until the timetable has changed."""
        waits: list[asyncio.Future[Any]] = [asyncio.ensure_future(changed.wait())]
        if at is not None:
            waits.append(asyncio.ensure_future(self.clock.sleep(max(at - self._now(), 0.01))))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waits:
                one.cancel()

    async def _post(self) -> None:
        while True:
            await self.telling.go(self._now())
            await self.clock.sleep(_OUTBOX_EVERY)

    def _now(self) -> float:
        return self.clock.now().timestamp()

    async def look(self, one: Watched) -> float:
        """Look at a domain, keep what was found, put what is to be said in the outbox; return the seconds until the next look."""
        plan = one.plan = one.reread()
        try:
            facts, verdict = await self._seen(one)
        except MailnameError as error:  # what a check cannot do now it may do the next time
            log.warning("%s cannot be looked at: %s", one.domain, error)
            self.verdicts[one.domain] = "unknown"
            return 300.0
        now = facts.at
        watching, changes = self._keep(one, plan, facts, verdict)
        quiet = self.settings.quiet_hours()
        waits = watching.waits(now.timestamp())
        if quiet is not None and waits is not None and (left := quiet.left(now)) > 0:
            waits = max(waits, min(left, 300.0))  # nothing is said before they end; what is mended shows nevertheless
        again = next_look(plan, facts, verdict, waits)
        self.verdicts[one.domain] = verdict.verdict
        self.tell(_look_to_json(one.domain, facts, verdict, again, watching.told))
        for change in changes:
            self.tell(
                {
                    "schema": SCHEMA,
                    "event": "change",
                    "domain": one.domain,
                    "at": now.isoformat(),
                    "kind": change.kind,
                    **topic_to_json(change.topic),
                }
            )
        return again

    async def _seen(self, one: Watched) -> tuple[Facts, Verdict]:
        now = self._now()
        asks_registry = one.registration_at is None or now - one.registration_at >= _RDAP_EVERY
        world = one.world if asks_registry else replace(one.world, rdap=None)
        facts = replace(await observe(one.plan, network=self.network, world=world), at=self.clock.now())
        told = facts.registration
        if told is not None and not told.problem:
            one.registration, one.registration_at = told, now
        elif told is not None:
            one.registration_at = now - _RDAP_EVERY + _RDAP_AGAIN
        facts = replace(facts, registration=one.registration or told)
        return facts, explain(one.plan, facts, judge(one.plan, facts, one.place))

    def _keep(self, one: Watched, plan: Plan, facts: Facts, verdict: Verdict) -> tuple[Watching, list[Change]]:
        """Keep the look, what is remembered, what is said and the messages: all of it or nothing."""
        now, history, quiet = facts.at, self.telling.history, self.settings.quiet_hours()
        watching = Watching.from_text(history.memory(one.domain), self.settings.damped())

        def is_quiet(topic: Topic) -> bool:
            return quiet is not None and quiet.holds_back(topic, now)

        changes = watching.note(
            seen_in(plan, facts, verdict),
            now.timestamp(),
            acknowledged=history.acknowledgements(one.domain),
            is_quiet=is_quiet,
        )
        with history.together():
            history.record(look_of(plan, facts, verdict))
            history.remember(one.domain, watching.to_text())
            numbers = [history.told(_transition(one.domain, now.timestamp(), change)) for change in changes]
            if numbers:
                file = one.place.plan_file or f"{one.domain}.toml"
                said = message(plan, file, now, verdict.verdict, changes, watching.told, effect_of(plan, facts, verdict))
                self.telling.put(numbers[0], said, now.timestamp())
        return watching, changes


def _transition(domain: str, at: float, change: Change) -> Transition:
    topic = change.topic
    return Transition(domain, at, change.kind, topic.code, topic.key, topic.says, topic.effect, topic.fix, topic.command)


def _look_to_json(domain: str, facts: Facts, verdict: Verdict, again: float, told: tuple[Topic, ...]) -> dict[str, Any]:
    cause = verdict.cause.finding if verdict.cause else None
    return {
        "schema": SCHEMA,
        "event": "look",
        "domain": domain,
        "at": facts.at.isoformat(),
        "verdict": verdict.verdict,
        "cause": {"code": cause.code, "says": cause.says, "where": cause.where, "fix": cause.fix, "command": cause.command}
        if cause
        else None,
        "told": [topic.key for topic in told],
        "again": round(again, 1),
        "queries": verdict.queries,
        "seconds": verdict.seconds,
    }
