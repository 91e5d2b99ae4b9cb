"""The serial that a message tells besides its question: in a NOTIFY's answer section, in an IXFR query's authority section."""

from __future__ import annotations

import struct
from typing import Literal

from dns.rdatatype import RdataType

_COUNTS = struct.Struct("!4H")
_RECORD = struct.Struct("!HHIH")
_NUMBERS = struct.Struct("!5I")
_SHORTEST = 2 + _NUMBERS.size  # two names that are the root's
_HEADER = 12


def serial_in(wire: bytes, section: Literal["answer", "authority"]) -> int | None:
    """Return the serial of the first SOA record in a section, None where none can be read. Never raises.

    Names are passed over, not judged: the serial stands in front of the last four numbers of the rdata, wherever they lead.
    """
    if len(wire) < _HEADER:
        return None
    questions, answers, authorities, _ = _COUNTS.unpack_from(wire, 4)
    at = _HEADER
    for _ in range(questions):
        at = _behind_name(wire, at) + 4
    before, wanted = (0, answers) if section == "answer" else (answers, authorities)
    for number in range(before + wanted):
        at = _behind_name(wire, at)
        if at + _RECORD.size > len(wire):
            return None
        rdtype, _, _, length = _RECORD.unpack_from(wire, at)
        at += _RECORD.size + length
        if at > len(wire):
            return None
        if number >= before and rdtype == RdataType.SOA:
            return int(_NUMBERS.unpack_from(wire, at - _NUMBERS.size)[0]) if length >= _SHORTEST else None
    return None


def _behind_name(wire: bytes, at: int) -> int:
    """Return where a name ends; behind the message where it does not."""
    while at < len(wire):
        length = wire[at]
        if not length:
            return at + 1
        if length >= 0xC0:
            return at + 2
        at += 1 + length
    return len(wire)
