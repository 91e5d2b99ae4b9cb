"""EDNS(0): the OPT pseudo record of a request, read, and of a response, written (RFC 6891).

What the options say is for others to read; those that nobody reads are ignored (RFC 6891 section 6.1.2).
Not implemented: padding (RFC 7830), which helps only on encrypted connections.
"""

from __future__ import annotations

import enum
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

#: Option code and data, in order.
Options = tuple[tuple[int, bytes], ...]

_OPT = struct.Struct("!BHHBBHH")
_OPTION = struct.Struct("!HH")
_DO = 0x8000


class OptionCode(enum.IntEnum):
    """Options that we speak."""

    NSID = 3  # RFC 5001
    EXPIRE = 9  # RFC 7314
    COOKIE = 10  # RFC 7873
    TCP_KEEPALIVE = 11  # RFC 7828
    EXTENDED_ERROR = 15  # RFC 8914


class ExtendedError(enum.IntEnum):
    """Why there is no answer, in more words than an rcode has (RFC 8914 section 4)."""

    NOT_READY = 14  # the zone is not loaded yet
    PROHIBITED = 18  # not for this client
    NOT_AUTHORITATIVE = 20  # no zone of ours
    NOT_SUPPORTED = 21  # a class or type that we know nothing to do about
    INVALID_DATA = 24  # the zone has expired

    @property
    def option(self) -> tuple[int, bytes]:
        """The option that tells it, without text."""
        return OptionCode.EXTENDED_ERROR, struct.pack("!H", self)


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
    options: Options = ()

    def option(self, code: OptionCode) -> bytes | None:
        """Return the data of the first option with this code; of several cookies, too, only the first counts."""
        return next((data for found, data in self.options if found == code), None)


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


def write_opt(rcode: Rcode, *, do: bool, options: Options = ()) -> bytes:
    """Write the OPT record of a response: version 0, our payload, the upper bits of ``rcode``, DO as it came (RFC 3225)."""
    rdata = b"".join(_OPTION.pack(code, len(data)) + data for code, data in options)
    return _OPT.pack(0, RdataType.OPT, PAYLOAD, rcode >> 4, 0, _DO if do else 0, len(rdata)) + rdata
