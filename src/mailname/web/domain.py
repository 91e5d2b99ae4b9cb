"""One domain that is watched: what was seen of it last, and how to look again."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mailname.checks import explain, judge, observe
from mailname.checks.judged_sides import JudgedServer, judged
from mailname.checks.observe_sides import CONTROL_TIMEOUT, Sides
from mailname.checks.observe_sides import look as look_at_sides
from mailname.checks.observe_traffic import WINDOWS, Told
from mailname.checks.observe_traffic import look as look_at_traffic
from mailname.checks.over_ssh import told_over_ssh
from mailname.checks.wording import spoken
from mailname.errors import HostError, MailnameError
from mailname.server.control import ask
from mailname.web.events import Happened, merged
from mailname.web.versions import Versions

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from dns.name import Name

    from mailname.checks import Facts, Place, Verdict, World
    from mailname.checks.observe_sides import Asker
    from mailname.engines.primary_place import PrimaryPlace
    from mailname.plan import NameServer, Plan
    from mailname.server.network import Network

FRESH = 5.0  # seconds in which what servers told is not asked for again
_MOST_EVENTS = 300


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where a domain is looked at from, as it is now: a rehearsal that was mended has another.

    Attributes:
        others: how servers of other programs are asked for their status.
        orders: how they are given orders.
        primary: finds the primary where it is on another host; raises HostError.

    """

    network: Network
    world: World
    place: Place
    controls: Mapping[Name, Path] = field(default_factory=dict)
    unnamed: tuple[Path, ...] = ()
    others: Mapping[Name, Asker] = field(default_factory=dict)
    ssh_config: Path | None = None
    orders: Mapping[Name, Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]] = field(default_factory=dict)
    primary: Callable[[], Awaitable[PrimaryPlace]] | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """One check: what was seen and what it means."""

    facts: Facts
    verdict: Verdict


@dataclass(slots=True)
class Domain:
    """One domain.

    Attributes:
        look: the last check; None before the first.
        problem: why the last try to check came to nothing.
        busy: it is being checked.
        servers: what each name server answers and tells, once that was asked.
        told_at: when that was, by ``time.monotonic``.
        versions: what was published, once that was asked.

    """

    plan: Plan
    plan_file: str
    around: Callable[[], Surroundings]
    look: Look | None = None
    problem: str = ""
    busy: bool = False
    servers: tuple[JudgedServer, ...] = ()
    traffic: dict[str, Told] = field(default_factory=dict)
    events: tuple[Happened, ...] = ()
    told_at: float | None = None
    versions: Versions = field(default_factory=Versions)
    _asking: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        """The domain, as people write it."""
        return spoken(self.plan.domain)

    @property
    def state(self) -> str:
        """``well``, ``fragile``, ``broken`` or ``unknown``."""
        return self.look.verdict.verdict if self.look is not None else "unknown"

    @property
    def seen_at(self) -> datetime | None:
        """When it was checked last."""
        return self.look.facts.at if self.look is not None else None

    @property
    def is_fresh(self) -> bool:
        """Tell whether its servers were asked a moment ago."""
        return self.told_at is not None and time.monotonic() - self.told_at < FRESH

    async def check(self) -> None:
        """Look at it now, and judge."""
        around = self.around()
        self.busy = True
        try:
            with self._telling():
                facts = await observe(self.plan, network=around.network, world=around.world)
                verdict = explain(self.plan, facts, judge(self.plan, facts, around.place))
                self.look, self.problem = Look(facts, verdict), ""
        finally:
            self.busy = False

    @contextlib.contextmanager
    def _telling(self) -> Iterator[None]:
        """Keep as ``problem`` what stops a look; what was seen before stays, and the next look is made."""
        try:
            yield
        except (MailnameError, OSError) as error:
            self.problem = _in_words(error)
        except BaseExceptionGroup as group:  # what asks many at once raises so
            expected, others = group.split((MailnameError, OSError))
            if expected is None or others is not None:
                raise
            self.problem = _in_words(_first(expected))

    async def ask_servers(self, *, anew: bool = False) -> None:
        """Ask its name servers what they hold, what happened, and what they are asked; not more often than is of use."""
        if not anew and self.is_fresh:
            return
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask_servers())
        await asyncio.shield(self._asking)

    async def _ask_servers(self) -> None:
        with self._telling():
            await self._ask_all(self.around())
        self.told_at = time.monotonic()

    async def _ask_all(self, around: Surroundings) -> None:
        sides, traffic, events = await asyncio.gather(
            look_at_sides(self.plan, around.network, around.controls, around.unnamed, dict(around.others), around.ssh_config),
            look_at_traffic(self.plan, around.controls, around.unnamed, WINDOWS["day"], 5, around.ssh_config, around.orders),
            self._events(around),
        )
        self.servers = tuple(judged(self.plan, sides, self.plan.domain))
        self.traffic = {spoken(name): told for name, told in traffic.items()}
        self.events = merged([*events, *await self._events_of_unnamed(around, sides)])[:_MOST_EVENTS]

    async def _events(self, around: Surroundings) -> list[Happened]:
        found = await asyncio.gather(*(self._events_at(server, around) for server in self.plan.name_servers))
        return [event for events in found for event in events]

    async def _events_at(self, server: NameServer, around: Surroundings) -> list[Happened]:
        control = around.controls.get(server.name)
        if control is not None:
            return await self._events_by(control, spoken(server.name))
        if server.ssh is None or server.engine != "builtin":
            return []
        words = ("history", self.name, "--most", str(_MOST_EVENTS))
        told, _ = await told_over_ssh(server.ssh, *words, member="events", config=around.ssh_config)
        return [Happened.read(spoken(server.name), event) for event in (told or {}).get("events", ())]

    async def _events_by(self, control: Path, name: str) -> list[Happened]:
        order = {"do": "history", "zone": self.plan.domain.to_text(), "most": _MOST_EVENTS}
        try:
            told = await ask(control, order, timeout=CONTROL_TIMEOUT)
        except HostError:
            return []  # why it does not answer stands with the server
        return [Happened.read(name, event) for event in told.get("events", ())]

    async def _events_of_unnamed(self, around: Surroundings, sides: Sides) -> list[Happened]:
        found: list[Happened] = []
        for path in around.unnamed:
            server = next((name for name, inside in sides.inside.items() if inside.how == str(path)), None)
            if server is not None:
                found.extend(await self._events_by(path, spoken(server)))
        return found

    async def order(self, what: str, server_name: str) -> str:
        """Give one of its servers an order: ``notify`` or ``retransfer``; return what came of it, in a sentence."""
        around = self.around()
        server = next((one for one in self.plan.name_servers if spoken(one.name) == server_name), None)
        control = self.control_of(server, around) if server is not None else None
        if control is None:
            return f"{server_name} has no control socket here: log in there and type mailname {what} {self.name}"
        try:
            answer: Mapping[str, Any] = await ask(control, {"do": what, "zone": self.plan.domain.to_text()})
        except HostError as error:
            return str(error)
        if not answer.get("ok"):
            return f"{server_name}: {answer.get('says', 'the order was refused')}"
        return f"{server_name} {'notifies its secondaries now' if what == 'notify' else 'asks its primary now'}."

    def control_of(self, server: NameServer, around: Surroundings | None = None) -> Path | None:
        """Return the control socket of a server on this machine."""
        around = around or self.around()
        if server.name in around.controls:
            return around.controls[server.name]
        here = next((one for one in self.servers if one.server.name == server.name), None)
        return next((path for path in around.unnamed if here is not None and here.inside.how == str(path)), None)


def _in_words(error: BaseException) -> str:
    if isinstance(error, OSError):
        return f"the check could not be made: {error.strerror or error}"
    return str(error)


def _first(error: BaseException) -> BaseException:
    return _first(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error
