"""What a TLS certificate says that a name server wants to know: its key's pin, and until when it is good (RFC 5280 section 4.1).

The pin is the SHA-256 of the SubjectPublicKeyInfo in base64 (RFC 7469 section 2.4), as ``kdig +tls-pin`` has it. A renewed
certificate with the same key keeps its pin. Nothing is verified here.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from mailname.wire.der import INTEGER, SEQUENCE, DerReader

if TYPE_CHECKING:
    from collections.abc import Iterator

_VERSION, _UTC_TIME, _GENERALIZED_TIME = 0xA0, 0x17, 0x18
_BOOLEAN, _OCTETS, _OBJECT, _EXTENSIONS, _DNS_NAME = 0x01, 0x04, 0x06, 0xA3, 0x82
_ALTERNATIVE_NAMES = b"\x55\x1d\x11"  # 2.5.29.17


class Certificate(NamedTuple):
    """A certificate's pin, last moment, DNS names that it is for (RFC 5280 section 4.2.1.6), and public key in DER."""

    pin: str
    not_after: datetime
    names: tuple[str, ...] = ()
    public_key: bytes = b""


def read_certificate(der: bytes) -> Certificate:
    """Read a certificate. Raises ValueError when it is none."""
    outer = DerReader(der).take(SEQUENCE)
    fields = DerReader(DerReader(outer).take(SEQUENCE))
    if fields.tag() == _VERSION:
        fields.skip()
    fields.take(INTEGER)  # serial number
    fields.take(SEQUENCE)  # signature algorithm
    fields.take(SEQUENCE)  # issuer
    validity = DerReader(fields.take(SEQUENCE))
    fields.take(SEQUENCE)  # subject
    if fields.tag() != SEQUENCE:
        raise ValueError("no public key where a certificate has one")
    spki = fields.skip()
    validity.skip()
    pin = base64.b64encode(hashlib.sha256(spki).digest()).decode()
    return Certificate(pin, _time(validity), tuple(_names(fields)), spki)


def _names(fields: DerReader) -> Iterator[str]:
    """Iterate over the DNS names of the extension subjectAltName, where there is one."""
    while not fields.done():
        if fields.tag() != _EXTENSIONS:
            fields.skip()
            continue
        extensions = DerReader(DerReader(fields.take(_EXTENSIONS)).take(SEQUENCE))
        while not extensions.done():
            one = DerReader(extensions.take(SEQUENCE))
            if one.take(_OBJECT) != _ALTERNATIVE_NAMES:
                continue
            if one.tag() == _BOOLEAN:
                one.skip()
            names = DerReader(DerReader(one.take(_OCTETS)).take(SEQUENCE))
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


def _time(reader: DerReader) -> datetime:
    tag = reader.tag()
    text = reader.take(tag).decode("ascii")
    if tag == _UTC_TIME:  # two digits of the year: RFC 5280 section 4.1.2.5.1
        text = ("19" if text[:2] >= "50" else "20") + text
    elif tag != _GENERALIZED_TIME:
        raise ValueError("no time where a certificate has one")
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
