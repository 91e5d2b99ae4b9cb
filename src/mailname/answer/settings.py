"""What an operator may choose about replies. The defaults say least: a plain server that tells nothing about itself."""

from __future__ import annotations

from dataclasses import dataclass

from mailname.wire.cookie import SECRET_SIZE

#: Octets that a name of the server may have, so that every error reply still fits into 512 octets.
LONGEST_IDENTITY = 128


@dataclass(frozen=True, slots=True)
class Settings:
    """Choices about replies.

    Attributes:
        cookie_secrets: secrets of 16 octets for DNS cookies; the first makes them, the others still verify. None: no cookies.
        require_cookies: whether UDP clients that speak of cookies must show a good one, or get BADCOOKIE (RFC 7873).
        nsid: which server this is, for who asks by NSID (RFC 5001).
        version: answer to ``version.bind CH TXT`` and ``version.server``.
        identity: answer to ``id.server CH TXT`` (RFC 4892) and ``hostname.bind``.
        extended_errors: whether failures say why (RFC 8914).
        keepalive: time that an idle TCP connection is kept, in tenths of a second, for who asks (RFC 7828).

    """

    cookie_secrets: tuple[bytes, ...] = ()
    require_cookies: bool = False
    nsid: bytes | None = None
    version: str | None = None
    identity: str | None = None
    extended_errors: bool = False
    keepalive: int | None = None

    def __post_init__(self) -> None:
        if any(len(secret) != SECRET_SIZE for secret in self.cookie_secrets):
            raise ValueError(f"a cookie secret has {SECRET_SIZE} octets")
        for told in (self.nsid, (self.version or "").encode(), (self.identity or "").encode()):
            if told is not None and len(told) > LONGEST_IDENTITY:
                raise ValueError(f"{told!r} is longer than {LONGEST_IDENTITY} octets")


DEFAULT = Settings()
