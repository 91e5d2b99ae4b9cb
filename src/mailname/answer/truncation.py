"""From the contents of a reply to octets: whole RRsets only, and TC when something that is needed does not fit.

Needed are the answer, the authority section and a referral's in-domain glue (RFC 2181 section 9, RFC 9471 section 3.1); other
additional addresses are left out in silence, together with their signatures (RFC 4035 section 3.1.1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dns.rdatatype import RdataType

from mailname.wire.edns import write_opt
from mailname.wire.message import AA, KEPT, QR, TC
from mailname.wire.writer import ADDITIONAL, ANSWER, AUTHORITY, MessageWriter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dns.name import Name
    from dns.rdata import Rdata

    from mailname.answer.reply import Reply
    from mailname.wire.edns import Options
    from mailname.wire.message import Request
    from mailname.zone import RRset


def render(request: Request, reply: Reply, limit: int, options: Options = ()) -> bytes:
    """Write a reply of at most ``limit`` octets, OPT record with ``options`` included where the request has one."""
    edns = request.edns
    opt = write_opt(reply.rcode, do=edns.do, options=options) if edns else b""
    writer = MessageWriter(limit - len(opt))
    writer.add_question(request.question)
    flags = QR | request.flags & KEPT | (AA if reply.authoritative else 0) | reply.rcode & 0xF
    if not _write_needed(writer, reply):
        flags |= TC
    else:
        for rrsets in _with_signatures(reply.additional):
            writer.add_together(ADDITIONAL, rrsets)
    return writer.finish(request.id, flags, last=opt)


def _write_needed(writer: MessageWriter, reply: Reply) -> bool:
    """Write section after section up to the first RRset that does not fit; tell whether all did."""
    needed = [(ANSWER, reply.answer), (AUTHORITY, reply.authority), (ADDITIONAL, reply.glue)]
    return all(_write(writer, section, rrset) for section, rrsets in needed for rrset in rrsets)


def _write(writer: MessageWriter, section: int, rrset: RRset) -> bool:
    return writer.add(section, rrset.owner, rrset.ttl, rrset.rdatas)


def _with_signatures(rrsets: list[RRset]) -> Iterator[list[tuple[Name, int, tuple[Rdata, ...]]]]:
    """Group each RRset with the signatures after it."""
    for place, rrset in enumerate(rrsets):
        if rrset.rdtype != RdataType.RRSIG:
            following = rrsets[place + 1 : place + 2]
            group = [rrset, *(one for one in following if one.rdtype == RdataType.RRSIG)]
            yield [(one.owner, one.ttl, one.rdatas) for one in group]
