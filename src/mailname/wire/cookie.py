"""DNS cookies: what a client shows to prove that it gets what is sent to its address (RFC 7873, RFC 9018).

A server keeps nothing per client: the cookie holds its time, and a hash of the client's half, that time and the client's address.
Not implemented: questions without question (RFC 7873 section 5.4), which get FORMERR.
"""

from __future__ import annotations

import hmac
import struct
from dataclasses import dataclass

from mailname.wire.siphash import siphash24

CLIENT_SIZE = 8
SECRET_SIZE = 16

_VERSION = 1
_HEAD = struct.Struct("!B3xI")
_SERVER_SIZE = 16
_SERVER_SIZES = range(8, 33)  # RFC 7873 section 4.1

# RFC 9018 section 4.3: how old a cookie may be, how far ahead of our clock, and when the client gets a new one; in seconds.
_OLDEST, _AHEAD, _RENEW = 3600, 300, 1800


@dataclass(frozen=True, slots=True)
class Cookie:
    """A client's cookie, looked at.

    Attributes:
        verified: the server's half is one that we gave to this address lately.
        reply: the option's data for the response: the client's half, and a server's half that is good for the next time.

    """

    verified: bool
    reply: bytes


def examine(option: bytes, client: bytes, secrets: tuple[bytes, ...], now: int) -> Cookie | None:
    """Look at the COOKIE option of a query; None when it is malformed: FORMERR (RFC 7873 section 5.2.2).

    Args:
        option: the option's data.
        client: the client's address, 4 or 16 octets.
        secrets: each of 16 octets; the first makes cookies, the others were first before and still verify (RFC 9018 section 5).
        now: seconds since 1970.

    """
    mine, shown = option[:CLIENT_SIZE], option[CLIENT_SIZE:]
    if len(mine) < CLIENT_SIZE or (shown and len(shown) not in _SERVER_SIZES):
        return None
    signed_by = next((secret for secret in secrets if _is_ours(mine, shown, client, secret, now)), None)
    if signed_by == secrets[0] and _age(shown, now) < _RENEW:
        return Cookie(True, option)
    return Cookie(signed_by is not None, mine + server_cookie(mine, client, secrets[0], now))


def server_cookie(mine: bytes, client: bytes, secret: bytes, now: int) -> bytes:
    """Return the server's half, 16 octets: version, time, hash (RFC 9018 section 4)."""
    return _sealed(mine, _HEAD.pack(_VERSION, now & 0xFFFFFFFF), client, secret)


def _sealed(mine: bytes, head: bytes, client: bytes, secret: bytes) -> bytes:
    return head + siphash24(secret, mine + head + client)


def _is_ours(mine: bytes, shown: bytes, client: bytes, secret: bytes, now: int) -> bool:
    if len(shown) != _SERVER_SIZE or shown[0] != _VERSION or not -_AHEAD <= _age(shown, now) <= _OLDEST:
        return False
    # The three reserved octets are hashed as they came (RFC 9018 section 4.2); those of ours are zero.
    return hmac.compare_digest(_sealed(mine, shown[: _HEAD.size], client, secret), shown)


def _age(shown: bytes, now: int) -> int:
    """Return the seconds since a cookie was made, negative when it is ahead; serial arithmetic (RFC 9018 section 4.3)."""
    made_at: int = struct.unpack_from("!I", shown, 4)[0]
    return (now - made_at + 0x80000000 & 0xFFFFFFFF) - 0x80000000
