"""EDNS options of a query, and those of the reply: cookies (RFC 7873), NSID (RFC 5001), TCP keepalive (RFC 7828).

EXPIRE (RFC 7314) and extended errors (RFC 8914) depend on what the answer is; ``respond`` adds them. Whatever else a client
sends is ignored.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dns.rcode import Rcode

from mailname.wire.cookie import examine
from mailname.wire.edns import OptionCode

if TYPE_CHECKING:
    from mailname.answer.settings import Settings
    from mailname.wire.edns import Edns, Options


@dataclass(frozen=True, slots=True)
class Negotiated:
    """What came of a query's options.

    Attributes:
        options: those of the reply.
        verified: the client has shown a good cookie: it really is at its address.
        fault: FORMERR or BADCOOKIE, when that is all there is to say.

    """

    options: Options = ()
    verified: bool = False
    fault: Rcode | None = None


def negotiate(edns: Edns | None, settings: Settings, *, by_udp: bool, client: bytes | None, now: int) -> Negotiated:
    """Read a query's options.

    Args:
        edns: the query's EDNS, if it has any.
        settings: what we offer.
        by_udp: whether the query came by UDP.
        client: the client's address, 4 or 16 octets; None where nobody knows it: then there are no cookies.
        now: seconds since 1970.

    """
    if edns is None or not edns.options:
        return Negotiated()
    options: list[tuple[int, bytes]] = []
    verified = False
    fault = None
    shown = edns.option(OptionCode.COOKIE)
    if shown is not None and settings.cookie_secrets and client is not None:
        cookie = examine(shown, client, settings.cookie_secrets, now)
        if cookie is None:
            return Negotiated(fault=Rcode.FORMERR)
        options.append((OptionCode.COOKIE, cookie.reply))
        verified = cookie.verified
        if settings.require_cookies and by_udp and not verified:
            fault = Rcode.BADCOOKIE
    if settings.nsid is not None and edns.option(OptionCode.NSID) is not None:
        options.append((OptionCode.NSID, settings.nsid))
    if settings.keepalive is not None and not by_udp and edns.option(OptionCode.TCP_KEEPALIVE) is not None:
        options.append((OptionCode.TCP_KEEPALIVE, struct.pack("!H", settings.keepalive)))
    return Negotiated(tuple(options), verified, fault)
