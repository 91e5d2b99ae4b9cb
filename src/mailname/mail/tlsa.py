"""TLSA records for mail: what they ask of a certificate, and whether one fits (RFC 6698, RFC 7672 section 3.1).

For SMTP only usage 3 (this certificate, or its key) and usage 2 (one of those above it) count; senders leave 0 and 1 aside.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import dns.name

from mailname.wire.certificate import read_certificate

if TYPE_CHECKING:
    from collections.abc import Collection

    from dns.name import Name
    from dns.rdtypes.ANY.TLSA import TLSA

_TRUST_ANCHOR, _END_ENTITY = 2, 3
_HASHES = {1: hashlib.sha256, 2: hashlib.sha512}


def tlsa_owner(host: Name, port: int = 25) -> Name:
    """Return where a mail host's TLSA records stand (RFC 6698 section 3)."""
    return dns.name.from_text(f"_{port}._tcp", host)


def prints_of(der: bytes) -> tuple[str, ...]:
    """Return a certificate's fingerprints, as ``selector matching-type hex``: of all of it, and of its public key.

    Raises:
        ValueError: it is no certificate.

    """
    parts = {0: der, 1: read_certificate(der).public_key}
    return tuple(f"{selector} {kind} {make(parts[selector]).hexdigest()}" for selector in parts for kind, make in _HASHES.items())


def is_usable(record: TLSA) -> bool:
    """Tell whether a sender can do something with a record; that a digest has its length dnspython has seen to."""
    return record.usage in (_TRUST_ANCHOR, _END_ENTITY) and record.selector in (0, 1) and record.mtype in (0, *_HASHES)


def fits(record: TLSA, shown: Collection[str], above: Collection[str] | None) -> bool | None:
    """Tell whether a certificate fits a usable record; None where that depends on certificates above it that are not known.

    Args:
        record: the TLSA record.
        shown: the fingerprints of the certificate that was shown.
        above: those of the certificates that were sent with it.

    """
    kind, octets = record.mtype, bytes(record.cert)
    if kind == 0:
        kind, octets = 1, hashlib.sha256(octets).digest()
    wanted = f"{record.selector} {kind} {octets.hex()}"
    if wanted in shown:
        return True
    if record.usage == _END_ENTITY:
        return False
    return None if above is None else wanted in above
