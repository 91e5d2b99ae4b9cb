"""The journey of a mail domain, walked in the lab: from a zone file on the primary to a letter at the mail host.

Each step does one thing that a person, a server or a registrar would do, looks whether it had its effect, and tells it.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

import dns.exception
import dns.message
import dns.name
import dns.rcode
from dns.rdatatype import RdataType

from mailname.checks.observe_travel import follow
from mailname.errors import HostError, ObservationError
from mailname.lab.mail_host import PORT
from mailname.lab.postman import deliver
from mailname.lab.registry_order import place_order
from mailname.server.network import Endpoint, ask_udp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

    from dns.name import Name
    from dns.rdata import Rdata

    from mailname.lab.lab import Lab
    from mailname.lab.name_server import LabNameServer
    from mailname.server.network import IPAddress

_PATIENCE = 2.0
_ENDLESS = 30.0  # seconds of ours: a registry of the lab that takes this much longer than it should will never


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the journey.

    Attributes:
        title: what is done, in a few words.
        says: what was seen, one line each.
        ok: it had its effect.
        seconds: how long it took.

    """

    title: str
    says: tuple[str, ...]
    ok: bool
    seconds: float


async def walk(lab: Lab, before_registering: Callable[[], Awaitable[None]] | None = None) -> AsyncIterator[Step]:
    """Walk the journey in a started lab. A step that fails does not end it: the check afterwards says why.

    Args:
        lab: where.
        before_registering: awaited when the servers have the zone, and the registry has been told nothing.

    """
    for act in (_publish, _notify, _transfer, _register, *((_travel,) if lab.registry_delay else ()), _tld, _resolve, _mail):
        if act is _register and before_registering is not None:
            await before_registering()
        began = time.perf_counter()
        title, says, ok = await act(lab)
        yield Step(title, tuple(says), ok, time.perf_counter() - began)


_Told = tuple[str, list[str], bool]


async def _publish(lab: Lab) -> _Told:
    title = "publish"
    try:
        serial = await lab.publish()
    except HostError as error:
        return title, [str(error)], False
    zone = lab.desired(serial)[0]
    more = f", and {len(lab.desired(serial)) - 1} reverse zones" if len(lab.desired(serial)) > 1 else ""
    primary = _spoken(lab.plan.primary.name)
    return title, [f"serial {serial} on the primary {primary}: {zone.record_count} records{more}"], True


async def _notify(lab: Lab) -> _Told:
    title = "notify"
    if not lab.secondaries:
        return title, ["this plan has no secondary to notify"], True

    def told() -> list[dict[str, object]]:
        secondaries: list[dict[str, object]] = lab.primary.zone_status(lab.plan.domain).get("secondaries", [])
        return secondaries

    await lab.until(lambda: all(one["state"] == "acknowledged" for one in told()), _PATIENCE)
    says = [
        f"{_spoken(lab.primary.name)} → {_owner(lab, str(one['address']))}: NOTIFY {one['serial']}, {one['state']}"
        for one in told()
    ]
    return title, says, all(one["state"] == "acknowledged" for one in told())


async def _transfer(lab: Lab) -> _Told:
    title = "transfer"
    ok = await lab.wait_for_secondaries()
    return title, [_transferred(lab, server) for server in lab.secondaries] or ["nobody to transfer to"], ok


_COUNTED = (("messages", "message(s)"), ("records", "records"), ("octets", "octets"))


def _transferred(lab: Lab, server: LabNameServer) -> str:
    status = server.zone_status(lab.plan.domain)
    done = status.get("last_transfer")
    name = _spoken(server.name)
    if not done:
        failure = status.get("last_failure") or {}
        return f"{name}: not transferred: {failure.get('says', 'no answer from the primary')}"
    # Knot counts no records, NSD no messages either.
    counts = [f"{done[what]} {word}" for what, word in _COUNTED if done.get(what) is not None]
    told = [f"serial {done['serial']}", *counts, f"{done['seconds']:.3f} s"]
    return f"{name} ← {_owner(lab, done['peer'])}: {', '.join(told)}"


async def _register(lab: Lab) -> _Told:
    title = f"register at the registry of {_spoken(lab.internet.registry.apex)}"
    order = await place_order(lab)
    entry = order.entry
    glue = dict(entry.glue)
    says = [
        f"{_spoken(entry.domain)} NS {_spoken(host)}"
        + (f", glue {_listed(glue[host])}" if host in glue else ", outside the domain: no glue needed")
        for host in entry.name_servers
    ]
    return title, [*says, *order.says], not order.refused


async def _travel(lab: Lab) -> _Told:
    """Wait until the registry's servers have learnt of it, as ``mailname check --watch`` does."""
    title = "the registry's servers learn of it"
    if lab.internet.registry.entry(lab.plan.domain) is None:
        return title, ["there is nothing to learn: the order was refused"], False
    says: list[str] = []
    counted: tuple[int, int] | None = None
    async with asyncio.timeout(_ENDLESS + lab.registry_delay / lab.clock.speed):
        async for station in follow(lab.plan, network=lab.network, world=lab.world, sleep=lab.clock.sleep, now=lab.clock.now):
            count = (len(station.ready), len(station.late))
            if count != counted or station.arrived:
                says.append(station.says())
            counted = count
    return title, says, True


async def _tld(lab: Lab) -> _Told:
    domain = lab.plan.domain
    hosts = lab.internet.tld_hosts
    answers = await asyncio.gather(*(_ask(lab, Endpoint(addresses[0]), domain, RdataType.NS) for _, addresses in hosts))
    says: list[str] = []
    for (host, _), answer in zip(hosts, answers, strict=True):
        cut = [r for rrset in answer.authority if rrset.name == domain for r in rrset] if answer else []
        glue = [r for rrset in answer.additional for r in rrset] if answer else []
        says.append(
            f"{_spoken(host)}: refers to {len(cut)} name servers, {len(glue)} addresses beside them"
            if cut
            else f"{_spoken(host)}: no referral"
        )
    return "the TLD's servers answer", says, all("refers" in line for line in says)


async def _resolve(lab: Lab) -> _Told:
    title = "the resolver finds the mail host"
    domain = lab.plan.domain
    answer = await _ask(lab, lab.resolver.at, domain, RdataType.MX, recurse=True)
    exchanges = _mx(answer)
    if not exchanges:
        rcode = dns.rcode.to_text(answer.rcode()) if answer else "no answer"
        return title, [f"{_spoken(domain)} MX: none ({rcode})"], not lab.plan.mail_hosts
    if _is_null(exchanges):
        return title, [f"{_spoken(domain)} MX 0 .: it takes no mail (RFC 7505)"], not lab.plan.mail_hosts
    says, ok = [], True
    for preference, host in exchanges:
        found = await _addresses(lab, host)
        ok = ok and bool(found)
        says.append(f"{_spoken(domain)} MX {preference} {_spoken(host)} → {_listed(found) or 'no address'}")
    return title, says, ok


async def _mail(lab: Lab) -> _Told:
    title = "a letter is delivered"
    domain = _spoken(lab.plan.domain)
    recipient = f"postmaster@{lab.plan.domain.to_text(omit_final_dot=True)}"
    text = (
        f"From: <rehearsal@sender.invalid>\nTo: <{recipient}>\nSubject: rehearsal\n\nIf you can read this, {domain} has a name.\n"
    )
    exchanges = _mx(await _ask(lab, lab.resolver.at, lab.plan.domain, RdataType.MX, recurse=True))
    says: list[str] = ["the domain takes no mail"] if _is_null(exchanges) else []
    for _, host in exchanges:
        for address in await _addresses(lab, host):
            to = Endpoint(address, PORT)
            try:
                greeting, taken = await deliver(
                    lab.network, to, sender="rehearsal@sender.invalid", recipient=recipient, text=text, timeout=_PATIENCE
                )
            except ObservationError as error:
                says.append(str(error))
                continue
            return title, [*says, f"{to}: {greeting}", f"to {recipient}: {taken}"], True
    return title, says or ["no mail host to deliver it to"], not lab.plan.mail_hosts


async def _ask(lab: Lab, server: Endpoint, name: Name, rdtype: RdataType, *, recurse: bool = False) -> dns.message.Message | None:
    query = dns.message.make_query(name, rdtype, use_edns=0, payload=1232)
    if not recurse:
        query.flags = type(query.flags)(0)
    try:
        return dns.message.from_wire(await ask_udp(lab.network, query.to_wire(), server, timeout=_PATIENCE))
    except (OSError, dns.exception.DNSException):
        return None


def _mx(answer: dns.message.Message | None) -> list[tuple[int, Name]]:
    rrsets = answer.answer if answer is not None else []
    return sorted((rdata.preference, rdata.exchange) for rrset in rrsets if rrset.rdtype == RdataType.MX for rdata in rrset)


def _is_null(exchanges: list[tuple[int, Name]]) -> bool:
    """Tell whether this is a null MX: the domain takes no mail (RFC 7505 section 3)."""
    return [host for _, host in exchanges] == [dns.name.root]


async def _addresses(lab: Lab, host: Name) -> list[IPAddress]:
    found: list[IPAddress] = []
    for rdtype in (RdataType.A, RdataType.AAAA):
        answer = await _ask(lab, lab.resolver.at, host, rdtype, recurse=True)
        rdatas: list[Rdata] = [rdata for rrset in answer.answer if rrset.rdtype == rdtype for rdata in rrset] if answer else []
        found.extend(ip_address(rdata.to_text()) for rdata in rdatas)
    return found


def _owner(lab: Lab, peer: str) -> str:
    """Say whose address this is."""
    for server in lab.plan.name_servers:
        if any(peer in (str(address), str(Endpoint(address))) for address in server.addresses):
            return f"{_spoken(server.name)} ({peer})"
    return peer


def _listed(addresses: Iterable[IPAddress]) -> str:
    return ", ".join(str(address) for address in addresses)


def _spoken(name: Name) -> str:
    return name.to_text(omit_final_dot=True)
