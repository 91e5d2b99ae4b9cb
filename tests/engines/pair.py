"""A plan's two name servers in this process: documentation addresses outside, loopback addresses inside."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

import dns.name
from tests.server.running import Running, free_port

from mailname.engines.builtin import CONFIG, Builtin
from mailname.engines.engine import Places
from mailname.plan import load
from mailname.server.clock import ShiftedClock
from mailname.server.config_file import load_config
from mailname.server.keyfile import make_key_file
from mailname.server.network import DirectNetwork, Endpoint, IPAddress

if TYPE_CHECKING:
    import asyncio
    import socket
    from collections.abc import AsyncIterator

    from mailname.plan import Plan
    from mailname.server.config import ServerConfig
    from mailname.server.network import SocketAddress

PLAN = """
domain = "example.tech"
contact = "hostmaster@example.tech"
website = ["192.0.2.80"]
[soa]
refresh = 14400
retry = 3600
expire = 1209600
[[name_server]]
name = "ns1.example.tech"
addresses = ["192.0.2.1"]
role = "secondary"
[[name_server]]
name = "ns2.example.tech"
addresses = ["198.51.100.2"]
role = "primary"
[[mail_host]]
name = "mail.example.tech"
preference = 10
addresses = ["198.51.100.2"]
[transfer_key]
name = "transfer.example.tech"
"""
APEX = dns.name.from_text("example.tech.")
NS1, NS2 = ip_address("192.0.2.1"), ip_address("198.51.100.2")
INSIDE: dict[IPAddress, IPAddress] = {NS1: ip_address("127.0.0.3"), NS2: ip_address("127.0.0.2")}
OUTSIDE = {inside: outside for outside, inside in INSIDE.items()}


def plan_of(text: str = PLAN) -> Plan:
    return load(text, "plan.toml").plan


class SmallWorld(DirectNetwork):
    """Port 53 of the two servers is one free port of loopback, and port 853 another."""

    def __init__(self) -> None:
        self.port = free_port()
        self.tls_port = free_port()

    def _inside(self, at: Endpoint) -> Endpoint:
        return Endpoint(INSIDE[at.address], self.tls_port if at.port == 853 else self.port)

    def listen_udp(self, at: Endpoint) -> socket.socket:
        return super().listen_udp(self._inside(at))

    def listen_tcp(self, at: Endpoint) -> socket.socket:
        return super().listen_tcp(self._inside(at))

    def open_udp(self, to: Endpoint, source: IPAddress | None = None) -> socket.socket:
        return super().open_udp(self._inside(to), INSIDE[source] if source else None)

    async def open_tcp(self, to: Endpoint, source: IPAddress | None = None) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await super().open_tcp(self._inside(to), INSIDE[source] if source else None)

    def peer(self, seen: SocketAddress) -> Endpoint:
        at = super().peer(seen)
        return Endpoint(OUTSIDE.get(at.address, at.address), at.port)


@dataclass
class Pair:
    """Where the two servers keep their things, and how they are started."""

    folder: Path
    plan: Plan = field(default_factory=plan_of)
    network: SmallWorld = field(default_factory=SmallWorld)

    def __post_init__(self) -> None:
        make_key_file(self.folder / "transfer.key", dns.name.from_text("transfer.example.tech"))

    @property
    def control(self) -> Path:
        """The primary's control socket."""
        return self.folder / "ns2.sock"

    @property
    def file(self) -> Path:
        """The primary's zone file."""
        return self.folder / "ns2-zones" / "example.tech.zone"

    def config(self, name: str) -> ServerConfig:
        """Render and read a server's configuration."""
        server = next(one for one in self.plan.name_servers if one.name.to_text().startswith(name))
        places = Places(Path(f"{name}-state"), Path(f"{name}-zones"), Path(f"{name}.sock"), Path("transfer.key"))
        files = Builtin().render(self.plan, server, places)
        return load_config(files[CONFIG], str(self.folder / CONFIG))

    @contextlib.asynccontextmanager
    async def server(self, name: str) -> AsyncIterator[Running]:
        """Run one of them."""
        running = Running(self.config(name), network=self.network, clock=ShiftedClock())
        await running.start()
        try:
            yield running
        finally:
            await running.stop()
