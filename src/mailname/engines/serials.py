"""Which serial each server of a zone holds, and the way of all of them to the one that is wanted.

What is next is decided by what is held alone (``zone.serial_repair``): interrupted anywhere, the next run goes on from there.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dns.exception
import dns.name

from mailname.engines.publish import ask_serial
from mailname.errors import HostError, ZoneError
from mailname.server.atomic import write_atomic
from mailname.server.config import parse_endpoint
from mailname.server.control import ask
from mailname.server.network import Endpoint
from mailname.server.zonefiles import read_zone_file
from mailname.transfer.timers import Timers
from mailname.zone import Serial, Zone
from mailname.zone.diff import same_content
from mailname.zone.serial import highest
from mailname.zone.serial_repair import Done, Publish, Stuck, WaitFor, next_action

if TYPE_CHECKING:
    from collections.abc import Callable

    from dns.name import Name

    from mailname.plan import Plan
    from mailname.server.network import Network
    from mailname.zone.serial_repair import Action

_POLL = 0.2  # seconds until the second look; then twice as long each time
_LONGEST_POLL = 5.0


@dataclass(frozen=True, slots=True)
class Server:
    """A server that is asked for the zone's serial."""

    name: str
    at: Endpoint
    is_primary: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server holds, or why that is not known."""

    server: Server
    serial: Serial | None
    says: str = ""


@dataclass(slots=True)
class Serials:
    """One zone: what is held where, and one step after the other.

    Attributes:
        apex: the zone.
        control: the primary's control socket.
        network: how the servers are asked.
        servers: who is asked.

    """

    apex: Name
    control: Path
    network: Network
    servers: tuple[Server, ...] = ()
    path: Path = Path()
    file: Serial | None = None
    file_says: str = ""
    served: Serial | None = None
    announced: Serial | None = None
    timers: Timers | None = None
    answers: list[Answer] = field(default_factory=list)

    async def look(self) -> None:
        """Ask everybody; changes nothing.

        Raises:
            HostError: the server is not the primary of this zone.

        """
        status = await ask(self.control, {"do": "status", "zone": self.apex.to_text()})
        if not status.get("ok"):
            raise HostError(str(status.get("says")), remedy="Name the primary's socket: --control PATH", step="serial")
        (zone,) = status["zones"]
        if zone["role"] != "primary" or not zone["file"]:
            raise HostError(
                f"the server at {self.control} is not the primary of {_bare(self.apex)}",
                remedy="Name the primary's socket: --control PATH; see: mailname status",
                step="serial",
            )
        self.servers = self.servers or _listed(zone)
        self.path = Path(zone["file"])
        self.served, self.announced = _serial(zone["serial"]), _serial(zone.get("announced"))
        held, self.file_says = await asyncio.to_thread(_read, self.path, self.apex)
        self.file = held.serial if held else None
        self.timers = Timers.of(held) if held else None
        answers = await asyncio.gather(*(ask_serial(self.network, one.at, self.apex) for one in self.servers))
        self.answers = [
            Answer(server, answer) if isinstance(answer, Serial) else Answer(server, None, answer)
            for server, answer in zip(self.servers, answers, strict=True)
        ]

    @property
    def known(self) -> list[Serial]:
        """Every serial that is held or was announced anywhere."""
        answered = [answer.serial for answer in self.answers]
        return [one for one in (self.file, self.served, self.announced, *answered) if one is not None]

    @property
    def primary(self) -> Serial:
        """The highest serial that the primary has served or announced.

        Raises:
            HostError: it has served none.

        """
        top = highest(one for one in (self.served, self.announced) if one is not None)
        if top is None:
            raise HostError(f"the primary serves no version of {_bare(self.apex)}", remedy="Publish it: mailname publish PLAN")
        return top

    @property
    def unknown(self) -> list[Answer]:
        """The secondaries of which it is not known what they hold."""
        return [answer for answer in self.answers if answer.serial is None and not answer.server.is_primary]

    def action(self, wanted: Serial) -> Action:
        """Return what is next on the way to a serial."""
        others = [answer.serial for answer in self.answers if answer.serial is not None]
        if self.served is not None and self.served != self.primary:
            others.append(self.served)
        return next_action(self.primary, others, wanted)

    async def publish(self, serial: Serial) -> None:
        """Let the primary serve the same content with another serial.

        Raises:
            HostError: the file cannot be changed, or the server did not take it over; then the file is as it was.

        """
        if self.file not in {serial, self.served}:
            raise HostError(
                f"the zone file holds serial {self.file}, the primary serves {self.served}: its content may be another one",
                remedy=f"Publish what is meant first: mailname publish PLAN, or mailname reload {_bare(self.apex)}",
                step="serial",
            )
        before = await asyncio.to_thread(_rewrite, self.path, self.apex, serial)
        answer = await ask(self.control, {"do": "reload", "zone": self.apex.to_text()})
        if not answer.get("ok"):
            await asyncio.to_thread(write_atomic, self.path, before)
            raise HostError(
                f"the server did not take over serial {serial}: {answer.get('says')}",
                remedy="What was served before is served on, and the zone file is as it was.",
                step="serial",
            )

    async def go(self, wanted: Serial, seconds: float, tell: Callable[[Action], None]) -> Action:
        """Do steps until all hold what is wanted, nothing can be done, or the time is up; return what is next then.

        Args:
            wanted: the serial.
            seconds: how long to wait for the secondaries in all.
            tell: called with each thing that is done or waited for.

        """
        loop = asyncio.get_running_loop()
        deadline, pause, last = loop.time() + seconds, _POLL, None
        while True:
            await self.look()
            action = WaitFor(self.primary) if self.unknown else self.action(wanted)
            if action != last:
                tell(action)
                pause = _POLL
            last = action
            if isinstance(action, Done | Stuck):
                return action
            if isinstance(action, Publish):
                await self.publish(action.serial)
            elif loop.time() >= deadline:
                return action
            else:
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_POLL)


def servers_of(plan: Plan, without: tuple[Name, ...] = ()) -> tuple[Server, ...]:
    """Return a plan's servers, each address one."""
    return tuple(
        Server(_bare(server.name), Endpoint(address), server.role == "primary")
        for server in plan.name_servers
        if server.name not in without
        for address in server.addresses
    )


def _listed(zone: dict[str, Any]) -> tuple[Server, ...]:
    """Return the secondaries that the primary's configuration lists."""
    found = [parse_endpoint(one["address"]) for one in zone.get("secondaries", ())]
    return tuple(Server(str(at), at, is_primary=False) for at in found)


def _read(path: Path, apex: Name) -> tuple[Zone | None, str]:
    try:
        return read_zone_file(path, apex).zone, ""
    except HostError as error:
        return None, error.problem
    except ZoneError as error:
        return None, f"{error.at}: {error.problem}" if error.at else error.problem


def _rewrite(path: Path, apex: Name, serial: Serial) -> bytes:
    """Replace the serial in a zone file, where it stands, and nothing else; return what the file held before.

    Raises:
        HostError: it is not clear where the serial stands; nothing was written.

    """
    zone, says = _read(path, apex)
    if zone is None:
        raise HostError(
            f"the zone file cannot be read: {says}", remedy="Put it in order first: mailname publish PLAN", step="serial"
        )
    before = path.read_bytes()
    old = b"%d" % zone.serial.value
    if zone.serial == serial:
        return before
    soa = re.compile(rb"(?is)(\sSOA\s.*?)(?<![\w.-])" + old + rb"(?![\w.-])")
    changed, count = soa.subn(rb"\g<1>%d" % serial.value, before, count=1)
    beside = path.with_name(f".{path.name}.serial")
    try:
        write_atomic(beside, changed)
        after, _ = _read(beside, apex)
    finally:
        beside.unlink(missing_ok=True)
    if not count or after is None or after.serial != serial or not same_content(zone, after):
        raise HostError(
            f"it is not clear where in {path} the serial stands",
            remedy=f"Write {serial} there by hand, then: mailname reload {_bare(apex)}, and this command again.",
            step="serial",
        )
    write_atomic(path, changed)
    return before


def _serial(value: int | None) -> Serial | None:
    return Serial(value) if value is not None else None


def _bare(name: Name) -> str:
    return name.to_text(omit_final_dot=True)


def name_of(text: str) -> Name:
    """Read a zone's name. Raises ValueError with a sentence."""
    try:
        return dns.name.from_text(text)
    except (dns.exception.DNSException, UnicodeError) as error:
        raise ValueError(f"{text} is neither a plan's file nor a zone's name") from error
