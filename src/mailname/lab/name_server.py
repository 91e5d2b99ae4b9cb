"""One of the plan's name servers in the lab: the real server with its own folder and clock, to be stopped and started at will."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from mailname.engines.builtin import CONFIG
from mailname.server.clock import ShiftedClock
from mailname.server.config_file import load_config
from mailname.server.service import Server

if TYPE_CHECKING:
    from dns.name import Name

    from mailname.lab.network import LabNetwork
    from mailname.server.config import ServerConfig


class LabNameServer:
    """Runs ``mailname.server`` as ``mailname serve`` would, with the configuration that the builtin engine renders."""

    def __init__(self, name: Name, config: ServerConfig, network: LabNetwork) -> None:
        self.name = name
        self.config = config
        self.clock = ShiftedClock()
        self._network = network
        self._server: Server | None = None

    @property
    def running(self) -> bool:
        """Tell whether it has been started and not stopped."""
        return self._server is not None

    async def start(self, config: ServerConfig | None = None) -> None:
        """Start it, with another configuration if one is given."""
        self.config = config or self.config
        server = Server(self.config, network=self._network, clock=self.clock)
        if config is None:  # otherwise a fault is what it runs with
            server.on_reload = lambda: self._read_again(server)
        await server.start()
        self._server = server

    async def _read_again(self, server: Server) -> None:
        """Take over what has changed in its configuration, or in the files that are named there, as ``mailname reload`` does."""
        assert self.config.state is not None, "the engine writes it"
        file = self.config.state.parent / CONFIG
        self.config = load_config(await asyncio.to_thread(file.read_text, encoding="utf-8"), str(file))
        await server.reconfigure(self.config)

    async def stop(self) -> None:
        """Stop it. Its ports refuse from then on."""
        if self._server is not None:
            await self._server.stop()
            self._server = None
            for at in self.config.listen:
                self._network.reserve(at)

    async def restart(self, config: ServerConfig | None = None) -> None:
        """Stop and start it, with another configuration if one is given. What it keeps on disk stays."""
        await self.stop()
        await self.start(config)

    async def reload(self) -> dict[Name, str]:
        """Let it read its zone files again; returns why for each that it did not take over."""
        return await self._server.reload() if self._server is not None else {}

    def zone_status(self, apex: Name) -> dict[str, Any]:
        """Return what ``mailname status`` tells of one zone; an empty dict when it is down or does not have the zone."""
        zones: list[dict[str, Any]] = self._server.status(apex)["zones"] if self._server is not None else []
        return zones[0] if zones else {}
