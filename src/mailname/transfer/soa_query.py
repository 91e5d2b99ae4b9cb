"""The question for a zone's serial in octets, and the serial in the answer that nearly every server gives.

Ten thousand zones are ten thousand such questions. An answer that is anything else but the SOA alone, with authority, is left to
whoever reads messages whole and can tell what is wrong with it.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import dns.rdataclass
from dns.rcode import Rcode
from dns.rdatatype import RdataType

from mailname.wire.edns import write_opt
from mailname.wire.octets import octets
from mailname.wire.soa_serial import serial_in
from mailname.zone import Serial

if TYPE_CHECKING:
    from dns.name import Name

_HEADER = struct.Struct("!6H")
_ASKS = struct.pack("!2H", RdataType.SOA, dns.rdataclass.IN)
_LIKE_THE_QUESTION = b"\xc0\x0c"  # a pointer to the question's name (RFC 1035 section 4.1.4)
_OF_AN_ANSWER = 0xFE0F  # QR, opcode, AA and TC; the rcode
_WELL = 0x8400  # QR and AA


def query(apex: Name, message_id: int, *, edns: bool) -> bytes:
    """Return the question, with EDNS(0) or without."""
    options = write_opt(Rcode.NOERROR, do=False) if edns else b""
    return _HEADER.pack(message_id, 0, 1, 0, 0, int(edns)) + octets(apex) + _ASKS + options


def serial_of(answer: bytes, apex: Name) -> Serial | None:
    """Return the serial in an answer to ``query`` that is plain and good, None in any other. Never raises."""
    if len(answer) < _HEADER.size:
        return None
    _, flags, questions, answers, _, _ = _HEADER.unpack_from(answer)
    asked = octets(apex) + _ASKS
    behind = _HEADER.size + len(asked)
    if flags & _OF_AN_ANSWER != _WELL or (questions, answers) != (1, 1):
        return None
    if answer[_HEADER.size : behind].lower() != asked.lower() or not answer.startswith(_LIKE_THE_QUESTION + _ASKS, behind):
        return None
    told = serial_in(answer, "answer")
    return None if told is None else Serial(told)
