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
_AT_EACH = 4  # of them asked at each address, whatever else it says: SOA, NS, MX and TXT, which a filter may drop


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
    foreign = asyncio.ensure_future(asker.ask(whom, FOREIGN, RdataType.A, recurse=True))
    await asyncio.gather(
        _by_udp(asker, whom, wanted, (soa, foreign), on_mail_host, firsts),
        _by_tcp(asker, whom, wanted, soa),
        foreign,
    )


async def _by_udp(
    asker: Asker,
    whom: Addressee,
    wanted: Questions,
    begun: tuple[asyncio.Future[Probe], asyncio.Future[Probe]],
    on_mail_host: Callable[[Name, IPAddress], Awaitable[None]],
    firsts: FirstAddresses,
) -> None:
    soa, foreign = begun
    first = firsts.is_first(whom.server)
    now = wanted.rrsets[1:_AT_EACH]  # the very first is the SOA
    probes = list(await asyncio.gather(soa, *(asker.ask(whom, owner, kind) for owner, kind in now)))
    if not first and await firsts.say_the_same(whom.server, probes, asker.world.timeout):
        said = await soon(foreign, asker.world.timeout * MOMENT)
        if said is None or not said.answered:  # foreign names it is silent about, or questions for addresses?
            await asker.ask(whom, wanted.domain, RdataType.A)
        return
    beside = _hosts_beside(probes[1:3], wanted)
    found: dict[tuple[Name, RdataType], Probe] = {}

    async def ask_all(of: list[tuple[Name, RdataType]]) -> None:
        found.update(zip(of, await asyncio.gather(*(asker.ask(whom, owner, kind) for owner, kind in of)), strict=True))

    await ask_all([one for one in wanted.rrsets[_AT_EACH:] if one not in beside])
    heard = {kind for (_, kind), probe in found.items() if probe.answered}
    await ask_all([one for one in beside if one[1] not in heard])
    told = {one: probe for one, probe in beside.items() if one not in found}
    asker.probes += told.values()
    found |= told
    probes += [found[one] for one in wanted.rrsets[_AT_EACH:]]
    if first:
        firsts.tell(whom.server, probes)
    mannered = any(probe.answered and probe.opt for probe in probes)
    await asyncio.gather(
        _follow(asker, whom, wanted, probes, on_mail_host),
        *([ask_edns_version(asker, whom)] if mannered else []),
    )


def _hosts_beside(said: Sequence[Probe], wanted: Questions) -> dict[tuple[Name, RdataType], Probe]:
    """Return what a server told of hosts' addresses beside the NS set and the MX, where it need not be asked for them.

    They are data of the same zone from the same server (RFC 1035 sections 3.3.9 and 3.3.11). Of each type another name is asked
    for, so that who answers no questions of a type is found; what is not told beside is asked for.
    """
    hosts = {record.rdata.to_text().split()[-1] for probe in said for record in probe.answer}
    named = [one for one in wanted.rrsets[_AT_EACH:] if one[1] in _ADDRESSES and one[0].to_text() in hosts]
    others = {kind for owner, kind in wanted.rrsets[_AT_EACH:] if owner.to_text() not in hosts}
    told = ((one, _beside(said, *one)) for one in named if one[1] in others)
    return {one: probe for one, probe in told if probe is not None}


def _beside(said: Sequence[Probe], owner: Name, kind: RdataType) -> Probe | None:
    """Return what was told beside other records as if it had been asked for."""
    for probe in said:
        if probe.answered and probe.aa and not probe.tc:
            told = tuple(record for record in probe.additional if (record.owner, record.rdtype) == (owner, kind))
            if told:
                return replace(probe, qname=owner, qtype=kind, answer=told, authority=(), additional=())
    return None


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
        said = [] if host in mail_hosts or not ns else [ns]
        found = await _addresses(asker, whom, host, known, said)
        if host in mail_hosts:
            visits += [on_mail_host(host, address) for address in found]
        if not found:
            for other in relatives(host, wanted.domain):
                await _addresses(asker, whom, other, known, [])
    await asyncio.gather(*visits)


async def _addresses(
    asker: Asker, whom: Addressee, host: Name, known: dict[tuple[Name, RdataType], Probe], said: Sequence[Probe]
) -> tuple[IPAddress, ...]:
    """Return a host's addresses by this server: known already, told beside what was ``said``, or asked for.

    Told beside counts only for a type for which the server was asked with another name.
    """
    missing = [(host, kind) for kind in _ADDRESSES if (host, kind) not in known]
    # The plan's own hosts are asked only for the families that the plan gives them; without an answer, ask for both.
    if any(known[host, kind].answer for kind in _ADDRESSES if (host, kind) in known):
        missing = []
    asked = {kind for (_, kind), probe in known.items() if probe.answered}
    for one in [one for one in missing if one[1] in asked]:
        if (told := _beside(said, *one)) is not None:
            known[one] = told
            asker.probes.append(told)
    missing = [one for one in missing if one not in known]
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
