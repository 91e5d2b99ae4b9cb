"""What a server answers for each name of a zone that is known, where it gives the zone to nobody: question by question.

Names that only the server has stay unseen; so this tells what differs of what is known, and proves no more.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING

import dns.exception
import dns.flags
import dns.message
import dns.rcode
from dns.rdatatype import RdataType

from mailname.errors import ObservationError, ZoneError
from mailname.server.network import ask_tcp
from mailname.zone import ZoneBuilder

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dns.name import Name
    from dns.rrset import RRset

    from mailname.server.network import Endpoint, Network
    from mailname.zone import Zone

_TIMEOUT = 5.0  # seconds for one question
_AT_ONCE = 8
# What else a name is likely to have, beside what is known of it.
_USUAL = (RdataType.A, RdataType.AAAA, RdataType.CNAME, RdataType.MX, RdataType.TXT)


async def asked_zone(network: Network, at: Endpoint, known: Zone) -> Zone:
    """Ask a server for all names of a zone, over TCP.

    Args:
        network: through what.
        at: the server.
        known: whose names are asked for.

    Returns:
        The zone that the answers make.

    Raises:
        ObservationError: the server does not answer, or not with authority for the zone.

    """
    (soa,) = await _ask(network, at, known.apex, [(known.apex, RdataType.SOA)])
    if not soa:
        remedy = "See what it serves: mailname check PLAN"
        raise ObservationError(f"{at} does not answer with authority for {known.apex}", remedy=remedy, server=str(at))
    questions = {(node.owner, rdtype): None for node in known.nodes() if node.rrsets for rdtype in (*node.rrsets, *_USUAL)}
    builder = ZoneBuilder(known.apex)
    for rrsets in await _ask(network, at, known.apex, questions):
        for rrset in rrsets:
            for rdata in rrset:
                if builder.holds(rrset.name):
                    builder.add(rrset.name, rrset.ttl, rdata)
    try:
        return builder.build()
    except ZoneError as error:
        raise ObservationError(f"what {at} answers is no zone: {error.problem}", server=str(at)) from error


async def _ask(network: Network, at: Endpoint, apex: Name, questions: Iterable[tuple[Name, RdataType]]) -> list[list[RRset]]:
    """Ask several questions; return what is said of the name and type that was asked for, or of the name's alias."""
    limit = asyncio.Semaphore(_AT_ONCE)

    async def one(name: Name, rdtype: RdataType) -> list[RRset]:
        message = dns.message.make_query(name, rdtype, flags=0, id=secrets.randbelow(0x10000))
        try:
            async with limit:
                wire = await ask_tcp(network, message.to_wire(), at, timeout=_TIMEOUT)
            answer = dns.message.from_wire(wire, ignore_trailing=True)
        except (OSError, EOFError, dns.exception.DNSException, ValueError) as error:
            says = "no answer" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
            problem = f"{at} was asked for {name} {rdtype.name}: {says}"
            raise ObservationError(problem, remedy="Is its TCP port 53 open, and does it run?", server=str(at)) from error
        if answer.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            problem = f"{at} answered {dns.rcode.to_text(answer.rcode())} for {name} {rdtype.name}"
            raise ObservationError(problem, remedy=f"Does it serve {apex}, to everybody?", server=str(at))
        if not answer.flags & dns.flags.AA and name == apex:
            return []
        # Below a zone cut the answer is a referral, and glue stands beside it.
        sections = [answer.answer] if answer.flags & dns.flags.AA else [answer.answer, answer.authority, answer.additional]
        return [rrset for section in sections for rrset in section if _is_about(rrset, name, rdtype)]

    return await asyncio.gather(*(one(name, rdtype) for name, rdtype in questions))


def _is_about(rrset: RRset, name: Name, rdtype: RdataType) -> bool:
    return rrset.name == name and rrset.rdtype in (rdtype, RdataType.CNAME)
