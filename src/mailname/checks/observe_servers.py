"""The name servers themselves: each by each of its addresses, over UDP and TCP."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from ipaddress import ip_address
from typing import TYPE_CHECKING, NamedTuple, cast

import dns.name
from dns.rdatatype import RdataType

from mailname.checks.known_name import known
from mailname.checks.observe_edns import MOMENT, ask_edns_version, ask_soa
from mailname.checks.patience import soon
from mailname.checks.same_server import TELLING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from dns.name import Name
    from dns.rdtypes.ANY.SOA import SOA

    from mailname.checks.asking import Addressee, Asker
    from mailname.checks.facts import Probe, Record
    from mailname.checks.same_server import FirstAddresses
    from mailname.server.network import Endpoint, IPAddress, Network

# A name that no plan's server has any business to know, and that exists: an answer to it proves recursion.
FOREIGN = known(dns.name.from_text("a.root-servers.net."))
_ADDRESSES = (RdataType.A, RdataType.AAAA)
_AT_MOST = 16  # RRsets of the plan that are compared at each address
_AT_EACH = 3  # of them asked at each address, whatever else it says: SOA, NS, and MX, which a filter may drop


class Questions(NamedTuple):
    """What each name server is asked of the domain.

    Attributes:
        rrsets: owner and type, the apex first.
        vantages: addresses from which a transfer may be allowed; asked from one of these, AXFR proves nothing.

    """

    domain: Name
    rrsets: tuple[tuple[Name, RdataType], ...]
    vantages: frozenset[IPAddress]


def questions(domain: Name, expected: Sequence[Record], hosts: Sequence[Name], vantages: frozenset[IPAddress]) -> Questions:
    """Choose what to ask: the apex, the hosts that mail and delegation depend on, then as much of the plan as is polite."""
    planned = list(dict.fromkeys((record.owner, record.rdtype) for record in expected))
    first = [(domain, kind) for kind in (*TELLING, RdataType.MX, RdataType.TXT)]
    of_hosts = [(owner, kind) for owner, kind in planned if owner in (domain, *hosts) and kind in _ADDRESSES]
    chosen = list(dict.fromkeys([*first, *of_hosts, *planned]))
    return Questions(domain, tuple(chosen[: max(_AT_MOST, len(first) + len(of_hosts))]), vantages)


async def ask_server(
    asker: Asker,
    whom: Addressee,
    wanted: Questions,
    on_mail_host: Callable[[Name, IPAddress], Awaitable[None]],
    firsts: FirstAddresses,
) -> None:
    """Ask one address everything, UDP and TCP at once; a further address of the same server, no more than tells that it is that.

    ``on_mail_host`` is told each mail host and address that this server's answers name, as soon as they are known.
    """
    soa = asyncio.ensure_future(ask_soa(asker, whom))
    await asyncio.gather(
        _by_udp(asker, whom, wanted, soa, on_mail_host, firsts),
        _by_tcp(asker, whom, wanted, soa),
        asker.ask(whom, FOREIGN, RdataType.A, recurse=True),
    )


async def _by_udp(
    asker: Asker,
    whom: Addressee,
    wanted: Questions,
    soa: asyncio.Future[Probe],
    on_mail_host: Callable[[Name, IPAddress], Awaitable[None]],
    firsts: FirstAddresses,
) -> None:
    first = firsts.is_first(whom.server)
    now = wanted.rrsets[1:_AT_EACH]  # the very first is the SOA
    probes = list(await asyncio.gather(soa, *(asker.ask(whom, owner, kind) for owner, kind in now)))
    if not first and await firsts.say_the_same(whom.server, probes, asker.world.timeout):
        return
    beside = _hosts_beside(probes[1], wanted)
    asker.probes += beside.values()
    rest = [one for one in wanted.rrsets[_AT_EACH:] if one not in beside]
    beside.update(zip(rest, await asyncio.gather(*(asker.ask(whom, owner, kind) for owner, kind in rest)), strict=True))
    probes += [beside[one] for one in wanted.rrsets[_AT_EACH:]]
    if first:
        firsts.tell(whom.server, probes)
    mannered = any(probe.answered and probe.opt for probe in probes)
    await asyncio.gather(
        _follow(asker, whom, wanted, probes, on_mail_host),
        *([ask_edns_version(asker, whom)] if mannered else []),
    )


def _hosts_beside(ns: Probe, wanted: Questions) -> dict[tuple[Name, RdataType], Probe]:
    """Return what a server told of its fellows' addresses beside the NS set, where it need not be asked for them.

    They are data of the same zone from the same server (RFC 1035 section 3.3.11). Of each type another name is asked for, so that
    who answers no questions of a type is found; what is not told beside is asked for.
    """
    if not (ns.answered and ns.aa and not ns.tc):
        return {}
    hosts = {record.rdata.to_text() for record in ns.answer if record.rdtype == RdataType.NS}
    named = [one for one in wanted.rrsets[_AT_EACH:] if one[1] in _ADDRESSES and one[0].to_text() in hosts]
    others = {kind for owner, kind in wanted.rrsets[_AT_EACH:] if owner.to_text() not in hosts}
    found = {}
    for owner, kind in named:
        told = tuple(record for record in ns.additional if (record.owner, record.rdtype) == (owner, kind))
        if told and kind in others:
            found[owner, kind] = replace(ns, qname=owner, qtype=kind, answer=told, authority=(), additional=())
    return found


async def _follow(
    asker: Asker,
    whom: Addressee,
    wanted: Questions,
    probes: list[Probe],
    on_mail_host: Callable[[Name, IPAddress], Awaitable[None]],
) -> None:
    """Ask for the addresses of what MX, NS and SOA name; where there are none, look for what a missing dot would make."""
    known = dict(zip(wanted.rrsets, probes, strict=True))
    mx = known.get((wanted.domain, RdataType.MX))
    ns = known.get((wanted.domain, RdataType.NS))
    mail_hosts = [r.exchange for r in mx.rdatas(wanted.domain, RdataType.MX)] if mx else []  # type: ignore[attr-defined]  # MX
    servers = [r.target for r in ns.rdatas(wanted.domain, RdataType.NS)] if ns else []  # type: ignore[attr-defined]  # NS
    soa = known.get((wanted.domain, RdataType.SOA))
    servers += [r.mname for r in cast("tuple[SOA, ...]", soa.rdatas(wanted.domain, RdataType.SOA))] if soa else []
    visits: list[Awaitable[None]] = []
    for host in dict.fromkeys([*mail_hosts, *servers]):
        if not host.is_subdomain(wanted.domain):
            continue
        found = await _addresses(asker, whom, host, known)
        if host in mail_hosts:
            visits += [on_mail_host(host, address) for address in found]
        if not found:
            for other in relatives(host, wanted.domain):
                await _addresses(asker, whom, other, known)
    await asyncio.gather(*visits)


async def _addresses(
    asker: Asker, whom: Addressee, host: Name, known: dict[tuple[Name, RdataType], Probe]
) -> tuple[IPAddress, ...]:
    missing = [(host, kind) for kind in _ADDRESSES if (host, kind) not in known]
    # The plan's own hosts are asked only for the families that the plan gives them; without an answer, ask for both.
    if any(known[host, kind].answer for kind in _ADDRESSES if (host, kind) in known):
        missing = []
    fresh = await asyncio.gather(*(asker.ask(whom, owner, kind) for owner, kind in missing))
    known.update(zip(missing, fresh, strict=True))
    return tuple(
        ip_address(rdata.to_text())
        for kind in _ADDRESSES
        if (host, kind) in known
        for rdata in known[host, kind].rdatas(host, kind)
    )


def relatives(host: Name, domain: Name) -> tuple[Name, ...]:
    """Return the names that a forgotten trailing dot turns into each other: X.DOMAIN and X.DOMAIN.DOMAIN."""
    found: list[Name] = []
    above = host.relativize(domain)
    relative_domain = domain.relativize(dns.name.root)
    if above != relative_domain and above.is_subdomain(relative_domain):
        found.append(above.derelativize(dns.name.root))
    with contextlib.suppress(dns.name.NameTooLong):
        found.append(host.relativize(dns.name.root).derelativize(domain))
    return tuple(found)


async def _by_tcp(asker: Asker, whom: Addressee, wanted: Questions, soa: asyncio.Future[Probe]) -> None:
    """Try a transfer. Any answer shows that TCP works: the SOA is asked for where there is none, by this way or by UDP.

    Where nobody has a right to transfer, who we are is not looked up.
    """
    if not wanted.vantages or our_address(asker.network, whom.endpoint) not in wanted.vantages:
        tried = asyncio.ensure_future(asker.ask(whom, wanted.domain, RdataType.AXFR, transport="tcp"))
        said = await soon(tried, asker.world.timeout * MOMENT)
        if said is not None and said.answered and (await soa).answered:
            return
        await asyncio.gather(tried, asker.ask(whom, wanted.domain, RdataType.SOA, transport="tcp"))
    else:
        await asker.ask(whom, wanted.domain, RdataType.SOA, transport="tcp")


def our_address(network: Network, towards: Endpoint) -> IPAddress | None:
    """Tell with which address we are seen by a server, before any translation on the way."""
    try:
        with contextlib.closing(network.open_udp(towards)) as opened:
            return ip_address(opened.getsockname()[0].partition("%")[0])
    except OSError:
        return None
