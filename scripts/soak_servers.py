"""The servers of the soak: ``mailname serve`` as child processes that are killed at will, and what they hold."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import socket
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dns.exception
import dns.message
import dns.query
import dns.tsig
from dns.rdatatype import RdataType

from mailname.errors import HostError
from mailname.server.control import ask

PROGRAM = str(Path(sys.executable).with_name("mailname"))
STARTED_WITHIN = 60.0  # seconds: the machine may be busy with other things
ENDS_WITHIN = 60.0  # seconds
NEVER_ENDED = -1000  # stands for an exit status
KEY = "soak.key."


def free_port() -> int:
    """Return a port that is free for UDP and TCP, outside the range from which the system takes ports itself."""
    while True:
        port = random.randrange(10_000, 32_000)
        with contextlib.suppress(OSError), socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.bind(("0.0.0.0", port))
            udp.bind(("0.0.0.0", port))
            return port


@dataclass(frozen=True, slots=True)
class Held:
    """What a process holds: KiB resident, descriptors, threads; and for how long it has been there."""

    generation: int
    age: float
    resident: int
    descriptors: int
    threads: int


@dataclass(slots=True)
class ServerProcess:
    """One server: its configuration, its address and the child process, if it lives.

    Attributes:
        generation: how often it was started.
        up: it has answered since it was started, and nobody has killed it since.
        exits: exit statuses of those that ended otherwise than by our SIGKILL; NEVER_ENDED of one that took no SIGTERM.

    """

    name: str
    address: str
    port: int
    folder: Path
    child: asyncio.subprocess.Process | None = None
    generation: int = 0
    up: bool = False
    started: float = 0.0
    exits: list[int] = field(default_factory=list)

    @property
    def config(self) -> Path:
        """The configuration file."""
        return self.folder / f"{self.name}.toml"

    @property
    def control(self) -> Path:
        """The control socket."""
        return self.folder / f"{self.name}.sock"

    async def start(self) -> None:
        """Start it, and return once it answers.

        Raises:
            HostError: it ended, or does not answer.

        """
        with (self.folder / f"{self.name}.log").open("ab") as log:
            words = [PROGRAM, "serve", "--config", str(self.config), "--workers", "1"]
            self.child = await asyncio.create_subprocess_exec(*words, stderr=log, stdout=log)
        self.generation += 1
        self.started = time.monotonic()
        query = dns.message.make_query("up.invalid", "A")
        while time.monotonic() < self.started + STARTED_WITHIN:
            if self.child.returncode is not None:
                raise HostError(f"{self.name} ended at its start with status {self.child.returncode}")
            with contextlib.suppress(OSError, dns.exception.DNSException):
                await question(query, self.address, self.port, timeout=0.5)
                self.up = True
                return
            await asyncio.sleep(0.03)
        raise HostError(f"{self.name} did not answer {STARTED_WITHIN:.0f} seconds after its start")

    async def end(self, how: signal.Signals) -> None:
        """Kill it, or ask it to end, and wait until it is gone."""
        self.up = False
        if self.child is None:
            return
        if self.child.returncode is None:
            self.child.send_signal(how)
        try:
            status = await asyncio.wait_for(self.child.wait(), ENDS_WITHIN)
        except TimeoutError:  # a fault, which must not hold up the run and its summary
            self.child.kill()
            await self.child.wait()
            status = NEVER_ENDED
        if status != -signal.SIGKILL:
            self.exits.append(status)
        self.child = None

    async def order(self, do: str, zone: str) -> bool:
        """Give an order; tell whether it was carried out."""
        with contextlib.suppress(HostError):
            return bool((await ask(self.control, {"do": do, "zone": zone}))["ok"])
        return False

    async def status(self) -> dict[str, Any]:
        """Return what ``mailname status --json`` says."""
        with contextlib.suppress(HostError):
            return await ask(self.control, {"do": "status"})
        return {}

    def held(self) -> Held | None:
        """Return what the process holds now."""
        if self.child is None or self.child.returncode is not None:
            return None
        of = Path(f"/proc/{self.child.pid}")
        status = dict(line.split(":", 1) for line in (of / "status").read_text().splitlines() if ":" in line)
        resident, threads = int(status["VmRSS"].split()[0]), int(status["Threads"])
        return Held(self.generation, time.monotonic() - self.started, resident, len(list((of / "fd").iterdir())), threads)


async def question(
    query: dns.message.Message, address: str, port: int, *, timeout: float, tcp: bool = False
) -> dns.message.Message:
    """Ask one question. Raises OSError, TimeoutError among them, or DNSException."""
    wire = query.to_wire()
    async with asyncio.timeout(timeout):
        if tcp:
            reader, writer = await asyncio.open_connection(address, port)
            try:
                writer.write(len(wire).to_bytes(2, "big") + wire)
                answer = await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
            except asyncio.IncompleteReadError as error:
                raise ConnectionResetError from error
            finally:
                writer.close()
            return dns.message.from_wire(answer)
        loop = asyncio.get_running_loop()
        with contextlib.closing(socket.socket(type=socket.SOCK_DGRAM)) as udp:
            udp.setblocking(False)
            udp.connect((address, port))
            await loop.sock_sendall(udp, wire)
            while (answer := await loop.sock_recv(udp, 65535))[:2] != wire[:2]:
                pass
        return dns.message.from_wire(answer)


def transferred(zone: str, address: str, port: int, key: dns.tsig.Key, seconds: float) -> set[tuple[str, str, str]]:
    """Transfer a zone and return all its records, relative to it. Raises OSError or DNSException."""
    apex = dns.name.from_text(zone)
    found: set[tuple[str, str, str]] = set()
    ring = {key.name: key}
    stream = dns.query.xfr(address, apex, port=port, lifetime=seconds, keyring=ring, keyname=key.name, relativize=False)
    for message in stream:
        for rrset in message.answer:
            owner = rrset.name.relativize(apex).to_text()
            kind = RdataType(rrset.rdtype).name
            found |= {(owner, kind, rdata.to_text(origin=apex, relativize=True)) for rdata in rrset}
    return found
