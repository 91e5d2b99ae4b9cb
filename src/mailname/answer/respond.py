"""One request in, one reply out: which zone answers, what is refused, and how much of the answer fits.

Never raises, never recurses: what is not served here is REFUSED.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from dns.opcode import Opcode
from dns.rcode import Rcode
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType

from mailname.answer.question import answer
from mailname.answer.table import Unserved, ZoneTable
from mailname.answer.truncation import render
from mailname.wire.edns import CLASSIC_PAYLOAD, PAYLOAD
from mailname.wire.message import error_reply

if TYPE_CHECKING:
    from dns.name import Name

    from mailname.wire.message import Request
    from mailname.zone import Zone

Transport = Literal["udp", "tcp"]

_TCP_LIMIT = 65535
_TRANSFERS = frozenset({RdataType.AXFR, RdataType.IXFR})


def respond(request: Request, table: ZoneTable, *, transport: Transport, limit: int = PAYLOAD, reserve: int = 0) -> bytes:
    """Return the reply to a query.

    Args:
        request: a query; NOTIFY and transfers that get here are refused.
        table: the zones that we serve.
        transport: what the query came by.
        limit: octets of a reply by UDP, at most; the client may allow less.
        reserve: octets to leave free for a TSIG record.

    """
    question = request.question
    if question.rdclass != RdataClass.IN or request.opcode != Opcode.QUERY:
        return error_reply(request, Rcode.REFUSED)
    if question.rdtype in _TRANSFERS:  # by UDP there is none (RFC 5936 section 4.2); by TCP another part has refused it
        return error_reply(request, Rcode.NOTIMP if transport == "udp" else Rcode.REFUSED)
    zone = _zone_for(table, question.name, question.rdtype)
    if zone is None:
        return error_reply(request, Rcode.REFUSED)
    if isinstance(zone, Unserved):
        return error_reply(request, Rcode.SERVFAIL)
    dnssec = request.edns is not None and request.edns.do
    reply = answer(zone, question.name, question.rdtype, any_everything=transport == "tcp", dnssec=dnssec)
    return render(request, reply, _octets(request, transport, limit) - reserve)


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
