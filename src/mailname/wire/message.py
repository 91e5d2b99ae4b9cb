"""A request as it came from the network: header, question, EDNS, and whether it is signed (RFC 1035 section 4).

``read_request`` takes any octets and never raises: what cannot be a request comes back as ``Unreadable``, together with the
reply that is due, if one is. Records are walked with bounds checks but not interpreted; whoever needs them (NOTIFY, TSIG, IXFR)
reads them from ``Request.wire``.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from dns.name import Name
from dns.opcode import Opcode
from dns.rcode import Rcode
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType

from mailname.wire.edns import Edns, Options, read_opt, write_opt

HEADER = struct.Struct("!HHHHHH")
_QUESTION = struct.Struct("!HH")
_RECORD = struct.Struct("!HHIH")

# Header flags (RFC 1035 section 4.1.1).
QR, AA, TC, RD = 0x8000, 0x0400, 0x0200, 0x0100
#: What a response takes over from the request: opcode and RD. An authoritative server clears CD (RFC 4035 section 3.1.6).
KEPT = 0x7800 | RD

_NAME_LIMIT = 255  # octets of a name in wire form: RFC 1035 section 2.3.4
_SPOKEN = frozenset({Opcode.QUERY, Opcode.NOTIFY, Opcode.UPDATE})


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked. The name is spelled as the client spelled it, and goes back that way."""

    name: Name
    rdtype: RdataType
    rdclass: RdataClass


@dataclass(frozen=True, slots=True)
class Request:
    """A well-formed query or NOTIFY.

    Attributes:
        id: the message id.
        opcode: QUERY or NOTIFY.
        flags: the header's second 16 bits, as received.
        question: the one question.
        edns: what the OPT record says, None without one.
        tsig_at: the octet at which the TSIG record begins, None when the request is not signed. The signature is not checked.
        wire: the whole message, without octets that came after its last record.

    """

    id: int
    opcode: Opcode
    flags: int
    question: Question
    edns: Edns | None
    tsig_at: int | None
    wire: bytes

    @property
    def has_tsig(self) -> bool:
        """Tell whether the request carries a TSIG record (RFC 8945)."""
        return self.tsig_at is not None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Octets that are no request we can work on.

    Attributes:
        problem: why, for the log.
        reply: what to send back; None for silence.

    """

    problem: str
    reply: bytes | None


class _Malformed(Exception):  # noqa: N818  # a description of a message, caught in this file
    """The message breaks RFC 1035's format; the text says how."""


@dataclass(slots=True)
class _Parsed:
    """As much of a message as could be read before ``fault``."""

    question: Question | None = None
    question_ends: int | None = None
    edns: Edns | None = None
    tsig_at: int | None = None
    end: int = HEADER.size
    fault: str = ""


def read_request(wire: bytes) -> Request | Unreadable:
    """Read a message from the network. Never raises.

    Silence is due to fragments of a header and to responses (or two servers could talk for ever); NOTIMP to opcodes other than
    QUERY, NOTIFY and UPDATE; FORMERR to what is malformed; BADVERS to a later EDNS version (RFC 6891 section 6.1.3).
    """
    if len(wire) < HEADER.size:
        return Unreadable("shorter than a header", None)
    message_id, flags, *counts = HEADER.unpack_from(wire)
    if flags & QR:
        return Unreadable("a response, not a request", None)
    opcode = Opcode.make(flags >> 11 & 0xF)
    parsed = _parse(wire, counts)
    if opcode not in _SPOKEN:
        return Unreadable(f"opcode {opcode.name} is not implemented", write_reply(wire, Rcode.NOTIMP, edns=parsed.edns))
    if parsed.question is None or parsed.fault:
        reply = write_reply(wire, Rcode.FORMERR, question_ends=parsed.question_ends, edns=parsed.edns)
        return Unreadable(parsed.fault or "no question", reply)
    if parsed.edns is not None and parsed.edns.version > 0:
        reply = write_reply(wire, Rcode.BADVERS, question_ends=parsed.question_ends, edns=parsed.edns)
        return Unreadable(f"EDNS version {parsed.edns.version} is not implemented", reply)
    return Request(message_id, opcode, flags, parsed.question, parsed.edns, parsed.tsig_at, wire[: parsed.end])


def is_update(wire: bytes) -> bool:
    """Tell whether a message is a dynamic update, as far as its header says (RFC 2136 section 2)."""
    return len(wire) > 2 and wire[2] & 0xF8 == Opcode.UPDATE << 3


def is_notify(wire: bytes) -> bool:
    """Tell whether a message is a NOTIFY, as far as its header says (RFC 1996 section 3.3)."""
    return len(wire) > 2 and wire[2] & 0xF8 == Opcode.NOTIFY << 3


def error_reply(request: Request, rcode: Rcode, *, flags: int = 0, options: Options = ()) -> bytes:
    """Return a reply that has the question, the OPT record where one is due, and nothing else.

    Args:
        request: what is answered.
        rcode: any rcode; one above 15 needs a request with EDNS.
        flags: header flags to set beside QR, opcode and RD; AA for the acknowledgement of a NOTIFY.
        options: what goes into the OPT record, if there is one.

    """
    question_ends = HEADER.size + len(request.question.name.to_wire() or b"") + _QUESTION.size
    return write_reply(request.wire, rcode, question_ends=question_ends, edns=request.edns, flags=flags, options=options)


def write_reply(
    wire: bytes,
    rcode: Rcode,
    *,
    question_ends: int | None = None,
    edns: Edns | None = None,
    flags: int = 0,
    options: Options = (),
) -> bytes:
    """Return a reply without records to the request in ``wire``, copying its question octet for octet."""
    message_id, asked_flags = struct.unpack_from("!HH", wire)
    question = wire[HEADER.size : question_ends] if question_ends else b""
    opt = write_opt(rcode, do=edns.do, options=options) if edns else b""
    header = HEADER.pack(
        message_id, QR | asked_flags & KEPT | flags | rcode & 0xF, 1 if question_ends else 0, 0, 0, 1 if edns else 0
    )
    return header + question + opt


def _parse(wire: bytes, counts: list[int]) -> _Parsed:
    parsed = _Parsed()
    try:
        if counts[0]:
            parsed.question, parsed.end = _read_question(wire, counts[0])
            parsed.question_ends = parsed.end
        parsed.edns, parsed.tsig_at, parsed.end = _walk_records(wire, parsed.end, counts[1:])
    except _Malformed as fault:
        parsed.fault = str(fault)
    return parsed


def _read_question(wire: bytes, count: int) -> tuple[Question, int]:
    if count > 1:
        raise _Malformed(f"{count} questions instead of one")
    labels = []
    at = HEADER.size
    while True:
        length = _octet(wire, at)
        # A compression pointer has nothing to point at: the question's name is the first in the message.
        if length > 63:
            raise _Malformed("the question's name has a label that is none")
        if at + 1 + length > len(wire):
            raise _Malformed("the question's name runs past the end")
        labels.append(wire[at + 1 : at + 1 + length])
        at += 1 + length
        if at - HEADER.size > _NAME_LIMIT:
            raise _Malformed("the question's name is longer than 255 octets")
        if not length:
            break
    if at + _QUESTION.size > len(wire):
        raise _Malformed("the question runs past the end")
    rdtype, rdclass = _QUESTION.unpack_from(wire, at)
    return Question(Name(labels), RdataType.make(rdtype), RdataClass.make(rdclass)), at + _QUESTION.size


def _walk_records(wire: bytes, at: int, counts: list[int]) -> tuple[Edns | None, int | None, int]:
    """Walk over all records; return what the OPT says, where the TSIG begins, and where the last record ends."""
    edns: Edns | None = None
    tsig_at: int | None = None
    # Lazily: the counts are the client's word, and two hundred thousand records fit in no message.
    sections = (section for section, count in enumerate(counts) for _ in range(count))
    for position, section in enumerate(sections, 1):
        begins = at
        at = _skip_name(wire, at)
        if at + _RECORD.size > len(wire):
            raise _Malformed("a record runs past the end")
        rdtype, rdclass, ttl, length = _RECORD.unpack_from(wire, at)
        at += _RECORD.size + length
        if at > len(wire):
            raise _Malformed("a record runs past the end")
        if rdtype == RdataType.OPT:
            if section != 2 or edns is not None or wire[begins]:  # RFC 6891 section 6.1.1
                raise _Malformed("an OPT record out of place")
            edns = read_opt(rdclass, ttl, wire[at - length : at])
            if edns is None:
                raise _Malformed("an EDNS option runs past the end of its record")
        elif rdtype == RdataType.TSIG:
            if section != 2 or position != sum(counts):  # RFC 8945 section 5.2
                raise _Malformed("a TSIG record that is not the last")
            tsig_at = begins
    return edns, tsig_at, at


def _skip_name(wire: bytes, at: int) -> int:
    """Return where a name ends. A pointer must point backwards, into the message's body (RFC 1035 section 4.1.4)."""
    begins = at
    while True:
        length = _octet(wire, at)
        if length >= 0xC0:
            target = (length & 0x3F) << 8 | _octet(wire, at + 1)
            if not HEADER.size <= target < begins:
                raise _Malformed("a compression pointer that does not point backwards")
            return at + 2
        if length > 63:
            raise _Malformed("a name has a label that is none")
        at += 1 + length
        if at - begins > _NAME_LIMIT:
            raise _Malformed("a name is longer than 255 octets")
        if not length:
            return at


def _octet(wire: bytes, at: int) -> int:
    if at >= len(wire):
        raise _Malformed("a name runs past the end")
    return wire[at]
