"""What a TLS certificate says that a name server wants to know: its key's pin, and until when it is good (RFC 5280 section 4.1).

The pin is the SHA-256 of the SubjectPublicKeyInfo in base64 (RFC 7469 section 2.4), as ``kdig +tls-pin`` has it. A renewed
certificate with the same key keeps its pin. Nothing is verified here.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_SEQUENCE, _INTEGER, _VERSION, _UTC_TIME, _GENERALIZED_TIME = 0x30, 0x02, 0xA0, 0x17, 0x18

_BOOLEAN, _OCTETS, _OBJECT, _EXTENSIONS, _DNS_NAME = 0x01, 0x04, 0x06, 0xA3, 0x82
_ALTERNATIVE_NAMES = b"\x55\x1d\x11"  # 2.5.29.17


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate's pin, its last moment, and the DNS names that it is for (RFC 5280 section 4.2.1.6)."""

    pin: str
    not_after: datetime
    names: tuple[str, ...] = ()


def read_certificate(der: bytes) -> Certificate:
    """Read a certificate. Raises ValueError when it is none."""
    outer = _Reader(der).take(_SEQUENCE)
    fields = _Reader(_Reader(outer).take(_SEQUENCE))
    if fields.tag() == _VERSION:
        fields.skip()
    fields.take(_INTEGER)  # serial number
    fields.take(_SEQUENCE)  # signature algorithm
    fields.take(_SEQUENCE)  # issuer
    validity = _Reader(fields.take(_SEQUENCE))
    fields.take(_SEQUENCE)  # subject
    if fields.tag() != _SEQUENCE:
        raise ValueError("no public key where a certificate has one")
    spki = fields.skip()
    validity.skip()
    pin = base64.b64encode(hashlib.sha256(spki).digest()).decode()
    return Certificate(pin, _time(validity), tuple(_names(fields)))


def _names(fields: _Reader) -> Iterator[str]:
    """Iterate over the DNS names of the extension subjectAltName, where there is one."""
    while not fields.done():
        if fields.tag() != _EXTENSIONS:
            fields.skip()
            continue
        extensions = _Reader(_Reader(fields.take(_EXTENSIONS)).take(_SEQUENCE))
        while not extensions.done():
            one = _Reader(extensions.take(_SEQUENCE))
            if one.take(_OBJECT) != _ALTERNATIVE_NAMES:
                continue
            if one.tag() == _BOOLEAN:
                one.skip()
            names = _Reader(_Reader(one.take(_OCTETS)).take(_SEQUENCE))
            while not names.done():
                if names.tag() == _DNS_NAME:
                    yield names.take(_DNS_NAME).decode("ascii")
                else:
                    names.skip()


def read_pin(text: str) -> str:
    """Return a pin as it is compared. Raises ValueError with a sentence when it is none."""
    try:
        octets = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise ValueError(f"{text} is not base64, as 'mailname key pin CERTIFICATE' prints it") from error
    if len(octets) != hashlib.sha256().digest_size:
        raise ValueError(f"{text} has {len(octets)} octets, a SHA-256 has 32: see 'mailname key pin CERTIFICATE'")
    return base64.b64encode(octets).decode()


def _time(reader: _Reader) -> datetime:
    tag = reader.tag()
    text = reader.take(tag).decode("ascii")
    if tag == _UTC_TIME:  # two digits of the year: RFC 5280 section 4.1.2.5.1
        text = ("19" if text[:2] >= "50" else "20") + text
    elif tag != _GENERALIZED_TIME:
        raise ValueError("no time where a certificate has one")
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


class _Reader:
    """DER elements one after the other: a tag, a length, contents (X.690 section 10.1)."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._at = 0

    def done(self) -> bool:
        return self._at >= len(self._octets)

    def tag(self) -> int:
        if self._at >= len(self._octets):
            raise ValueError("a certificate that ends too soon")
        return self._octets[self._at]

    def take(self, tag: int) -> bytes:
        """Return the contents of the next element."""
        if self.tag() != tag:
            raise ValueError("an element that is not where a certificate has it")
        start, end = self._bounds()
        self._at = end
        return self._octets[start:end]

    def skip(self) -> bytes:
        """Return the next element whole."""
        begin = self._at
        self._at = self._bounds()[1]
        return self._octets[begin : self._at]

    def _bounds(self) -> tuple[int, int]:
        self.tag()
        head = self._octets[self._at + 1 : self._at + 6]
        if not head or head[0] == 0x80 or head[0] > 0x84:
            raise ValueError("a length that is none")
        more = head[0] & 0x7F if head[0] & 0x80 else 0
        length = int.from_bytes(head[1 : 1 + more], "big") if more else head[0]
        start = self._at + 2 + more
        if start + length > len(self._octets):
            raise ValueError("a certificate that ends too soon")
        return start, start + length
