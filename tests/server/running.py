"""Servers in this process, on real sockets of loopback and with real files."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import dns.flags
import dns.message
import dns.name
import dns.rcode
from dns.rdatatype import RdataType

from mailname.server.clock import ShiftedClock
from mailname.server.config import IPNetwork, ServerConfig, ZoneConfig
from mailname.server.network import DirectNetwork, Endpoint, Network, ask_tcp, ask_udp
from mailname.server.service import Server
from mailname.transfer.actions import Peer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from pathlib import Path

    from mailname.wire.tsig_key import Key

APEX = dns.name.from_text("example.tech.")
PRIMARY, SECONDARY = ip_address("127.0.0.2"), ip_address("127.0.0.3")
PATIENCE = 30.0  # seconds for what takes milliseconds: the machine may stand still


def zone_text(serial: int, more: str = "", *, refresh: int = 3600, retry: int = 1, expire: int = 86400) -> str:
    """Return a version of example.tech as zone-file text."""
    return f"""$TTL 3600
@       SOA ns2 hostmaster {serial} {refresh} {retry} {expire} 60
        NS  ns1
        NS  ns2
        MX  10 mail
ns1     A   192.0.2.1
ns2     A   192.0.2.2
mail    A   192.0.2.2
{more}
"""


def free_port() -> int:
    """Return a port that is free for UDP and TCP on all addresses, outside the range from which the system takes ports itself."""
    while True:
        port = 10_000 + secrets.randbelow(22_000)  # not of random, which hypothesis sets back
        with (
            contextlib.suppress(OSError),
            socket.socket(type=socket.SOCK_STREAM) as tcp,
            socket.socket(type=socket.SOCK_DGRAM) as udp,
        ):
            tcp.bind(("0.0.0.0", port))
            udp.bind(("0.0.0.0", port))
            return port


async def until(so: Callable[[], object], patience: float = PATIENCE) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(patience):
        while not so():  # noqa: ASYNC110  # whatever is waited for, a status or a file, sets no event
            await asyncio.sleep(0.005)


@dataclass
class Site:
    """A folder with what one primary and one secondary of example.tech need."""

    folder: Path
    port: int = field(default_factory=free_port)
    keys: Mapping[dns.name.Name, Key] = field(default_factory=dict)
    key: dns.name.Name | None = None

    @property
    def file(self) -> Path:
        """The primary's zone file."""
        return self.folder / "example.tech.zone"

    @property
    def primary_at(self) -> Endpoint:
        return Endpoint(PRIMARY, self.port)

    @property
    def secondary_at(self) -> Endpoint:
        return Endpoint(SECONDARY, self.port)

    def write(self, serial: int, more: str = "", **timers: int) -> None:
        """Write the zone file."""
        self.file.write_text(zone_text(serial, more, **timers), encoding="utf-8")

    def zone(self, *, allow: tuple[IPNetwork, ...] = (), notify: bool = True) -> ZoneConfig:
        """Return the primary's side of the zone."""
        secondaries = (Peer(SECONDARY, self.port, self.key),) if notify else ()
        return ZoneConfig(APEX, "primary", self.file, secondaries=secondaries, allow_transfer=allow)

    def copy(self, *primaries: Peer) -> ZoneConfig:
        """Return the secondary's side of the zone."""
        return ZoneConfig(APEX, "secondary", primaries=primaries or (Peer(PRIMARY, self.port, self.key),))

    def primary(self, *zones: ZoneConfig, **changes: Any) -> ServerConfig:
        """Return the primary's configuration."""
        return self._config(self.primary_at, "primary", zones or (self.zone(),), **changes)

    def secondary(self, *zones: ZoneConfig, **changes: Any) -> ServerConfig:
        """Return the secondary's configuration."""
        return self._config(self.secondary_at, "secondary", zones or (self.copy(),), **changes)

    def _config(self, at: Endpoint, name: str, zones: tuple[ZoneConfig, ...], **changes: Any) -> ServerConfig:
        options: dict[str, Any] = {
            "listen": (at,),
            "zones": zones,
            "state": self.folder / name,
            "control": self.folder / f"{name}.sock",
            "keys": self.keys,
        }
        return ServerConfig(**options | changes)


class Running(Server):
    """A server with a clock that can be moved, and short ways to what is asked of it most."""

    clock: ShiftedClock

    def zone_status(self, apex: dns.name.Name = APEX) -> dict[str, Any]:
        found: dict[str, Any] = self.status(apex)["zones"][0]
        return found

    def serial(self, apex: dns.name.Name = APEX) -> int | None:
        served: int | None = self.zone_status(apex)["serial"]
        return served


@contextlib.asynccontextmanager
async def running(
    config: ServerConfig, clock: ShiftedClock | None = None, *, network: Network | None = None
) -> AsyncIterator[Running]:
    """Run a server."""
    server = Running(config, clock=clock or ShiftedClock(), network=network)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


async def asked(
    at: Endpoint,
    name: str = "example.tech.",
    rdtype: str = "SOA",
    *,
    tcp: bool = False,
    source: str | None = None,
    query: dns.message.Message | None = None,
) -> dns.message.Message:
    """Ask a server one question."""
    if query is None:
        query = dns.message.make_query(name, rdtype, use_edns=False)
        query.flags = dns.flags.Flag(0)
    ask = ask_tcp if tcp else ask_udp
    octets = await ask(DirectNetwork(), query.to_wire(), at, timeout=PATIENCE, source=ip_address(source) if source else None)
    return dns.message.from_wire(octets, keyring=query.keyring, request_mac=query.mac)


async def serial_at(at: Endpoint, *, tcp: bool = False) -> int | str:
    """Return the serial that a server answers, or the rcode."""
    answer = await asked(at, tcp=tcp)
    if answer.rcode() != dns.rcode.NOERROR:
        return dns.rcode.to_text(answer.rcode())
    found: int = answer.find_rrset(answer.answer, APEX, dns.rdataclass.IN, RdataType.SOA)[0].serial
    return found
