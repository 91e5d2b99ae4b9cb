"""Both sides of each replication in a plan: what every name server answers from outside, and what it says of itself.

From outside: the SOA by UDP and TCP, with the time left until expiry (RFC 7314). From inside: the control socket on this
machine, or over SSH ``mailname status --json`` where the plan names an SSH target. All are asked at once, bounded in time.
"""

from __future__ import annotations

import asyncio
import errno
import struct
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
from dns.rdatatype import RdataType

from mailname.checks.over_ssh import status_over_ssh
from mailname.errors import HostError
from mailname.plan import expand_all
from mailname.server.control import ask
from mailname.server.network import Endpoint, Network, ask_tcp, ask_udp
from mailname.wire.edns import OptionCode
from mailname.zone import Serial

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dns.name import Name

    from mailname.plan import NameServer, Plan
    from mailname.server.network import IPAddress

#: Asks one server for its status; raises HostError.
Asker = Callable[[], Awaitable[Mapping[str, Any]]]
TIMEOUT = 1.5  # seconds for one question
TRIES = 2
CONTROL_TIMEOUT = 20.0  # seconds for a control socket
_OUR_FAULT = (errno.ENETUNREACH, errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)
_CANNOT_ASK = "cannot be asked from here: this machine has no route of that family"


@dataclass(frozen=True, slots=True)
class Seen:
    """What one address answers for one zone, from outside. ``expire`` is in seconds; ``says`` why there is no serial."""

    address: IPAddress
    serial: Serial | None = None
    expire: int | None = None
    rcode: str | None = None
    udp: bool = False
    tcp: bool = False
    says: str = ""

    @property
    def is_from_here(self) -> bool:
        """Whether this machine can ask it at all."""
        return self.says != _CANNOT_ASK

    @property
    def is_well(self) -> bool:
        """Whether it serves the zone by UDP and TCP; what our own network cannot reach is no verdict."""
        return not self.is_from_here or (self.serial is not None and self.udp and self.tcp)


@dataclass(frozen=True, slots=True)
class Inside:
    """What one server says of itself: its status, how it was asked, and why there is none."""

    how: str = ""
    status: Mapping[str, Any] | None = None
    says: str = ""

    def zone(self, apex: Name) -> Mapping[str, Any] | None:
        """Return its part about one zone."""
        wanted = apex.to_text().lower()
        zones = self.status.get("zones", ()) if self.status else ()
        return next((one for one in zones if isinstance(one, dict) and str(one.get("zone")).lower() == wanted), None)


@dataclass(slots=True)
class Sides:
    """All that was found out."""

    zones: tuple[Name, ...]
    outside: dict[tuple[Name, Name], tuple[Seen, ...]] = field(default_factory=dict)  # zone, server
    inside: dict[Name, Inside] = field(default_factory=dict)  # server


async def look(
    plan: Plan,
    network: Network,
    controls: Mapping[Name, Path],
    unnamed: Sequence[Path] = (),
    others: Mapping[Name, Asker] | None = None,
    ssh_config: Path | None = None,
) -> Sides:
    """Ask every name server of a plan.

    Args:
        plan: whom to ask.
        network: through what.
        controls: the control sockets on this machine, by name server.
        unnamed: control sockets on this machine whose servers are found by the addresses that they listen on.
        others: how a server of another program is asked, where it has no control socket.
        ssh_config: what ssh's option -F takes.

    """
    sides = Sides(tuple(zone.apex for zone in expand_all(plan, Serial(0))))
    questions = [(zone, server) for zone in sides.zones for server in plan.name_servers]

    async def outside() -> None:
        answers = await asyncio.gather(*(_outside(network, zone, server) for zone, server in questions))
        sides.outside.update(((zone, server.name), seen) for (zone, server), seen in zip(questions, answers, strict=True))

    async def inside() -> None:
        found = await asyncio.gather(
            *(
                _inside(server, controls.get(server.name), (others or {}).get(server.name), ssh_config, plan.hosts.administrator)
                for server in plan.name_servers
            )
        )
        sides.inside.update(zip((server.name for server in plan.name_servers), found, strict=True))
        for path in unnamed:
            here = await _control(path)
            server = server_at(plan, (here.status or {}).get("listen") or ())
            if server is not None and sides.inside[server.name].status is None:
                sides.inside[server.name] = here

    await asyncio.gather(outside(), inside())
    if plan.catalog is not None and any(one.status is not None for one in sides.inside.values()):
        sides.zones += (plan.catalog.name,)  # servers tell their catalogs to nobody but each other: it is seen from inside alone
        sides.outside.update(((plan.catalog.name, server.name), ()) for server in plan.name_servers)
    return sides


async def _outside(network: Network, zone: Name, server: NameServer) -> tuple[Seen, ...]:
    return tuple(await asyncio.gather(*(_seen(network, zone, address) for address in server.addresses)))


async def _seen(network: Network, zone: Name, address: IPAddress) -> Seen:
    udp, tcp = await asyncio.gather(*(_asked(network, zone, Endpoint(address), by_tcp=by_tcp) for by_tcp in (False, True)))
    best = udp if isinstance(udp, dns.message.Message) else tcp
    if not isinstance(best, dns.message.Message):
        return Seen(address, says=str(udp))
    rcode = dns.rcode.to_text(best.rcode())
    serial, expire, says = None, None, "has no SOA of the zone"
    if rcode != "NOERROR":
        says = f"answers {rcode}"
    elif not best.flags & dns.flags.AA:
        says = "answers without authority (no AA)"
    elif (soa := best.get_rrset(dns.message.ANSWER, zone, dns.rdataclass.IN, RdataType.SOA)) is not None:
        serial, expire, says = Serial(soa[0].serial), _expire(best), ""
    by_udp, by_tcp = isinstance(udp, dns.message.Message), isinstance(tcp, dns.message.Message)
    if serial is not None and not (by_udp and by_tcp):
        says = f"not by TCP: {tcp}" if by_udp else f"not by UDP: {udp}"
    return Seen(address, serial, expire, rcode, by_udp, by_tcp, says)


async def _asked(network: Network, zone: Name, at: Endpoint, *, by_tcp: bool) -> dns.message.Message | str:
    """Return the answer to the SOA question, or why there is none."""
    option = dns.edns.GenericOption(dns.edns.OptionType.make(OptionCode.EXPIRE), b"")
    query = dns.message.make_query(zone, RdataType.SOA, use_edns=0, payload=1232, options=[option], flags=0).to_wire()
    says = "no answer"
    for _ in range(1 if by_tcp else TRIES):
        try:
            if by_tcp:
                wire = await ask_tcp(network, query, at, timeout=TIMEOUT * TRIES)
            else:
                wire = await ask_udp(network, query, at, timeout=TIMEOUT)
            return dns.message.from_wire(wire, ignore_trailing=True)
        except TimeoutError:
            says = "no answer"
        except (OSError, EOFError) as error:
            return _in_words(error)
        except (dns.exception.DNSException, ValueError):
            return "an answer that cannot be read"
    return says


def _in_words(error: OSError | EOFError) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, OSError) and error.errno in _OUR_FAULT:
        return _CANNOT_ASK
    return (error.strerror if isinstance(error, OSError) else "") or "connection cut"


def _expire(message: dns.message.Message) -> int | None:
    """Return the seconds until the copy there expires (RFC 7314 section 3.2)."""
    for option in message.options:
        data = option.to_wire()
        if option.otype == OptionCode.EXPIRE and isinstance(data, bytes) and len(data) == 4:
            return int(struct.unpack("!I", data)[0])
    return None


async def _inside(
    server: NameServer, control: Path | None, other: Asker | None, ssh_config: Path | None, administrator: str
) -> Inside:
    if control is not None:
        return await _control(control)
    if other is not None:
        try:
            return Inside(f"ssh {server.ssh}" if server.ssh else server.engine, await other())
        except HostError as error:
            return Inside(f"ssh {server.ssh}" if server.ssh else server.engine, says=error.problem)
    if server.ssh is not None:
        status, says = await status_over_ssh(server.ssh, ssh_config, administrator)
        return Inside(f"ssh {server.ssh} mailname status --json", status, says)
    return Inside(says="not asked: there is no ssh in the plan, and no --control" if server.engine == "builtin" else "")


async def _control(path: Path) -> Inside:
    try:
        return Inside(str(path), await ask(path, {"do": "status"}, timeout=CONTROL_TIMEOUT))
    except HostError as error:
        return Inside(str(path), says=error.problem)


def server_at(plan: Plan, listen: Sequence[object]) -> NameServer | None:
    """Tell which name server of the plan listens on this machine, by its addresses."""
    hosts = {part.rpartition(":")[0].strip("[]") for part in " ".join(map(str, listen)).split()}
    return next((one for one in plan.name_servers if hosts & {str(address) for address in one.addresses}), None)
