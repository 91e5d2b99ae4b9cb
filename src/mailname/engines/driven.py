"""A running server of another program, driven by its engine's commands: it takes the orders that our own server takes.

Nothing is put in place that the program's own checker refuses; what was in place before is put back where an order fails.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dns.name

from mailname.engines.catalog_written import members, written
from mailname.engines.several_plans import CHECKED, READ, read_others
from mailname.errors import HostError
from mailname.plan import expand_all
from mailname.server.zonefiles import SUFFIX, apex_of
from mailname.zone import Serial
from mailname.zone.text import read_zone

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dns.name import Name

    from mailname.engines.engine import DrivenEngine, Order, Places, Words
    from mailname.engines.machine import Machine
    from mailname.engines.told_traffic import Traffic
    from mailname.plan import Plan
    from mailname.plan.model import NameServer
    from mailname.server.program import Ran

_ORDERS: tuple[Order, ...] = ("reload", "configure", "retransfer", "refresh", "notify")
_LOADED = 60.0  # seconds until a zone is loaded that its checker has taken
_POLL = 0.05
_PATIENCE = 300.0  # seconds for a checker that loads many zones


@dataclass(frozen=True, slots=True)
class Driven:
    """One name server of a plan. All methods raise HostError."""

    plan: Plan
    server: NameServer
    engine: DrivenEngine
    places: Places
    machine: Machine

    def __str__(self) -> str:
        return f"{self.engine.name} on {self.machine}"

    @property
    def zones(self) -> tuple[Name, ...]:
        """The plan's zones."""
        return tuple(zone.apex for zone in expand_all(self.plan, Serial(0)))

    async def ask(self, order: dict[str, Any]) -> dict[str, Any]:
        """Give an order as our own server takes it (``mailname.server.control``), and return the answer."""
        do, text = str(order.get("do")), order.get("zone")
        zone = dns.name.from_text(str(text)) if text is not None else None
        if do == "status":
            return await self.status(zone)
        if do == "traffic":
            counted = await self.counters()
            if counted.since is None:
                return {"ok": False, "says": f"{self.engine.name} does not tell since when it counts"}
            return {"ok": True, **counted.report(order.get("history"))}
        for known in _ORDERS:
            if do == known:
                return await self._obey(known, zone)
        return {"ok": False, "says": f"there is no order {do} for {self.engine.name}"}

    async def status(self, zone: Name | None = None) -> dict[str, Any]:
        """Return the server's status (``mailname.status/1``)."""
        catalog = (self.plan.catalog.name,) if self.plan.catalog is not None else ()
        zones = (*self.zones, *catalog) if zone is None else (zone,)
        told = await self._asked(self.engine.questions(self.places, zones))
        return self.engine.status(self.plan, self.server, self.places, zones, told)

    async def counters(self) -> Traffic:
        """Return what was asked and answered since its start."""
        told = await self._asked(self.engine.counting(self.places))
        for words, ran in zip(self.engine.counting(self.places).values(), told.values(), strict=True):
            if ran.code:
                raise HostError(said_by(words, ran), step="traffic")
        return self.engine.counters(told)

    async def _asked(self, questions: Mapping[str, Words]) -> dict[str, Ran]:
        return dict(zip(questions, await self.machine.run(tuple(questions.values())), strict=True))

    async def _obey(self, do: Order, zone: Name | None) -> dict[str, Any]:
        if do == "configure" and self.places.is_whole:  # otherwise the order checks it with what is around it
            said = await self._refused_by(self.engine.check(self.places, zones=await self._has_zones()))
            if said:
                return {"ok": False, "says": f"the configuration is not taken over: {said}"}
        if do == "reload":
            answer = await self._reload(self.zones if zone is None else (zone,))
            return await self._keep_catalog() if answer["ok"] else answer
        said = await self._refused_by(self.engine.order(self.places, do, zone))
        if do == "configure" and not said:
            return await self._keep_catalog()
        return {"ok": not said, "says": said}

    async def leave_catalog(self) -> None:
        """Take the plan's zones out of the catalog that other plans on the host have with it. Raises HostError."""
        if await self.others():
            answer = await self._keep_catalog(without=True)
            if not answer["ok"]:
                raise HostError(f"{self}: {answer['says']}", step="catalog")

    async def _keep_catalog(self, *, without: bool = False) -> dict[str, Any]:
        """Write the catalog where its program makes none by itself, and it does not list yet what it should."""
        catalog = self.plan.catalog
        if catalog is None or self.server.role != "primary" or not self.engine.writes_catalog:
            return {"ok": True, "says": ""}
        file = self.engine.zone_file(self.server, self.places, catalog.name)
        others = (await self.others()).values()
        wanted = members(self.plan, others, without=without)
        text = written(catalog.name, wanted, await self.machine.read(file), time.time())
        if text is None:
            return {"ok": True, "says": ""}
        await self.write(file, text)
        return await self._reload((catalog.name,))

    async def _reload(self, zones: tuple[Name, ...]) -> dict[str, Any]:
        """Let it read zone files again, which its own checker takes; wait until it serves them, or says why not."""
        for zone in zones:
            file = self.engine.zone_file(self.server, self.places, zone)
            octets = await self.machine.read(file)
            if octets is None:
                return {"ok": False, "says": f"{file} is not there"}
            said = await self._refused_by((self.engine.check_zone(zone, file),))
            held, before = await self._held(zone)
            said = said or await self._refused_by(self.engine.order(self.places, "reload", zone))
            if said:
                return {"ok": False, "says": said}
            serial = read_zone(octets.decode("utf-8", "replace"), str(file), zone).zone.serial.value
            says = await self._served(zone, serial, before)
            if says:
                return {"ok": False, "says": says}
            if held == serial:  # who did not get it before may try again
                await self._refused_by(self.engine.order(self.places, "notify", zone))
        return {"ok": True, "says": ""}

    async def _held(self, zone: Name) -> tuple[object, object]:
        """Return the serial that it serves, and what is wrong with the zone."""
        return next(((told["serial"], told["problem"]) for told in (await self.status(zone))["zones"]), (None, None))

    async def _served(self, zone: Name, serial: int, before: object) -> str:
        """Wait until it serves a version; return what it says instead when it does not in time, or refuses it.

        ``before`` is what was wrong with the zone before it was asked to.
        """
        deadline = asyncio.get_running_loop().time() + _LOADED
        while asyncio.get_running_loop().time() < deadline:
            (told,) = (await self.status(zone))["zones"] or ({"serial": None, "problem": None},)
            if told["serial"] == serial:
                return ""
            if told["problem"] and told["problem"] != before:
                return str(told["problem"]["says"])
            await asyncio.sleep(_POLL)
        return "it does not say why it is not served"

    async def _has_zones(self) -> bool:
        """Tell whether every zone file is there that the checker would load: before the first publication there is none."""
        made = (self.plan.catalog.name,) if self.plan.catalog is not None and self.engine.writes_catalog else ()
        files = [self.engine.zone_file(self.server, self.places, zone) for zone in (*self.zones, *made)]
        return self.server.role == "primary" and None not in [await self.machine.read(file) for file in files]

    async def _refused_by(self, commands: tuple[Words, ...]) -> str:
        """Run commands; return what the first that fails says, or nothing."""
        for words in commands:
            (ran,) = await self.machine.run((words,), _PATIENCE)
            if ran.code:
                return said_by(words, ran)
        return ""

    async def read(self, path: Path) -> bytes | None:
        """Return what a file of the server's holds; None where there is none."""
        return await self.machine.read(path)

    async def write(self, path: Path, octets: bytes) -> None:
        """Replace a zone file of the server's, once its own checker has taken it."""
        if path.name.endswith(SUFFIX):
            beside = path.with_name(f".{path.name}.checked")
            await self.machine.write(beside, octets)
            said = await self._refused_by((self.engine.check_zone(apex_of(path), beside),))
            await self.machine.remove(beside)
            if said:
                raise HostError(
                    f"{self.engine.name} would not take the zone: {said}",
                    remedy="Correct the plan; nothing was changed.",
                    step="publish",
                )
        await self.machine.write(path, octets)

    async def remove(self, path: Path) -> None:
        """Remove a file of the server's."""
        await self.machine.remove(path)

    async def put(self, keys: Mapping[Path, bytes]) -> tuple[Path, ...]:
        """Render the configuration and put it in place with its keys; return what changed. The server is not told.

        It is written into a folder beside first, and checked there by the program's own checker.

        Raises:
            HostError: the checker refuses it, with its words; nothing was changed.

        """
        beside = self.places.folder.with_name(f".{self.places.folder.name}.checked")
        staged = self._staged(beside)
        others = tuple((await self.others()).values())
        try:
            for path, octets in keys.items():
                await self.machine.write(_moved(path, self.places.folder, beside), octets, mode=0o640, group=self.engine.user)
            for path, text in self.engine.render(self.plan, self.server, staged).items():
                await self.machine.write(beside / path, text.encode())
            if not staged.is_whole:
                around = self.engine.installed(self.plan, self.server, staged, others)
                if around.shared is not None:
                    await self.machine.write(around.shared[0], around.shared[1].encode())
                await self.machine.write(beside / CHECKED, "\n".join((*around.lines, "")).encode())
            said = await self._refused_by(self.engine.check(staged, zones=await self._has_zones()))
        finally:
            await self.machine.remove(beside)
        if said:
            raise HostError(
                f"{self.engine.name} would not take the configuration: {said}", remedy="Nothing was changed.", step="engine"
            )
        files = {self.places.folder / path: text.encode() for path, text in self.render().items()}
        if not self.places.is_whole and (said_once := self.engine.installed(self.plan, self.server, self.places, others).shared):
            files[said_once[0]] = said_once[1].encode()
        changed = []
        for path, octets in (*keys.items(), *files.items()):
            if await self.machine.read(path) == octets:
                continue
            if path in keys:
                await self.machine.write(path, octets, mode=0o640, group=self.engine.user)
            else:
                await self.machine.write(path, octets)
            changed.append(path)
        return tuple(changed)

    def render(self) -> Mapping[Path, str]:
        """Return the configuration files, by their paths in the places' folder."""
        return self.engine.render(self.plan, self.server, self.places)

    async def others(self) -> dict[str, str]:
        """Return the files of other plans that are there, by their names."""
        if self.places.is_whole:
            return {}
        (told,) = await self.machine.run((("sh", "-c", READ, "sh", str(self.places.folder)),))
        return read_others(told.output, self.render())

    def _staged(self, beside: Path) -> Places:
        """Return the places with everything that is rendered in another folder; zones and state stay where they are."""
        folder = self.places.folder
        key = self.places.key_file
        return replace(
            self.places,
            folder=beside,
            key_file=_moved(key, folder, beside) if key is not None else None,
            keys=_moved(self.places.keys, folder, beside),
        )


def _moved(path: Path, folder: Path, to: Path) -> Path:
    return to / path.relative_to(folder) if path.is_relative_to(folder) else path


def said_by(words: Words, ran: Ran) -> str:
    """Return what a command that failed says, in one line."""
    said = (ran.complaint.strip() or ran.output.strip()).decode("utf-8", "replace")
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return f"{Path(words[0]).name}: {'; '.join(lines[:6]) or f'exit code {ran.code}'}"
