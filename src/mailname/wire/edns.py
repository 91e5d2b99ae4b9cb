"""EDNS(0): the OPT pseudo record of a request, read, and of a response, written (RFC 6891).

Not implemented: any option. Options of a request are kept and otherwise ignored (RFC 6891 section 6.1.2).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dns.rdatatype import RdataType

if TYPE_CHECKING:
    from dns.rcode import Rcode

#: What we advertise, and never exceed by UDP, in octets: fits an Ethernet frame with IPv6 (DNS flag day 2020).
PAYLOAD = 1232

#: What everybody may send by UDP without EDNS, in octets (RFC 1035 section 4.2.1).
CLASSIC_PAYLOAD = 512

#: Octets of the OPT record that ``write_opt`` writes: it carries no options.
OPT_SIZE = 11

_OPT = struct.Struct("!BHHBBHH")
_OPTION = struct.Struct("!HH")
_DO = 0x8000


@dataclass(frozen=True, slots=True)
class Edns:
    """What a request's OPT record says.

    Attributes:
        payload: octets that the client takes by UDP, as sent; below 512 means 512 (RFC 6891 section 6.2.3).
        version: the client's EDNS version.
        do: DNSSEC OK (RFC 3225).
        options: option code and data, in the order received.

    """

    payload: int
    version: int = 0
    do: bool = False
    options: tuple[tuple[int, bytes], ...] = ()


def read_opt(payload: int, ttl: int, rdata: bytes) -> Edns | None:
    """Read an OPT record from its class, TTL and rdata; None when the options overrun the rdata."""
    options = []
    at = 0
    while at < len(rdata):
        if at + _OPTION.size > len(rdata):
            return None
        code, length = _OPTION.unpack_from(rdata, at)
        at += _OPTION.size
        if at + length > len(rdata):
            return None
        options.append((code, rdata[at : at + length]))
        at += length
    return Edns(payload, ttl >> 16 & 0xFF, bool(ttl & _DO), tuple(options))


def write_opt(rcode: Rcode, *, do: bool) -> bytes:
    """Write the OPT record of a response: version 0, our payload, the upper bits of ``rcode``, DO as it came (RFC 3225)."""
    return _OPT.pack(0, RdataType.OPT, PAYLOAD, rcode >> 4, 0, _DO if do else 0, 0)
