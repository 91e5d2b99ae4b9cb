"""The lab: a private Internet on this machine, with the plan's servers in it.

Everything that a person would do, or a registrar, is a method: ``publish``, ``register``, ``inject`` a fault. Everything that
answers is real: real sockets, real DNS messages, the real server with real files. Only where an address is found is the lab's own
affair (``network``).
"""

from __future__ import annotations

import asyncio
import errno
import tempfile
import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self

from mailname.checks.world import World
from mailname.errors import HostError
from mailname.lab.configuration import configurations, sockets_fit
from mailname.lab.driven_server import Surroundings, name_servers
from mailname.lab.fault import Aim
from mailname.lab.hosts import foreign_hosts, mail_addresses, taken_addresses
from mailname.lab.internet import Addresses, Internet
from mailname.lab.mail_host import MailHost
from mailname.lab.network import LabNetwork, missing_addresses
from mailname.lab.registry import Registration
from mailname.lab.resolver import Resolver
from mailname.lab.zone_edit import raised
from mailname.plan import expand_all
from mailname.plan.registrar import worksheet
from mailname.server.network import Endpoint, IPAddress
from mailname.server.rehearsed_clock import RehearsedClock
from mailname.zone import Serial, Zone
from mailname.zone.serial import next_serial
from mailname.zone.text import write_zone

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from dns.name import Name

    from mailname.lab.name_server import LabNameServer
    from mailname.lab.rdap import RdapServer
    from mailname.plan import MailHost as PlannedMailHost
    from mailname.plan import Plan

# Seconds to wait for what takes milliseconds. Only a busy machine, or a mistake of ours, gets that far.
PATIENCE = 10.0
NETWORK_FILE = "network.json"


class Part(Protocol):
    """Something that runs in the lab, and ends with it."""

    async def start(self) -> None:
        """Begin."""

    async def stop(self) -> None:
        """End."""


class Lab:
    """A private Internet around one plan. ``async with Lab(plan, folder) as lab`` starts it and leaves nothing behind."""

    def __init__(
        self,
        plan: Plan,
        folder: Path,
        *,
        real_addresses: bool = False,
        registry_delay: float = 0.0,
        speed: float = 1.0,
        engines: bool = False,
    ) -> None:
        """Lay the lab out; nothing runs yet.

        Args:
            plan: what is rehearsed.
            folder: an existing folder for the servers' files.
            real_addresses: bind the plan's own addresses and port 53 (root, inside a network namespace).
            registry_delay: seconds of the lab's clock until the last of the registry's servers knows of a change.
            speed: seconds that pass on the lab's clock in one of ours.
            engines: run the real programs that the plan names, where they are installed; otherwise all are mailname's own.

        """
        self.plan = plan
        self.folder = folder
        self.network = LabNetwork(direct=real_addresses)
        self.clock = RehearsedClock.from_now(speed)
        self.registry_delay = registry_delay
        self.engines = engines
        self.addresses = Addresses.beside(taken_addresses(plan))
        self._foreign = foreign_hosts(plan, self.addresses.spare)
        self.internet = Internet(self.network, plan.domain, self._foreign, self.addresses)
        self.resolver = Resolver(self.network, Endpoint(self.addresses.resolver), self.internet.root_hints, self.clock.wall)
        self.serial: Serial | None = None
        self.dnsbl: tuple[Name, ...] = ()
        self.rdap: RdapServer | None = None
        self.aim = Aim()
        self.name_servers: dict[Name, LabNameServer] = {}
        self.mail_hosts: dict[IPAddress, MailHost] = {}
        self._zone_file: Path | None = None
        self._stack = AsyncExitStack()

    @property
    def primary(self) -> LabNameServer:
        """The server that holds the zone file."""
        return self.name_servers[self.plan.primary.name]

    @property
    def secondaries(self) -> tuple[LabNameServer, ...]:
        """The servers that transfer the zone, in published order."""
        return tuple(self.name_servers[server.name] for server in self.plan.secondaries)

    @property
    def serial_now(self) -> Serial:
        """The serial that was published last. Raises HostError before the first publication."""
        if self.serial is None:
            raise HostError("nothing has been published in the lab yet", step="lab")
        return self.serial

    @property
    def zone_file(self) -> Path:
        """The file from which the primary loads the plan's zone, or did before a fault took the zone away from it."""
        assert self._zone_file is not None, "the lab has not been started"
        return self._zone_file

    @property
    def network_file(self) -> Path:
        """Where ``save`` writes what a second process needs to look at this lab."""
        return self.folder / NETWORK_FILE

    @property
    def world(self) -> World:
        """Where a check in this process looks from."""
        return World(
            root_hints=tuple((name, (address,)) for name, address in self.internet.root_hints),
            resolver=self.resolver.at,
            control_sockets=self._control_sockets(),
            zone_file=self.zone_file.read_text(encoding="utf-8") if self.zone_file.exists() else None,
            zone_file_name=str(self.zone_file),
            dnsbl=self.dnsbl,
            rdap=self.rdap.url if self.rdap is not None else None,
        )

    def _control_sockets(self) -> dict[Name, Path]:
        return {name: server.config.control for name, server in self.name_servers.items() if server.config.control is not None}

    def needed_addresses(self) -> tuple[IPAddress, ...]:
        """Return every address that must exist on this machine for ``real_addresses``."""
        lab = self.addresses
        servers = (address for server in self.plan.name_servers for address in server.addresses)
        return tuple(dict.fromkeys((lab.root, *lab.tld, lab.provider, lab.resolver, *servers, *self._mail_hosts())))

    async def start(self) -> None:
        """Start the world and the plan's servers. Nothing is published or registered yet.

        Raises:
            HostError: an address cannot be had; everything is stopped again.

        """
        try:
            if self.network.direct:
                _refuse_missing(self.needed_addresses())
            self._stack.callback(self.network.close)
            for at in self._endpoints():
                self.network.reserve(at)
            await self.run(self.internet)
            await self.run(self.resolver)
            for address, name in self._mail_hosts().items():
                self.mail_hosts[address] = MailHost(
                    self.network, name.to_text(omit_final_dot=True), (address,), self.plan.domain.to_text(omit_final_dot=True)
                )
                await self.run(self.mail_hosts[address])
                self.internet.point(address, name)
            self.internet.publish()
            configs = configurations(self.plan, self.folder, self._socket_folder())
            around = Surroundings(self.plan, self.network, self.folder)
            self.name_servers = name_servers(around, configs, engines=self.engines)
            # The primary first, so that no secondary has to wait for its retry timer.
            for server in (self.primary, *self.secondaries):
                await self.run(server)
            self._zone_file = next(zone.file for zone in self.primary.config.zones if zone.name == self.plan.domain)
        except BaseException as error:
            await self._stack.aclose()
            if isinstance(error, OSError) and error.errno in (errno.ENETUNREACH, errno.EADDRNOTAVAIL):
                remedy = "See that the loopback interface is up: ip link set lo up"
                raise HostError(f"cannot rehearse on 127.0.0.1: {error.strerror}", remedy=remedy, step="lab") from error
            raise
        self.save()

    def _socket_folder(self) -> Path | None:
        """Make a folder with a short path for the control sockets, where the servers' own folders lie too deep."""
        if sockets_fit(self.plan, self.folder):
            return None
        return Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="mailname-", dir="/tmp")))

    async def run(self, part: Part) -> None:
        """Start a part of the world; it ends with the lab."""
        self._stack.push_async_callback(part.stop)
        await part.start()

    async def stop(self) -> None:
        """Stop everything; the folder's files stay."""
        await self._stack.aclose()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.stop()

    def save(self) -> None:
        """Write the network file."""
        network = self.network
        network.root_hints = self.internet.root_hints
        network.resolver = self.resolver.at
        network.control = self._control_sockets()
        network.zone_file = self.zone_file
        network.clock = self.clock if self.clock.speed != 1.0 else None
        network.save(self.network_file)

    def desired(self, serial: Serial) -> tuple[Zone, ...]:
        """Return the zones that the plan means, the domain's first."""
        return tuple(expand_all(self.plan, serial))

    async def publish(self, zone: Zone | None = None) -> Serial:
        """Publish a new version: raise the serial, write the zone files, let the primary load them.

        Args:
            zone: the domain's content, if it is to differ from the plan; its serial is not looked at.

        Raises:
            HostError: the primary did not take a zone over.

        """
        serial = next_serial(datetime.now(UTC).date(), self._known_serials())
        zones = self.desired(serial)
        if zone is not None:
            zones = (raised(zone, serial), *zones[1:])
        await self.load(zones)
        self.serial = serial
        return serial

    def _known_serials(self) -> list[Serial]:
        """Return the highest serial of each zone that anybody may have seen, also in an earlier run in the same folder."""
        announced = (self.primary.zone_status(zone.name).get("announced") for zone in self.primary.config.zones)
        return [Serial(value) for value in announced if value is not None]

    async def load(self, zones: tuple[Zone, ...]) -> None:
        """Put zone files in place as they are and let the primary load them; who edits by hand does no more."""
        files = {zone.name: zone.file for zone in self.primary.config.zones}
        for one in zones:
            file = files[one.apex]
            assert file is not None
            file.write_text(write_zone(one), encoding="utf-8")
        problems = await self.primary.reload()
        if problems:
            raise HostError("; ".join(problems.values()), remedy="Correct the plan: mailname show PLAN --zone", step="publish")

    def register(self, entry: Registration | None = None) -> Registration:
        """Enter the domain at the registry as the plan's worksheet says, or as ``entry`` does; the TLD's servers know at once."""
        entry = self.enter(entry)
        self.internet.publish()
        return entry

    def enter(self, entry: Registration | None = None) -> Registration:
        """Enter the domain at the registry; the TLD's servers know of it when it is published."""
        entry = entry or self.wanted_registration()
        self.internet.delegate(entry)
        for zone in self.desired(Serial(0))[1:]:
            self.internet.delegate(Registration(zone.apex, entry.name_servers))
        return entry

    def wanted_registration(self) -> Registration:
        """Return what the plan's worksheet says for the registrar."""
        sheet = worksheet(self.plan, self.desired(Serial(0))[0])
        return Registration(sheet.domain, tuple(server.name for server in sheet.name_servers), sheet.glue)

    async def wait_for_secondaries(self, *, but: tuple[LabNameServer, ...] = ()) -> bool:
        """Wait until each secondary serves what was published last and asks no more; False when one does not in time."""
        wanted = self.serial.value if self.serial is not None else None
        others = [server for server in self.secondaries if server not in but]
        # What follows a catalog has no zones in its configuration.
        followed = [zone.apex for zone in self.desired(Serial(0))] if self.plan.catalog is not None else []

        def is_done(status: dict[str, object]) -> bool:
            return status.get("serial") == wanted and not status.get("busy")

        return await self.until(
            lambda: all(
                is_done(one.zone_status(apex)) for one in others for apex in followed or [zone.name for zone in one.config.zones]
            )
        )

    async def until(self, condition: Callable[[], bool], patience: float = PATIENCE) -> bool:
        """Wait until something is so; False when it is not in time."""
        deadline = time.monotonic() + patience
        while not condition():
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.005)
        return True

    async def inject(self, fault: str) -> None:
        """Break one thing, by the fault's name, and wait until the break has had its effect.

        Args:
            fault: its name, and where it is to happen if not at the usual place: ``NAME@SERVER`` or ``NAME@SERVER/v6``.

        Raises:
            HostError: there is no such fault, or the plan has nothing that could break this way.

        """
        from mailname.lab.fault import aim_at, aim_at_tld
        from mailname.lab.faults import find_fault

        name, _, where = fault.partition("@")
        found = find_fault(name)
        found.refuse(self.plan)
        self.aim = Aim()
        if (tld_server := aim_at_tld(self.plan, where)) is not None:
            found.refuse_at_tld()
            self.aim = Aim(tld_server=tld_server)
        elif where:
            server, version = aim_at(self.plan, where)
            self.aim = Aim(self.name_servers[server], version)
        await found.inject(self)
        self.resolver.forget()

    def mail_addresses(self, host: PlannedMailHost) -> tuple[IPAddress, ...]:
        """Return where one of the plan's mail hosts is."""
        return mail_addresses(self.plan, host, self._foreign)

    def _mail_hosts(self) -> dict[IPAddress, Name]:
        """Return who greets at which address; two names on one address are one machine."""
        at: dict[IPAddress, Name] = {}
        for host in self.plan.mail_hosts:
            for address in self.mail_addresses(host):
                at.setdefault(address, host.name)
        return at

    def _endpoints(self) -> list[Endpoint]:
        servers = [Endpoint(address) for server in self.plan.name_servers for address in server.addresses]
        return [*servers, *(Endpoint(address, 25) for address in self._mail_hosts())]


def _refuse_missing(addresses: tuple[IPAddress, ...]) -> None:
    if missing := missing_addresses(addresses):
        lines = "\n".join(f"  ip addr add {one}/{one.max_prefixlen} dev lo" for one in missing)
        raise HostError(
            f"{len(missing)} addresses of the rehearsal do not exist here",
            remedy=f"Make them, best in a network namespace of their own (ip netns add lab):\n{lines}",
            step="lab",
        )
