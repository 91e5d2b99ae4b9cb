"""The lab's resolver, from the root hints to the answer, over real sockets."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
from dns.rdatatype import RdataType

from mailname.lab.authority import Authority
from mailname.lab.internet import Addresses, Internet
from mailname.lab.network import LabNetwork
from mailname.lab.registry import Registration
from mailname.lab.resolver import Resolver
from mailname.server.network import Endpoint, ask_tcp, ask_udp
from mailname.zone import Zone, ZoneBuilder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dns.name import Name

NS1 = ip_address("192.0.2.1")
ZONE = """
@      600 SOA ns1 hostmaster 1 14400 3600 604800 300
@      600 NS ns1
@      600 MX 10 mail
ns1    600 A 192.0.2.1
mail   600 A 192.0.2.2
www    600 CNAME web
web    600 CNAME mail
loop   600 CNAME loop2
loop2  600 CNAME loop
out    600 CNAME ns1.provider.net.
big    600 TXT "{big}" "{big}" "{big}" "{big}" "{big}" "{big}" "{big}"
""".replace("{big}", "x" * 250)


def name(text: str) -> Name:
    return dns.name.from_text(text)


def zone(apex: str, text: str) -> Zone:
    builder = ZoneBuilder(name(apex))
    for line in text.strip().splitlines():
        owner, ttl, rdtype, rdata = line.split(None, 3)
        builder.add(
            dns.name.from_text(owner, builder.apex),
            int(ttl),
            dns.rdata.from_text(dns.rdataclass.IN, rdtype, rdata, builder.apex, relativize=False),
        )
    return builder.build()


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Running:
    network: LabNetwork
    world: Internet
    server: Authority
    resolver: Resolver
    clock: Clock

    async def ask(self, qname: str, rdtype: RdataType = RdataType.A) -> tuple[str, list[str]]:
        rcode, chain, _ = await self.resolver.resolve(name(qname), rdtype)
        return dns.rcode.to_text(rcode), [line for rrset in chain for line in rrset.to_text().splitlines()]


@asynccontextmanager
async def running(domain: str = "example.tech.", *, foreign: dict[str, str] | None = None) -> AsyncIterator[Running]:
    async with AsyncExitStack() as stack:
        network = LabNetwork()
        stack.callback(network.close)
        hosts = {
            name(host): (ip_address(address),) for host, address in (foreign or {"ns1.provider.net.": "203.0.113.7"}).items()
        }
        world = Internet(network, name(domain), hosts, Addresses.beside([NS1]))
        server = Authority(network, (Endpoint(NS1),))
        server.put(zone(domain, ZONE))
        ns1 = name(f"ns1.{domain}")
        world.delegate(Registration(name(domain), (ns1,), ((ns1, (NS1,)),)))
        world.publish()
        clock = Clock()
        resolver = Resolver(network, Endpoint(world.addresses.resolver), world.root_hints, clock)
        for part in (world, server, resolver):
            stack.push_async_callback(part.stop)
            await part.start()
        yield Running(network, world, server, resolver, clock)


class TestResolve:
    async def test_walks_down_from_the_root(self) -> None:
        """Root, TLD with glue, name server."""
        async with running() as lab:
            assert await lab.ask("example.tech.", RdataType.MX) == ("NOERROR", ["example.tech. 600 IN MX 10 mail.example.tech."])

    async def test_two_levels_below_the_tld(self) -> None:
        """The TLD's zone holds the delegation whatever its depth: example.co.uk in uk."""
        async with running("example.co.uk.") as lab:
            assert await lab.ask("mail.example.co.uk.") == ("NOERROR", ["mail.example.co.uk. 600 IN A 192.0.2.2"])

    async def test_follows_aliases(self) -> None:
        """RFC 1034 section 3.6.2."""
        async with running() as lab:
            rcode, lines = await lab.ask("www.example.tech.")
            assert rcode == "NOERROR"
            assert [line.split()[3] for line in lines] == ["CNAME", "CNAME", "A"]

    async def test_follows_an_alias_into_another_domain(self) -> None:
        """The provider's zone has its own delegation."""
        async with running() as lab:
            assert (await lab.ask("out.example.tech."))[1][-1] == "ns1.provider.net. 3600 IN A 203.0.113.7"

    async def test_alias_loop_is_servfail(self) -> None:
        """Every question has a bound."""
        async with running() as lab:
            assert await lab.ask("loop.example.tech.") == ("SERVFAIL", [])

    async def test_missing_name_and_missing_type_differ(self) -> None:
        """RFC 2308 section 2."""
        async with running() as lab:
            assert await lab.ask("nothing.example.tech.") == ("NXDOMAIN", [])
            assert await lab.ask("mail.example.tech.", RdataType.MX) == ("NOERROR", [])

    async def test_unregistered_domain_is_nxdomain(self) -> None:
        """The registry says so."""
        async with running() as lab:
            assert await lab.ask("other.tech.", RdataType.MX) == ("NXDOMAIN", [])

    async def test_without_glue_is_servfail(self) -> None:
        """Nobody can reach a name server whose address only it knows."""
        async with running() as lab:
            lab.world.delegate(Registration(name("example.tech."), (name("ns1.example.tech."),)))
            lab.world.publish()
            assert await lab.ask("example.tech.", RdataType.MX) == ("SERVFAIL", [])

    async def test_name_servers_elsewhere_need_no_glue(self) -> None:
        """The resolver looks their addresses up first."""
        async with running(foreign={"ns1.dns.provider.net.": str(NS1)}) as lab:
            lab.world.delegate(Registration(name("example.tech."), (name("ns1.dns.provider.net."),)))
            lab.world.publish()
            assert (await lab.ask("mail.example.tech."))[0] == "NOERROR"

    async def test_large_answer_comes_by_tcp(self) -> None:
        """TC means: ask again over TCP (RFC 7766 section 5)."""
        async with running() as lab:
            assert len((await lab.ask("big.example.tech.", RdataType.TXT))[1][0]) > 1700


class TestCache:
    async def test_answer_is_kept_until_its_ttl(self) -> None:
        """Then it is asked anew; until then the TTL counts down."""
        async with running() as lab:
            await lab.ask("mail.example.tech.")
            lab.server.put(zone("example.tech.", ZONE.replace("192.0.2.2", "192.0.2.9")))
            lab.clock.now = 599
            assert await lab.ask("mail.example.tech.") == ("NOERROR", ["mail.example.tech. 1 IN A 192.0.2.2"])
            lab.clock.now = 600
            assert await lab.ask("mail.example.tech.") == ("NOERROR", ["mail.example.tech. 600 IN A 192.0.2.9"])

    async def test_nxdomain_is_kept_for_the_soa_minimum(self) -> None:
        """RFC 2308 section 5: the lower of the SOA's TTL and its minimum, for every type."""
        async with running() as lab:
            await lab.ask("new.example.tech.")
            lab.server.put(zone("example.tech.", ZONE + "new 600 A 192.0.2.9\n"))
            lab.clock.now = 299
            assert await lab.ask("new.example.tech.", RdataType.MX) == ("NXDOMAIN", [])
            lab.clock.now = 300
            assert (await lab.ask("new.example.tech."))[0] == "NOERROR"

    async def test_forgetting_asks_the_root_again(self) -> None:
        """As when every TTL has run out."""
        async with running() as lab:
            await lab.ask("mail.example.tech.")
            lab.world.registry.delete(name("example.tech."))
            lab.world.publish()
            lab.resolver.forget()
            assert await lab.ask("mail.example.tech.") == ("NXDOMAIN", [])


class TestService:
    async def test_answers_over_udp_and_tcp(self) -> None:
        """RA is set, AA is not; what does not fit a datagram is truncated."""
        async with running() as lab:
            query = dns.message.make_query("big.example.tech.", "TXT", use_edns=False)
            udp = dns.message.from_wire(await ask_udp(lab.network, query.to_wire(), lab.resolver.at, timeout=5))
            tcp = dns.message.from_wire(await ask_tcp(lab.network, query.to_wire(), lab.resolver.at, timeout=5))
            assert dns.flags.to_text(udp.flags) == "QR TC RD RA"
            assert dns.flags.to_text(tcp.flags) == "QR RD RA"
            assert len(tcp.answer) == 1

    async def test_question_without_rd_is_refused(self) -> None:
        """The cache is not for snooping."""
        async with running() as lab:
            query = dns.message.make_query("example.tech.", "MX", flags=0)
            answer = dns.message.from_wire(await ask_udp(lab.network, query.to_wire(), lab.resolver.at, timeout=5))
            assert answer.rcode() == dns.rcode.REFUSED
