"""One request in, one reply out: which zone answers, what is refused, and how much of the answer fits.

Never raises, never recurses: what is not served here is REFUSED.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import dns.name
from dns.opcode import Opcode
from dns.rcode import Rcode
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType

from mailname.answer.chaos import chaos
from mailname.answer.options import negotiate
from mailname.answer.question import answer
from mailname.answer.reply import Sort
from mailname.answer.settings import DEFAULT
from mailname.answer.table import Unserved, ZoneTable
from mailname.answer.truncation import render
from mailname.wire.edns import CLASSIC_PAYLOAD, PAYLOAD, ExtendedError, OptionCode
from mailname.wire.message import TC, error_reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from dns.name import Name

    from mailname.answer.settings import Settings
    from mailname.wire.edns import Options
    from mailname.wire.message import Request
    from mailname.zone import Zone

Transport = Literal["udp", "tcp"]

_TCP_LIMIT = 65535
_TRANSFERS = frozenset({RdataType.AXFR, RdataType.IXFR})


@dataclass(frozen=True, slots=True)
class Response:
    """A reply, and what the limiting of rates wants to know of it.

    Attributes:
        wire: the reply.
        sort, subject: what it is about, as in ``Reply``; for an error, the root.
        verified: the client has shown a good cookie.
        options: the EDNS options that go into whatever is sent instead.

    """

    wire: bytes
    sort: Sort
    subject: Name
    verified: bool = False
    options: Options = ()


def respond(
    request: Request,
    table: ZoneTable,
    *,
    transport: Transport,
    limit: int = PAYLOAD,
    reserve: int = 0,
    client: bytes | None = None,
    now: int = 0,
    settings: Settings = DEFAULT,
    expire: Callable[[Name], int | None] | None = None,
) -> bytes:
    """Return the reply to a query; as ``reply_to``, for who wants nothing but the octets."""
    response = reply_to(
        request,
        table,
        transport=transport,
        limit=limit,
        reserve=reserve,
        client=client,
        now=now,
        settings=settings,
        expire=expire,
    )
    return response.wire


def truncated(request: Request, response: Response) -> bytes:
    """Return what is sent in place of a reply that is one too many: nothing but TC, so that an honest client comes by TCP."""
    return error_reply(request, Rcode.NOERROR, flags=TC, options=response.options)


def reply_to(
    request: Request,
    table: ZoneTable,
    *,
    transport: Transport,
    limit: int = PAYLOAD,
    reserve: int = 0,
    client: bytes | None = None,
    now: int = 0,
    settings: Settings = DEFAULT,
    expire: Callable[[Name], int | None] | None = None,
) -> Response:
    """Reply to a query.

    Args:
        request: a query; NOTIFY and transfers that get here are refused.
        table: the zones that we serve.
        transport: what the query came by.
        limit: octets of a reply by UDP, at most; the client may allow less.
        reserve: octets to leave free for a TSIG record.
        client: the client's address, 4 or 16 octets, for cookies.
        now: seconds since 1970, for cookies.
        settings: the operator's choices.
        expire: for a secondary zone's apex, the seconds until it expires; None for a primary's (RFC 7314 section 3).

    """
    negotiated = negotiate(request.edns, settings, by_udp=transport == "udp", client=client, now=now)

    def failure(rcode: Rcode, why: ExtendedError | None = None) -> Response:
        options = negotiated.options
        if why is not None and settings.extended_errors:
            options += (why.option,)
        wire = error_reply(request, rcode, options=options)
        return Response(wire, Sort.ERROR, dns.name.root, negotiated.verified, negotiated.options)

    question = request.question
    if negotiated.fault is not None:
        return failure(negotiated.fault)
    if request.opcode != Opcode.QUERY:
        return failure(Rcode.REFUSED)
    octets = _octets(request, transport, limit) - reserve
    if question.rdclass != RdataClass.IN:
        told = chaos(question, settings) if question.rdclass == RdataClass.CH else None
        if told is None:
            return failure(Rcode.REFUSED, ExtendedError.NOT_SUPPORTED)
        wire = render(request, told, octets, negotiated.options)
        return Response(wire, told.sort, question.name, negotiated.verified, negotiated.options)
    if question.rdtype in _TRANSFERS:  # by UDP there is none (RFC 5936 section 4.2); by TCP another part has refused it
        return failure(Rcode.NOTIMP) if transport == "udp" else failure(Rcode.REFUSED, ExtendedError.PROHIBITED)
    zone = _zone_for(table, question.name, question.rdtype)
    if zone is None:
        return failure(Rcode.REFUSED, ExtendedError.NOT_AUTHORITATIVE)
    if isinstance(zone, Unserved):
        why = ExtendedError.INVALID_DATA if zone.reason == "expired" else ExtendedError.NOT_READY
        return failure(Rcode.SERVFAIL, why)
    dnssec = request.edns is not None and request.edns.do
    reply = answer(zone, question.name, question.rdtype, any_everything=transport == "tcp", dnssec=dnssec)
    wire = render(request, reply, octets, negotiated.options + _expire_option(request, zone, expire))
    return Response(wire, reply.sort, reply.subject or zone.apex, negotiated.verified, negotiated.options)


def _zone_for(table: ZoneTable, name: Name, rdtype: RdataType) -> Zone | Unserved | None:
    """Return the closest enclosing zone; for DS at an apex the parent's, where it is ours (RFC 4035 section 3.1.4.1)."""
    found = table.closest(name)
    if found is None:
        return None
    apex, zone = found
    if rdtype == RdataType.DS and apex == name and len(name) > 1:
        above = table.closest(name.parent())
        if above is not None:
            return above[1]
    return zone


def _octets(request: Request, transport: Transport, limit: int) -> int:
    if transport == "tcp":
        return _TCP_LIMIT
    if request.edns is None:
        return min(CLASSIC_PAYLOAD, limit)
    return min(max(request.edns.payload, CLASSIC_PAYLOAD), limit)


def _expire_option(request: Request, zone: Zone, expire: Callable[[Name], int | None] | None) -> Options:
    """Say how long the zone stays good, to who asks for its SOA: a primary says the SOA's EXPIRE (RFC 7314 section 3.2)."""
    question = request.question
    if request.edns is None or question.rdtype != RdataType.SOA or question.name != zone.apex:
        return ()
    if request.edns.option(OptionCode.EXPIRE) is None:
        return ()
    left = expire(zone.apex) if expire else None
    seconds = zone.soa_rdata.expire if left is None else max(left, 0)
    return ((OptionCode.EXPIRE, struct.pack("!I", seconds)),)
