"""A small Internet on loopback: root, one TLD, a plan's name servers, a resolver and mail hosts, all answering by real sockets.

What a name server answers is decided by ``mailname.answer``; here are only sockets, and the ways in which they can fail.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING, Literal, Self, cast

import dns.flags
import dns.message
import dns.name
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType

from mailname.answer import ZoneTable, respond
from mailname.checks import Verdict, World, explain, judge, observe
from mailname.plan import expand, load
from mailname.server.network import Endpoint, read_message
from mailname.server.network_map import MappedNetwork
from mailname.wire.message import Request, read_request
from mailname.zone import Serial, Zone, ZoneBuilder
from mailname.zone.text import read_zone

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Iterable

    from dns.name import Name

    from mailname.checks import Facts
    from mailname.plan import Plan
    from mailname.server.network import IPAddress

    Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

Behaviour = Literal["answers", "silent", "closed"]
SERIAL = Serial(2026112201)
ROOT, TLD, RESOLVER = (ip_address(f"198.18.0.{n}") for n in (1, 2, 3))

PLAN = """
domain = "example.tech"
contact = "hostmaster@example.tech"
website = ["192.0.2.1"]
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
addresses = ["198.51.100.2"]
"""


def plan_of(text: str = PLAN) -> Plan:
    return load(text, "plan.toml").plan


def name(text: str) -> Name:
    return dns.name.from_text(text)


def zone_of(text: str, apex: str) -> Zone:
    return read_zone(text, f"{apex}zone", name(apex)).zone


def edited(zone: Zone, *, without: Iterable[tuple[str, str]] = (), add: str = "", serial: Serial | None = None) -> Zone:
    """Return a zone without some RRsets (owner, type) and with some lines of zone-file text more."""
    gone = {(name(owner), RdataType[kind]) for owner, kind in without}
    builder = ZoneBuilder(zone.apex)
    for rrset in zone.rrsets():
        for rdata in rrset.rdatas:
            newer = rrset.rdtype == RdataType.SOA and serial is not None
            if (rrset.owner, rrset.rdtype) not in gone:
                builder.add(rrset.owner, rrset.ttl, rdata.replace(serial=int(serial)) if newer and serial else rdata)
    if add:
        soa = f"$TTL 60\n@ SOA a. b. 1 1 1 1 1\n@ NS a.\n{add}"
        for rrset in zone_of(soa, str(zone.apex)).rrsets():
            for rdata in rrset.rdatas:
                if rrset.rdtype != RdataType.SOA and rdata.to_text() != "a.":
                    builder.add(rrset.owner, rrset.ttl, rdata)
    return builder.build()


def signatures(
    tag: int, when: str = "20360101000000 20260101000000", over: Iterable[str] = ("SOA", "DNSKEY"), apex: str = "example.tech."
) -> str:
    """Return lines of RRSIG records (expiration, inception) at the apex; nobody here computes whether they fit."""
    return "\n".join(f"@ RRSIG {kind} 13 2 60 {when} {tag} {apex} AAAA" for kind in over)


@dataclass(slots=True)
class Host:
    """One address: what it serves, and how its ports behave."""

    table: ZoneTable = field(default_factory=ZoneTable)
    udp: Behaviour = "answers"
    tcp: Behaviour = "answers"
    smtp: Behaviour = "closed"
    banner: str = "220 mail ESMTP"
    tls: ssl.SSLContext | None = None
    resolves: bool = False
    transfers: bool = False
    answers_from: Endpoint | None = None
    edns: Literal["understood", "refused", "dropped", "unknown options dropped", "versions ignored"] = "understood"
    filtered: RdataType | None = None  # questions of this type are dropped in front of it (UDP)


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, host: Host, leaving: socket.socket | None = None) -> None:
        self.host = host
        self.leaving = leaving
        self.transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        dropped = self.host.edns == "dropped" and query.edns >= 0
        dropped |= self.host.edns == "unknown options dropped" and any(int(option.otype) == 65001 for option in query.options)
        dropped |= query.question[0].rdtype == self.host.filtered
        if self.host.udp == "answers" and not dropped:
            reply = answer(self.host, data, "udp")
            if self.leaving is None:
                self.transport.sendto(reply, addr)
            else:
                self.leaving.sendto(reply, addr)


def answer(host: Host, wire: bytes, transport: Literal["udp", "tcp"]) -> bytes:
    if host.edns == "versions ignored" and dns.message.from_wire(wire).edns > 0:
        query = dns.message.from_wire(wire)
        query.use_edns(0)
        wire = query.to_wire()
    request = read_request(wire)
    if not isinstance(request, Request):
        assert request.reply is not None
        return request.reply
    if host.edns == "refused" and dns.message.from_wire(wire).edns >= 0:
        return wire[:2] + b"\x80\x01" + bytes(8)
    if host.transfers and request.question.rdtype == RdataType.AXFR:
        zone = host.table[request.question.name]
        assert isinstance(zone, Zone)
        message = dns.message.make_response(dns.message.from_wire(wire))
        soa = message.find_rrset(message.answer, zone.apex, RdataClass.IN, RdataType.SOA, create=True)
        soa.add(zone.soa_rdata, zone.soa.ttl)
        return message.to_wire()
    reply = respond(request, host.table, transport=transport)
    if host.resolves:
        message = dns.message.from_wire(reply)
        message.flags = (message.flags | dns.flags.RA) & ~dns.flags.AA
        return message.to_wire()
    return reply


def _one_port() -> tuple[socket.socket, socket.socket]:
    """Return sockets for TCP and UDP at the same port, which nobody else has."""
    while True:
        tcp = socket.create_server(("127.0.0.1", 0))
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            udp.bind(tcp.getsockname())
        except OSError:
            tcp.close()
            udp.close()
        else:
            return tcp, udp


class SmallWorld:
    """The world around one plan; healthy until a test changes it. Use as an asynchronous context manager."""

    def __init__(self, text: str = PLAN) -> None:
        self.plan = plan_of(text)
        self.zone = expand(self.plan, SERIAL)
        self.hosts: dict[IPAddress, Host] = {ROOT: Host(), TLD: Host(), RESOLVER: Host(resolves=True)}
        self.tld = self.plan.domain.split(2)[1]
        self.hosts[ROOT].table = ZoneTable(
            {
                dns.name.root: zone_of(
                    f"$TTL 60\n@ SOA a. b. 1 1 1 1 1\n@ NS a.\n{self.tld} NS a.nic.{self.tld}\na.nic.{self.tld} A {TLD}", "."
                )
            }
        )
        for server in self.plan.name_servers:
            for address in server.addresses:
                self.hosts.setdefault(address, Host()).table = ZoneTable({self.plan.domain: self.zone})
        for mail_host in self.plan.mail_hosts:
            for address in mail_host.addresses:
                self.hosts.setdefault(address, Host(udp="closed", tcp="closed")).smtp = "answers"
        self.hosts[RESOLVER].table = ZoneTable({self.plan.domain: self.zone})
        self.delegate({s.name: s.addresses if s.name.is_subdomain(self.plan.domain) else () for s in self.plan.name_servers})
        self.network = MappedNetwork()
        self._stack = contextlib.AsyncExitStack()
        self._writers: list[asyncio.StreamWriter] = []

    def delegate(self, servers: dict[Name, tuple[IPAddress, ...]], extra: str = "") -> None:
        """Let the TLD list these name servers with this glue; none: the domain is not registered."""
        lines = [f"{self.plan.domain} NS {server}" for server in servers]
        lines += [f"{server} {'A' if a.version == 4 else 'AAAA'} {a}" for server, glue in servers.items() for a in glue]
        text = "\n".join(
            ["$TTL 60", "@ SOA a. b. 1 1 1 1 1", f"@ NS a.nic.{self.tld}", f"a.nic.{self.tld} A {TLD}", *lines, extra]
        )
        self.hosts[TLD].table = ZoneTable({self.tld: zone_of(text + "\n", str(self.tld))})

    def serve(self, zone: Zone, *at: str) -> None:
        """Let these addresses (or all name servers) serve another version."""
        addresses = [ip_address(text) for text in at] or [a for s in self.plan.name_servers for a in s.addresses]
        for address in addresses:
            self.hosts[address].table = ZoneTable({zone.apex: zone})

    def host(self, address: str) -> Host:
        return self.hosts.setdefault(ip_address(address), Host())

    async def __aenter__(self) -> Self:
        for address, host in self.hosts.items():
            await self._start_dns(address, host)
            await self._start_smtp(address, host)
        return self

    async def __aexit__(self, *_: object) -> None:
        for writer in self._writers:
            writer.close()
        await self._stack.aclose()

    async def _start_dns(self, address: IPAddress, host: Host) -> None:
        tcp, udp = _one_port()
        port = tcp.getsockname()[1]
        self.network.places[Endpoint(address)] = ("127.0.0.1", port)
        if host.tcp == "closed":
            tcp.close()
        else:
            await self._serve(tcp, lambda r, w: self._tcp(host, r, w))
        if host.udp == "closed":
            udp.close()
        else:
            loop = asyncio.get_running_loop()
            leaving = self._other_socket(host.answers_from) if host.answers_from else None
            transport, _ = await loop.create_datagram_endpoint(lambda: _Udp(host, leaving), sock=udp)
            self._stack.callback(transport.close)

    def _other_socket(self, at: Endpoint) -> socket.socket:
        """Return a socket from which answers leave that were asked for elsewhere."""
        leaving = self._stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        leaving.bind(("127.0.0.1", 0))
        self.network.places[at] = leaving.getsockname()
        return leaving

    async def _start_smtp(self, address: IPAddress, host: Host) -> None:
        listening = socket.create_server(("127.0.0.1", 0))
        self.network.places[Endpoint(address, 25)] = listening.getsockname()
        if host.smtp == "closed":
            listening.close()
        else:
            await self._serve(listening, lambda r, w: self._smtp(host, r, w))

    async def _serve(self, listening: socket.socket, handler: Handler) -> None:
        server = await asyncio.start_server(handler, sock=listening)
        self._stack.callback(server.close)

    async def _tcp(self, host: Host, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        with contextlib.suppress(EOFError, OSError):
            query = await read_message(reader)
            if host.tcp == "answers":
                reply = answer(host, query, "tcp")
                writer.write(len(reply).to_bytes(2, "big") + reply)
                await reader.read(1)
                writer.close()

    async def _smtp(self, host: Host, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        with contextlib.suppress(EOFError, OSError):
            if host.smtp == "answers":
                writer.write(f"{host.banner}\r\n".encode())
                await reader.readline()
                writer.write(b"250-mail\r\n250 SIZE\r\n" if host.tls is None else b"250-mail\r\n250 STARTTLS\r\n")
                if (await reader.readline()).strip() == b"STARTTLS" and host.tls is not None:
                    writer.write(b"220 go on\r\n")
                    await writer.start_tls(host.tls)
                    await reader.readline()
                writer.close()

    def world(self, start: str = "resolver") -> World:
        """Return where a check looks from: patient for a moment only, as nothing here is far away."""
        return World(
            root_hints=((name("a.root."), (ROOT,)),), resolver=Endpoint(RESOLVER), timeout=0.5, second_look=0.02, start=start
        )

    async def look(self, start: str = "resolver") -> Facts:
        return await observe(self.plan, network=self.network, world=self.world(start))


async def look(world: SmallWorld, start: str = "resolver") -> Facts:
    """Start a world, look at it once, and end it."""
    async with world:
        return await world.look(start)


def verdict_of(plan: Plan, facts: Facts) -> Verdict:
    return explain(plan, facts, judge(plan, facts))


def codes(verdict: Verdict) -> tuple[str | None, tuple[str, ...]]:
    """Return the cause's code and those of the independent causes."""
    return (verdict.cause.finding.code if verdict.cause else None, tuple(cause.finding.code for cause in verdict.also))
