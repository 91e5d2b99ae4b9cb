"""The question for a zone's serial, and why a primary does not answer it: it may say so itself (RFC 8914).

The question carries EDNS(0): an answer may hold an extended error only where the question has EDNS (RFC 6891 section 7).
A primary that fails at EDNS is asked without.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.rcode
from dns.rcode import Rcode
from dns.rdatatype import RdataType

from mailname.server.asking import (
    RCODE_REASONS,
    TCP_TIMEOUT,
    UDP_TIMEOUT,
    at,
    failure,
    judged,
    network_failure,
    rcode_of,
    signed,
)
from mailname.server.each_key import with_each_key
from mailname.server.network import ask_tcp, ask_udp
from mailname.server.tls_client import ask_tls
from mailname.transfer import soa_query
from mailname.wire.edns import ExtendedError
from mailname.zone import Serial

if TYPE_CHECKING:
    from dns.message import Message
    from dns.name import Name

    from mailname.server.context import Context
    from mailname.transfer.actions import Peer

_TRUNCATED = 0x02  # TC, in the third octet of the header
_NO_EDNS = (Rcode.FORMERR, Rcode.NOTIMP)  # what servers say that do not know EDNS (RFC 6891 section 7)

#: What an rcode means together with an extended error; without one, or with another, the rcode stands for itself.
_SAID_WHY: dict[tuple[Rcode, int], str] = {
    (Rcode.REFUSED, ExtendedError.NOT_AUTHORITATIVE): "no-zone",
    (Rcode.NOTAUTH, ExtendedError.NOT_AUTHORITATIVE): "no-zone",
    (Rcode.SERVFAIL, ExtendedError.INVALID_DATA): "primary-expired",
}


async def ask_soa(context: Context, peer: Peer, apex: Name) -> Serial:
    """Ask a primary for the zone's serial, by UDP, and by TCP where UDP is silent, or refused: Knot says so for its catalogs.

    Raises:
        TransferError: with the reason.

    """
    return await with_each_key(context, peer, "SOA", lambda one: _ask_soa(context, one, apex))


async def _ask_soa(context: Context, peer: Peer, apex: Name) -> Serial:
    answer, mac = await _answered(context, peer, _question(apex, edns=True), _question(apex, edns=False))
    if rcode_of(answer) in _NO_EDNS:
        plain = _question(apex, edns=False)
        answer, mac = await _answered(context, peer, plain, plain)
    return _serial_in(peer, apex, judged(context, peer, answer, mac))


def _question(apex: Name, *, edns: bool) -> bytes:
    return soa_query.query(apex, secrets.randbelow(65536), edns=edns)


async def _answered(context: Context, peer: Peer, first: bytes, second: bytes) -> tuple[bytes, bytes]:
    """Return the answer, and the MAC of the question that it answers; ``second`` is asked where ``first`` seems lost."""
    wire, mac = signed(context, peer, first)
    if peer.tls is not None:
        return await ask_tls(context, peer, wire, TCP_TIMEOUT), mac
    source = context.source_for(peer.address)
    answer: bytes | None = None
    for number, question in enumerate((first, second)):
        if number:
            wire, mac = signed(context, peer, question)
        try:
            answer = await ask_udp(context.network, wire, at(peer), timeout=UDP_TIMEOUT, source=source)
            if len(answer) > 2 and answer[2] & _TRUNCATED:
                answer = None
            break
        except TimeoutError:
            continue
        except OSError as error:
            raise network_failure(peer, error, "udp") from error
    if answer is None or rcode_of(answer) == Rcode.REFUSED:
        try:
            answer = await ask_tcp(context.network, wire, at(peer), timeout=TCP_TIMEOUT, source=source)
        except (OSError, EOFError) as error:
            if answer is None:
                raise failure(peer, "timeout-udp", "no answer by UDP, nor by TCP") from error
    return answer, mac


def _serial_in(peer: Peer, apex: Name, wire: bytes) -> Serial:
    if (told := soa_query.serial_of(wire, apex)) is not None:
        return told
    try:
        message = dns.message.from_wire(wire, ignore_trailing=True)
    except (dns.exception.DNSException, ValueError) as error:
        raise failure(peer, "malformed", "the answer to the SOA question cannot be read") from error
    rcode = message.rcode()
    if rcode != Rcode.NOERROR:
        word = dns.rcode.to_text(rcode)
        reason, why = _why(message)
        raise failure(peer, reason, f"answered {word}{why} to the SOA question", word)
    if not message.flags & dns.flags.AA:
        raise failure(peer, "not-authoritative", "answers for the zone without authority (no AA)")
    for rrset in message.answer:
        if rrset.rdtype == RdataType.SOA and rrset.name == apex:
            return Serial(rrset[0].serial)
    other = next((f"; it tells of {rrset.name}" for rrset in message.sections[1] + message.sections[2] if rrset.name != apex), "")
    raise failure(peer, "not-authoritative", f"answers the SOA question without a SOA of the zone{other}")


def _why(message: Message) -> tuple[str, str]:
    """Return the reason for an error, and the extended error in brackets; its text is a stranger's, and left alone."""
    rcode = Rcode.make(message.rcode())
    reason, told = RCODE_REASONS.get(rcode, "failed"), ""
    for option in message.options:
        if isinstance(option, dns.edns.EDEOption):
            told = told or f" ({_name(int(option.code))})"
            reason = _SAID_WHY.get((rcode, int(option.code)), reason)
    return reason, told


def _name(code: int) -> str:
    """Return the name that RFC 8914 section 5.2 gives to an extended error."""
    known = {one.value: one.name for one in dns.edns.EDECode}
    return known[code].replace("_", " ").title() if code in known else f"extended error {code}"
