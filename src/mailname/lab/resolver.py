"""A caching recursive resolver: from the root hints down to an answer, through the lab's network (RFC 1034 section 5.3.3).

It is what a sending mail server would ask. It believes a server only about names below the zone that it asked it for, follows
aliases, remembers what is and what is not there until the TTL runs out, goes over to TCP when an answer is truncated, and gives
every question a bound, so that no delegation loop can keep it busy.

Not implemented: DNSSEC validation, QNAME minimisation (RFC 9156), sorting servers by their speed.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rrset
from dns.rdatatype import RdataType

from mailname.lab.cache import Cache, Found
from mailname.lab.listener import Listener
from mailname.server.network import Endpoint, IPAddress, ask_tcp, ask_udp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dns.name import Name
    from dns.rdtypes.IN.A import A

    from mailname.lab.paths import Transport
    from mailname.server.network import Network

ALIASES = 12  # of one chain
QUERIES = 60  # sent for one question of a client
DEPTH = 6  # of name servers whose addresses must be looked up to look up name servers' addresses
TRY = 0.4  # seconds for one datagram: everything is near here
PATIENCE = 1.0  # seconds for one question of a client, who would rather hear SERVFAIL than nothing
SHUNNED = 60.0  # seconds that a silent server is asked last
UDP_LIMIT = 1232


class _Failed(Exception):  # noqa: N818  # becomes SERVFAIL in this file
    """No server gave an answer; the text says which question failed."""


@dataclass(slots=True)
class _Budget:
    queries: int = QUERIES

    def spend(self) -> None:
        self.queries -= 1
        if self.queries < 0:
            raise _Failed(f"more than {QUERIES} queries")


class Resolver:
    """Answers any question from the root down, for whoever asks it. For the lab only: it serves the whole world."""

    def __init__(
        self,
        network: Network,
        at: Endpoint,
        root_hints: Iterable[tuple[Name, IPAddress]],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.cache = Cache()
        self.at = at
        self._network = network
        self._root = tuple(Endpoint(address) for _, address in root_hints)
        self._now = now
        self._silent: dict[Endpoint, float] = {}
        self._listener = Listener(network, (at,), self._answer)

    async def start(self) -> None:
        """Begin to answer."""
        await self._listener.start()

    async def stop(self) -> None:
        """End."""
        await self._listener.stop()

    def forget(self) -> None:
        """Empty the cache, as if every TTL had run out."""
        self.cache.clear()
        self._silent.clear()

    async def resolve(
        self, name: Name, rdtype: RdataType
    ) -> tuple[dns.rcode.Rcode, list[dns.rrset.RRset], dns.rrset.RRset | None]:
        """Look a name up.

        Returns:
            the rcode, the answer (aliases first), and the SOA of a negative answer; SERVFAIL when nobody could tell.

        """
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._follow(name, rdtype, _Budget(), DEPTH)
        except (_Failed, TimeoutError):
            return dns.rcode.SERVFAIL, [], None

    async def _follow(
        self, name: Name, rdtype: RdataType, budget: _Budget, depth: int
    ) -> tuple[dns.rcode.Rcode, list[dns.rrset.RRset], dns.rrset.RRset | None]:
        chain: list[dns.rrset.RRset] = []
        for _ in range(ALIASES):
            found = self.cache.get(name, rdtype, self._now())
            if found is None:
                found = await self._ask_down(name, rdtype, budget, depth)
                kept_as = rdtype if found.rrset is None else found.rrset.rdtype
                self.cache.put(name, kept_as, found, self._now())
            if found.rrset is None:
                return found.rcode, chain, found.soa
            chain.append(found.rrset)
            if found.rrset.rdtype == rdtype or found.rrset.rdtype != RdataType.CNAME:
                return dns.rcode.NOERROR, chain, None
            name = found.rrset[0].target
        raise _Failed(f"a chain of more than {ALIASES} aliases")

    async def _ask_down(self, name: Name, rdtype: RdataType, budget: _Budget, depth: int) -> Found:
        """Walk from the deepest known zone cut down, one referral at a time."""
        if depth == 0:
            raise _Failed(f"name servers' addresses depend on each other: {name}")
        # DS is answered above the cut (RFC 4035 section 3.1.4.1): start at the parent.
        start = name.parent() if rdtype == RdataType.DS and name != dns.name.root else name
        cut = self.cache.cut_above(start, self._now())
        while True:
            zone = cut.name if cut is not None else dns.name.root
            servers = self._root if cut is None else await self._addresses(cut, budget, depth)
            response = await self._ask_one_of(servers, zone, name, rdtype, budget)
            found = _read_answer(response, zone, name, rdtype)
            if found is not None:
                return found
            referral = _read_referral(response, zone, name)
            if referral is None:
                raise _Failed(f"{zone}'s servers neither answer nor refer: {name} {rdtype.name}")
            cut, glue = referral
            self.cache.put_referral(cut, glue, self._now())

    async def _addresses(self, cut: dns.rrset.RRset, budget: _Budget, depth: int) -> tuple[Endpoint, ...]:
        """Return where a zone's name servers are: by glue, else by looking those up that lie outside the zone."""
        now = self._now()
        known: list[Endpoint] = []
        unknown: list[Name] = []
        for ns in cut:
            host: Name = ns.target
            glue = [rrset for rdtype in (RdataType.A, RdataType.AAAA) if (rrset := self.cache.glue(host, rdtype, now))]
            known.extend(_endpoints(glue))
            if not glue and not host.is_subdomain(cut.name):
                unknown.append(host)
        for host in unknown if not known else ():
            for rdtype in (RdataType.A, RdataType.AAAA):
                try:
                    _, chain, _ = await self._follow(host, rdtype, budget, depth - 1)
                except _Failed:
                    continue
                known.extend(_endpoints(rrset for rrset in chain if rrset.rdtype == rdtype))
        if not known:
            raise _Failed(f"no name server of {cut.name} has an address")
        return tuple(known)

    async def _ask_one_of(
        self, servers: tuple[Endpoint, ...], zone: Name, name: Name, rdtype: RdataType, budget: _Budget
    ) -> dns.message.Message:
        now = self._now()
        by_trust = sorted(servers, key=lambda server: self._silent.get(server, now) > now)
        for server in by_trust + by_trust:
            budget.spend()
            response = await self._ask(server, name, rdtype)
            if response is not None and _is_usable(response, zone):
                return response
        raise _Failed(f"no server of {zone} answers {name} {rdtype.name}")

    async def _ask(self, server: Endpoint, name: Name, rdtype: RdataType) -> dns.message.Message | None:
        query = dns.message.make_query(name, rdtype, use_edns=0, payload=UDP_LIMIT)
        query.flags &= ~dns.flags.RD
        wire = query.to_wire()
        source = self.at.address if self.at.address.version == server.address.version else None
        try:
            response = _read(await ask_udp(self._network, wire, server, timeout=TRY, source=source), query)
            if response is not None and response.flags & dns.flags.TC:
                response = _read(await ask_tcp(self._network, wire, server, timeout=2 * TRY, source=source), query)
        except TimeoutError:
            self._silent[server] = self._now() + SHUNNED
            return None
        except (OSError, EOFError):
            return None
        return response

    async def _answer(self, wire: bytes, transport: Transport) -> bytes | None:
        try:
            query = dns.message.from_wire(wire)
        except dns.exception.DNSException:
            return None
        if query.flags & dns.flags.QR:
            return None
        response = dns.message.make_response(query, recursion_available=True, our_payload=UDP_LIMIT)
        if query.opcode() != dns.opcode.QUERY or len(query.question) != 1:
            response.set_rcode(dns.rcode.NOTIMP if query.opcode() != dns.opcode.QUERY else dns.rcode.FORMERR)
        elif not query.flags & dns.flags.RD:
            response.set_rcode(dns.rcode.REFUSED)  # "what do you have in your cache?" is nobody's business
        else:
            question = query.question[0]
            rcode, chain, soa = await self.resolve(question.name, question.rdtype)
            response.set_rcode(rcode)
            response.answer = chain
            response.authority = [soa] if soa is not None else []
        if transport == "tcp":
            return response.to_wire()
        limit = min(max(query.payload, 512), UDP_LIMIT) if query.edns >= 0 else 512
        try:
            return response.to_wire(max_size=limit)
        except dns.exception.TooBig:
            response.answer, response.authority = [], []
            response.flags |= dns.flags.TC
            return response.to_wire()


def _read(wire: bytes, query: dns.message.Message) -> dns.message.Message | None:
    try:
        response = dns.message.from_wire(wire, ignore_trailing=True)
    except dns.exception.DNSException:
        return None
    return response if query.is_response(response) else None


def _is_usable(response: dns.message.Message, zone: Name) -> bool:
    """Tell an answer or a referral from a server's refusal, and from one that sends us back up."""
    if response.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        return False
    if response.flags & dns.flags.AA:
        return True
    return any(
        rrset.rdtype == RdataType.NS and rrset.name != zone and rrset.name.is_subdomain(zone) for rrset in response.authority
    )


def _read_answer(response: dns.message.Message, zone: Name, name: Name, rdtype: RdataType) -> Found | None:
    """Take out of an authoritative response what it says about exactly this name; aliases are followed by asking again."""
    if not response.flags & dns.flags.AA:
        return None
    for rrset in response.answer:
        if rrset.name == name and rdtype in (rrset.rdtype, RdataType.ANY):
            return Found(dns.rcode.NOERROR, rrset)
    for rrset in response.answer:
        if rrset.name == name and rrset.rdtype == RdataType.CNAME:
            return Found(dns.rcode.NOERROR, rrset)
    soa = next((rrset for rrset in response.authority if rrset.rdtype == RdataType.SOA and rrset.name.is_subdomain(zone)), None)
    if soa is None and any(rrset.rdtype == RdataType.NS for rrset in response.authority):
        return None
    return Found(response.rcode(), None, soa)


def _read_referral(response: dns.message.Message, zone: Name, name: Name) -> tuple[dns.rrset.RRset, list[dns.rrset.RRset]] | None:
    """Return the zone cut that a response leads to, one step nearer to the name, with the glue that its zone may give."""
    for rrset in response.authority:
        is_deeper = rrset.name != zone and rrset.name.is_subdomain(zone) and name.is_subdomain(rrset.name)
        if rrset.rdtype == RdataType.NS and is_deeper:
            hosts = {ns.target for ns in rrset}
            glue = [
                extra
                for extra in response.additional
                if extra.rdtype in (RdataType.A, RdataType.AAAA) and extra.name in hosts and extra.name.is_subdomain(zone)
            ]
            return rrset, glue
    return None


def _endpoints(rrsets: Iterable[dns.rrset.RRset]) -> list[Endpoint]:
    rdatas: list[A] = [rdata for rrset in rrsets for rdata in rrset]
    return [Endpoint(ip_address(rdata.address)) for rdata in rdatas]
