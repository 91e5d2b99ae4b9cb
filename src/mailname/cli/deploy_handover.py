"""A name server whose engine changes: the new one takes port 53 over from the one that serves there, and no question is lost.

The zones are taken as they are served, with their serials. A second instance of the new engine answers from them while the old
one goes and the new one comes (``host/handover_script.py``); the serials are compared at each step, and none may be lower.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dns.name

from mailname.cli.deploy_engine import DeployingEngine, removal
from mailname.cli.deploy_takeover import ASKS_NAMED
from mailname.cli.engine_place import driven_at
from mailname.engines.builtin import Builtin
from mailname.engines.driven import Driven
from mailname.engines.engine import Places, driven_engine
from mailname.engines.units import CONFIGURATION, STATE
from mailname.errors import HostError
from mailname.host import deploy_script, handover_script
from mailname.host.machine_by_ssh import MachineBySsh
from mailname.host.primary_by_ssh import PrimaryBySsh
from mailname.plan import expand_all
from mailname.server.network import Endpoint
from mailname.server.store import Store
from mailname.server.versions import Versions
from mailname.server.zonefiles import SUFFIX, file_stem
from mailname.wire.tsig_key import make_key
from mailname.zone import Serial
from mailname.zone.large_text import zone_text
from mailname.zone.text import read_zone

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dns.name import Name

    from mailname.engines.engine import Words
    from mailname.engines.primary_place import PrimaryPlace
    from mailname.host.deploying import Deploying
    from mailname.plan import Plan
    from mailname.plan.model import Engine, NameServer
    from mailname.server.network import IPAddress

_KNOWN = re.compile(r"\b(primary|secondary) of ([^\s:]+?)\.?(?:[:\s]|$)")
_READY = 120.0  # seconds until the new engine serves what it was given
_POLL = 0.2
_ENGINES: tuple[Engine, ...] = ("builtin", "bind", "knot", "nsd")
_BUILTIN_BESIDE = Path("/var/lib/mailname-handover")
_BUILTIN_USER = "daemon"  # who exists on every host: that of the service is made when it is set up


async def former(one: Deploying, plan: Plan) -> NameServer | None:
    """Return the plan's server as it is deployed there by an engine that the plan names no more; None where there is none.

    Raises:
        HostError: the host does not tell.

    """
    server = one.host.name_server
    assert server is not None
    assert one.login is not None
    others = [engine for engine in _ENGINES if engine != server.engine]
    commands: list[Words] = [
        ("sh", "-c", 'head -n 3 "$1" 2>/dev/null', "sh", str(_configuration(plan, server, each))) for each in others
    ]
    commands += [("systemctl", "is-active", *_units(each)) for each in others]
    commands += [("test", "-e", handover_script.TURNED)]
    told = await MachineBySsh(one.ssh, one.login).run(commands)
    turned = told[-1].code == 0
    for engine, head, active in zip(others, told, told[len(others) :], strict=False):
        known = _KNOWN.search(head.output.decode("utf-8", "replace"))
        if known is not None and dns.name.from_text(known[2]) == plan.domain and (turned or active.code == 0):
            return replace(server, engine=engine, role="primary" if known[1] == "primary" else "secondary")
    return None


def _configuration(plan: Plan, server: NameServer, engine: Engine) -> Path:
    driven = driven_engine(engine)
    if driven is None:
        return CONFIGURATION
    alone = _alone(plan, replace(server, engine=engine))
    return next(driven.placed((), None).folder / path for path in driven.render(alone, alone.primary, driven.placed((), None)))


def _units(engine: str) -> tuple[str, ...]:
    driven = driven_engine(engine)
    return ("mailname.socket", "mailname.service") if driven is None else (driven.unit,)


def _alone(plan: Plan, server: NameServer) -> Plan:
    """Return a plan in which this server holds the zones as they are, and knows nobody."""
    return replace(
        plan, name_servers=(replace(server, role="primary", tls_pin=None),), transfer_key=None, updates=(), catalog=None
    )


@dataclass(slots=True)
class Handover:
    """Port 53 of one host goes from one engine to another. All methods raise HostError.

    Attributes:
        one: the host, as the plan wants it.
        former: its name server as it is there now.
        listen: where it listens.
        texts: the zones as they are served.

    """

    one: Deploying
    plan: Plan
    former: NameServer
    listen: tuple[IPAddress, ...]
    texts: dict[Name, bytes] = field(default_factory=dict)

    @property
    def _machine(self) -> MachineBySsh:
        assert self.one.login is not None
        return MachineBySsh(self.one.ssh, self.one.login)

    @property
    def _server(self) -> NameServer:
        assert self.one.host.name_server is not None
        return self.one.host.name_server

    async def refuse(self) -> None:
        """Refuse what cannot be handed over without a loss. Raises HostError."""
        if self.plan.catalog is not None:
            raise self._cannot("it follows or makes a catalog", "Leave [catalog] out of the plan first, or change it by hand.")
        if self.former.role != self._server.role:
            raise self._cannot("its role changes as well", "One after the other: change the engine first, then the role.")
        if self.former.engine == "bind":
            (asked,) = await self._machine.run((ASKS_NAMED,))
            if asked.output.strip():
                raise self._cannot(
                    f"this host asks its own named for all names ({asked.last_words} in /etc/resolv.conf)",
                    "Name another resolver in /etc/resolv.conf first, or install one that listens at 127.0.0.1, such as unbound.",
                )
        listed = await self._listed()
        others = sorted(str(zone) for zone in listed - {zone.apex for zone in expand_all(self.plan, Serial(0))})
        if others:
            more = f" and {len(others) - 3} more" if len(others) > 3 else ""
            raise self._cannot(
                f"{self.former.engine} serves {', '.join(others[:3])}{more} there as well",
                "Take those zones elsewhere first; both engines want port 53.",
            )

    def _cannot(self, why: str, remedy: str) -> HostError:
        was, comes = self.former.engine, self._server.engine
        return HostError(f"{self.one.name} cannot go from {was} to {comes}: {why}", remedy=remedy, step="hand-over")

    async def _listed(self) -> set[Name]:
        """Return the zones that the former engine has, but for those that its package brings."""
        driven = self._driven_former()
        if driven is None:
            return set(await self._served())
        (told,) = await self._machine.run((driven.engine.listing,))
        if told.code:
            raise self._cannot(f"it does not tell its zones: {told.last_words}", "Look at it there.")
        names = re.findall(driven.engine.listed, told.output.decode("utf-8", "replace"), re.MULTILINE)
        return {dns.name.from_text(one) for one in names}

    def _driven_former(self) -> Driven | None:
        return None if self.former.engine == "builtin" else driven_at(self.plan, self.former, self._machine, self.listen)

    def _place(self, driven: Driven | None, control: Path | None = None) -> PrimaryPlace:
        assert self.one.login is not None
        if driven is not None:
            return driven
        return PrimaryBySsh(self.one.ssh, self.one.login, control) if control else PrimaryBySsh(self.one.ssh, self.one.login)

    async def _served(self) -> dict[Name, int | None]:
        return await _serials(self._place(self._driven_former()))

    async def prepare(self) -> None:
        """Take the zones as they are, and start the new engine beside with them, until it serves them all."""
        await self._run(handover_script.INSTALL, "nftables could not be installed", 600.0)
        await self._run(handover_script.CLEAR, "an earlier hand-over cannot be ended", handover_script.START)
        await self.refuse()
        served = await self._served()
        for zone in [each.apex for each in expand_all(self.plan, Serial(0))]:
            octets = await self._text(zone)
            held = served.get(zone)
            if octets is None or held is None:
                raise self._cannot(f"{zone} is not served there", "Find the cause: mailname status PLAN")
            serial = _serial(octets, zone)
            if Serial(held).is_newer_than(Serial(serial)):
                raise self._cannot(
                    f"{zone} is served with serial {held}, and its file has {serial}", "Wait until it is written, then again."
                )
            self.texts[zone] = octets
        await self._start_beside()

    async def _text(self, zone: Name) -> bytes | None:
        """Return a zone's text as it is served."""
        driven = self._driven_former()
        if driven is not None:
            return await self._machine.read(driven.engine.zone_file(self.former, driven.places, zone))
        names = (f"{file_stem(zone)}{SUFFIX}", f"{file_stem(zone)}.journal", f"{file_stem(zone)}.json")
        found = {name: await self._machine.read(STATE / "state" / name) for name in names}
        return await asyncio.to_thread(_replayed, zone, found)

    @property
    def _beside(self) -> tuple[Path, str]:
        """Where the files of the instance beside lie, and as whom it runs."""
        driven = driven_engine(self._server.engine)
        if driven is None:
            return _BUILTIN_BESIDE, _BUILTIN_USER
        return driven.placed((), None).state.parent / "mailname-handover", driven.user

    def _places(self) -> Places:
        folder, _ = self._beside
        listen = self.listen or self._server.addresses
        return Places(
            state=folder / "state",
            zones=folder / "zones",
            control=folder / "control.sock",
            tls=None,
            keys=folder,
            listen=listen,
            folder=folder,
            log=folder / "log",
            control_port=handover_script.CONTROL_PORT,
            reach={Endpoint(address): (str(address), handover_script.PORT) for address in listen},
        )

    async def _start_beside(self) -> None:
        folder, user = self._beside
        alone, places = _alone(self.plan, self._server), self._places()
        files: dict[Path, bytes] = {}
        engine = driven_engine(self._server.engine)
        if engine is None:
            assert self.one.archive is not None
            release = f"/opt/mailname/releases/{self.one.archive.digest}"
            words: tuple[str, ...] = ("/usr/bin/python3", "-I", release, "serve", "--config", str(folder / "server.toml"))
            (text,) = Builtin().render(alone, alone.primary, places).values()
            files[folder / "server.toml"] = text.encode()
            place = self._place(None, places.control)
        else:
            words = engine.program(places)
            for path, text in engine.render(alone, alone.primary, places).items():
                files[folder / path] = text.encode()
            for path, name in engine.own_keys(places).items():
                files[path] = engine.key_text([make_key(name)]).encode()
            driven = Driven(alone, alone.primary, engine, places, self._machine)
            place = driven
        await self._machine.remove(folder)
        for path, octets in files.items():
            await self._machine.write(path, octets, mode=0o600 if path.suffix == ".key" else 0o644)
        for zone, octets in self.texts.items():
            await self._machine.write(places.zones / (file_stem(zone) + SUFFIX), octets)
        await self._machine.write(places.state / "is-here", b"")
        rules = handover_script.ruleset(self.listen or self._server.addresses)
        old, new = _units(self.former.engine), _units(self._server.engine)
        script = handover_script.beside(words, user, folder, rules, old, new)
        await self._run(script, f"{self._server.engine} could not be started beside {self.former.engine}")
        await self._until_served(place, f"{self._server.engine}, started beside,")

    async def turn(self) -> None:
        """Let the instance beside answer, and stop the former engine."""
        await self._run(handover_script.turn(_units(self.former.engine)), "the questions cannot be led elsewhere")

    async def settle(self) -> None:
        """Give the new engine at port 53 the zones, and let it answer once it serves them all."""
        place = self._settled()
        if self._server.role == "primary":
            folder = STATE / "zones"
            for zone, octets in self.texts.items():
                file = folder / (file_stem(zone) + SUFFIX)
                if isinstance(place, Driven):
                    file = place.engine.zone_file(self._server, place.places, zone)
                await place.write(file, octets)
            answer = await place.ask({"do": "reload"})
            if not answer["ok"]:
                raise HostError(f"{self.one.name}: {answer['says']}", step="hand-over")
        await self._until_served(place, self._server.engine)
        await self._until_it_listens()
        await self._run(handover_script.release(_units(self.former.engine)), "the questions cannot be led to port 53 again")

    def _settled(self) -> PrimaryPlace:
        if isinstance(self.one, DeployingEngine):
            return self.one.driven(self.one.listen)
        return self._place(None)

    async def _until_served(self, place: PrimaryPlace, who: str) -> None:
        """Wait until all zones are served with the serials that they had, or higher ones."""
        wanted = {zone: Serial(_serial(octets, zone)) for zone, octets in self.texts.items()}
        deadline = asyncio.get_running_loop().time() + _READY
        while True:
            says = ""
            try:
                held = await _serials(place)
                late = [zone for zone, serial in wanted.items() if not _reaches(held.get(zone), serial)]
            except HostError as error:
                late, says = list(wanted), f": {error.problem}"
            if not late:
                return
            if asyncio.get_running_loop().time() > deadline:
                raise HostError(
                    f"{self.one.name}: {who} does not serve {late[0]} with serial {wanted[late[0]]}{says}", step="hand-over"
                )
            await asyncio.sleep(_POLL)

    async def _until_it_listens(self) -> None:
        """Wait until something listens at port 53 of each address, over UDP and TCP."""
        wanted = {
            (protocol, f"[{address}]:53" if address.version == 6 else f"{address}:53")
            for address in self.listen or self._server.addresses
            for protocol in ("udp", "tcp")
        }
        deadline = asyncio.get_running_loop().time() + _READY
        while True:
            (told,) = await self._machine.run((handover_script.LISTENING,))
            open_at = {tuple(line.split(" ")) for line in told.output.decode("ascii", "replace").splitlines()}
            if not (closed := sorted(wanted - open_at)):
                return
            if asyncio.get_running_loop().time() > deadline:
                raise HostError(f"{self.one.name}: nobody listens at {closed[0][1]} ({closed[0][0]})", step="hand-over")
            await asyncio.sleep(_POLL)

    async def undo(self) -> None:
        """Let the former engine answer again."""
        await self._run(handover_script.BACK, f"{self.former.engine} could not be started again", 2 * handover_script.START)
        await self._end()

    async def _end(self) -> None:
        await self._run(handover_script.end(self._beside[0]), "what ran beside could not be ended")

    async def finish(self) -> None:
        """End the instance beside, and take away what the former engine had of ours; its zones and its package stay."""
        await self._end()
        driven = self._driven_former()
        if driven is None:
            await self._run(deploy_script.remove(purge=False), "the built-in server could not be taken away")
            return
        installed = driven.engine.installed(self.plan, self.former, driven.places)
        script = removal(driven, installed, await driven.others(), (), ("true",))  # it does not run
        await self._run(script, f"what {self.former.engine} had of ours could not be taken away")

    async def _run(self, script: str, problem: str, seconds: float = 60.0) -> None:
        assert self.one.login is not None
        ran = await self.one.ssh.as_root(self.one.login, script, seconds)
        if ran.code:
            raise HostError(f"{self.one.name}: {problem}: {ran.last_words or f'exit code {ran.code}'}", step="hand-over")


def _reaches(held: int | None, wanted: Serial) -> bool:
    return held is not None and not wanted.is_newer_than(Serial(held))


async def _serials(place: PrimaryPlace) -> dict[Name, int | None]:
    """Return the serials that a server holds, by zone. Raises HostError: it cannot be asked."""
    told: Mapping[str, Any] = await place.ask({"do": "status"})
    return {dns.name.from_text(str(zone["zone"])): zone["serial"] for zone in told["zones"]}


def _serial(octets: bytes, zone: Name) -> int:
    return read_zone(octets.decode("utf-8", "replace"), str(zone), zone).zone.serial.value


def _replayed(zone: Name, files: Mapping[str, bytes | None]) -> bytes | None:
    """Return the text of the version that the built-in server has kept in its state folder: a text, and what changed since."""
    with tempfile.TemporaryDirectory(prefix="mailname-") as folder:
        for name, octets in files.items():
            if octets is not None:
                (Path(folder) / name).write_bytes(octets)
        store = Store(Path(folder))
        try:
            versions = Versions(store, zone)
            versions.open(announced=None)
            kept = versions.load()
            return b"".join(zone_text(kept)) if kept is not None else None
        finally:
            store.close()
