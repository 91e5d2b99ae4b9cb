"""One of the plan's name servers in the lab that is another's program: the real one, in a folder of the lab, with orders as ours.

Its control socket is served here, and passes on what it is asked: every command that works with our server works with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import time
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from mailname.engines.driven import Driven
from mailname.engines.engine import Places, driven_engine
from mailname.engines.machine import ThisMachine, daemon_path
from mailname.errors import HostError
from mailname.lab.name_server import LabNameServer
from mailname.server.control import ControlSocket
from mailname.server.keyfile import load_keys, make_key_file
from mailname.server.network_map import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dns.name import Name

    from mailname.lab.network import LabNetwork
    from mailname.plan import Plan
    from mailname.plan.model import NameServer
    from mailname.server.config import ServerConfig
    from mailname.server.network import IPAddress

_FIRST = 11  # 127.0.0.11 is the first of the others to speak
_UP = 60.0  # seconds until a server that was started takes orders
_POLL = 0.1
_ASKED = 2.0  # a status is kept fresh for so many seconds after somebody looked


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the lab's other servers share: where everybody is found, and the folder with the transfer key."""

    plan: Plan
    network: LabNetwork
    folder: Path


def is_installed(server: NameServer) -> bool:
    """Tell whether the program that the plan names for a server is another's, and can be run here."""
    try:
        engine = driven_engine(server.engine)
    except HostError:
        return False
    return engine is not None and shutil.which(engine.program(Places())[0], path=daemon_path()) is not None


def name_servers(around: Surroundings, configs: Mapping[Name, ServerConfig], *, engines: bool) -> dict[Name, LabNameServer]:
    """Return the plan's name servers: ours, and with ``engines`` the real programs of others where they are installed."""
    plan, network = around.plan, around.network
    others = [one for one in plan.name_servers if engines and is_installed(one)]
    speaks: dict[IPAddress, IPAddress] = {}
    if others and not network.direct:
        for one in plan.name_servers:
            inside = f"127.0.0.{_FIRST + others.index(one)}" if one in others else LOOPBACK
            speaks |= dict.fromkeys(one.addresses, ip_address(inside))
            if one in others:
                network.aliases[ip_address(inside)] = one.addresses[0]
    return {
        one.name: LabDrivenServer(one, configs[one.name], around, speaks)
        if one in others
        else LabNameServer(one.name, configs[one.name], network)
        for one in plan.name_servers
    }


class LabDrivenServer(LabNameServer):
    """Runs the program of another as the plan names it; ``config`` says where ours would have its things."""

    def __init__(
        self, server: NameServer, config: ServerConfig, around: Surroundings, speaks_from: Mapping[IPAddress, IPAddress]
    ) -> None:
        super().__init__(server.name, config, around.network)
        engine = driven_engine(server.engine)
        assert engine is not None
        assert config.state is not None
        self.home = config.state.parent
        folder = self.home / server.engine
        has_key = around.plan.transfer_key is not None
        places = Places(
            state=config.state,
            zones=self.home / "zones",
            key_file=folder / "transfer.key" if has_key else None,
            tls=None,
            keys=folder / "keys",
            control=config.control.with_suffix(".own") if config.control is not None else folder / "control",
            folder=folder,
            log=self.home / "log",
            control_port=_free_port(),
            reach=dict(around.network.places) if not around.network.direct else {},
            speaks_from=speaks_from,
        )
        self.driven = Driven(around.plan, server, engine, places, ThisMachine())
        self.shared_key = around.folder / "transfer.key" if has_key else None
        self._process: asyncio.subprocess.Process | None = None
        self._control = ControlSocket(config.control, self._obey) if config.control is not None else None
        self._seen: dict[str, Any] = {}
        self._looked_at = 0.0
        self._watch: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        """Tell whether its process is alive."""
        return self._process is not None and self._process.returncode is None

    async def start(self, config: ServerConfig | None = None) -> None:
        """Start it, and wait until it takes orders.

        Raises:
            HostError: its checker refuses what was rendered, it does not come up, or another configuration is wanted of it.

        """
        if config is not None and config != self.config:
            raise HostError(
                f"{self.name.to_text(omit_final_dot=True)} runs {self.driven.engine.name}, which the lab cannot break this way",
                step="break",
            )
        for at in self.config.listen:
            self._network.release(at)
        places = self.driven.places
        await asyncio.to_thread(_make_folders, places)
        await self.driven.put(await asyncio.to_thread(self._keys))
        words = self.driven.engine.program(places)
        program = shutil.which(words[0], path=daemon_path())
        assert program is not None, "the caller looked"
        with (self.home / "said").open("ab") as said:
            self._process = await asyncio.create_subprocess_exec(
                program, *words[1:], stdin=asyncio.subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True
            )
        await self._comes_up()
        if self._control is not None:
            await self._control.start()
        self._watch = asyncio.create_task(self._keep_fresh())

    def _keys(self) -> dict[Path, bytes]:
        """Make what it needs of its own, and give it the transfer key in its own form."""
        engine, places = self.driven.engine, self.driven.places
        found: dict[Path, bytes] = {}
        for path, name in engine.own_keys(places).items():
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                make_key_file(path, name)
            found[path] = path.read_bytes()
        if self.shared_key is not None and places.key_file is not None:
            found[places.key_file] = engine.key_text(load_keys(self.shared_key)).encode()
        return found

    async def _comes_up(self) -> None:
        deadline = time.monotonic() + _UP
        says = ""
        while self.running and time.monotonic() < deadline:
            try:
                self._seen = await self.driven.status()
            except HostError as error:
                says = str(error)
                await asyncio.sleep(_POLL)
            else:
                return
        said = (self.home / "said").read_text(errors="replace").strip().splitlines()[-3:]
        await self.stop()
        raise HostError(f"{self.driven.engine.name} does not start: {'; '.join(said) or says}", step="lab")

    async def stop(self) -> None:
        """End it in order. Its ports refuse from then on."""
        await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        """End it at once: it gets no chance to put anything in order."""
        await self._end(signal.SIGKILL)

    async def _end(self, how: signal.Signals) -> None:
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
            self._watch = None
        if self._control is not None:
            await self._control.close()
        if self._process is None:
            return
        process, self._process, self._seen = self._process, None, {}
        for number in (how, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), 15)
                break
        for at in self.config.listen:
            self._network.reserve(at)

    async def reload(self) -> dict[Name, str]:
        """Let it read its zone files again; returns why for each that it did not take over."""
        problems: dict[Name, str] = {}
        for zone in self.driven.zones:
            answer = await self.driven.ask({"do": "reload", "zone": zone.to_text()})
            if not answer["ok"]:
                problems[zone] = str(answer["says"])
        self._seen = await self.driven.status()
        return problems

    async def configure(self) -> None:
        """Render it again, with the keys as they are now, and let it take that over. Raises HostError."""
        await self.driven.put(await asyncio.to_thread(self._keys))
        answer = await self.driven.ask({"do": "configure"})
        if not answer["ok"]:
            raise HostError(str(answer["says"]), step="lab")

    def zone_status(self, apex: Name) -> dict[str, Any]:
        """Return what it told of one zone a moment ago; an empty dict when it is down or does not have the zone."""
        self._looked_at = time.monotonic()
        zones: list[dict[str, Any]] = self._seen.get("zones", [])
        return next((one for one in zones if one["zone"] == apex.to_text()), {})

    async def _obey(self, order: dict[str, Any]) -> dict[str, Any]:
        try:
            return await self.driven.ask(order)
        except HostError as error:
            return {"ok": False, "says": str(error)}

    async def _keep_fresh(self) -> None:
        """Ask it again and again, as long as somebody looks."""
        while True:
            await asyncio.sleep(_POLL)
            if time.monotonic() - self._looked_at < _ASKED:
                with contextlib.suppress(HostError):
                    self._seen = await self.driven.status()


def _make_folders(places: Places) -> None:
    for folder in (places.state, places.zones, places.folder):
        folder.mkdir(parents=True, exist_ok=True)


def _free_port() -> int:
    """Return a port of loopback that is free now, below those that the system gives out."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
