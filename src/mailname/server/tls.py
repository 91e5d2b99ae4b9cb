"""TLS for transfers: certificates from files, made ready for either side of a connection (RFC 9103).

TLS 1.3 only, and the protocol "dot" agreed on in the handshake (ALPN), on both sides.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mailname.errors import HostError
from mailname.wire.certificate import read_certificate

if TYPE_CHECKING:
    from pathlib import Path

    from mailname.wire.certificate import Certificate

ALPN = "dot"
PORT = 853
HANDSHAKE = 5.0  # seconds
_REMEDY = "See [tls] in the configuration: certificate (the chain, in PEM) and key (its private key, mode 600)."


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Our own certificate and its key, in PEM; and who may sign those of clients. Shown to servers that we transfer from, too.

    Attributes:
        certificate: ours first, then what leads to the CA.
        key: the private key; nobody else may read it.
        client_ca: clients must have a certificate signed by one of these (or one of these itself); None asks for none.

    """

    certificate: Path
    key: Path
    client_ca: Path | None = None


def own_certificate(files: TlsFiles) -> Certificate:
    """Read what our certificate says. Raises HostError."""
    return certificate_in(files.certificate)


def certificate_in(path: Path) -> Certificate:
    """Read the first certificate of a PEM file. Raises HostError."""
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    try:
        text = path.read_text(encoding="ascii")
        first = text[text.index(begin) : text.index(end) + len(end)]
        return read_certificate(ssl.PEM_cert_to_DER_cert(first + "\n"))
    except OSError as error:
        raise HostError(f"cannot read the certificate {path}: {error.strerror}", remedy=_REMEDY, step="tls") from error
    except ValueError as error:  # UnicodeDecodeError is one
        raise HostError(f"there is no certificate in {path}", remedy=_REMEDY, step="tls") from error


def server_context(files: TlsFiles) -> ssl.SSLContext:
    """Make ready to answer. Raises HostError when the files do not go together."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _prepare(context, files)
    if files.client_ca is not None:
        _trust(context, files.client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_context(files: TlsFiles | None, ca: Path | None, *, verify: bool) -> ssl.SSLContext:
    """Make ready to ask.

    Args:
        files: what we show when we are asked who we are.
        ca: whom we trust to sign the server's certificate; None: whom this machine trusts.
        verify: the server's certificate must be signed by these, and for its name. Without, the caller compares its pin.

    Raises:
        HostError: a file cannot be used.

    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = verify
    context.verify_mode = ssl.CERT_REQUIRED if verify else ssl.CERT_NONE
    if verify and ca is not None:
        _trust(context, ca)
    elif verify:
        context.load_default_certs()
    _prepare(context, files)
    return context


def _prepare(context: ssl.SSLContext, files: TlsFiles | None) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.set_alpn_protocols([ALPN])
    if files is None:
        return
    try:
        mode = files.key.stat().st_mode
        if mode & 0o077:
            raise HostError(f"others can read the private key {files.key}", remedy=f"chmod 600 {files.key}", step="tls")
        # The empty password: no question on the terminal where the key is encrypted.
        context.load_cert_chain(files.certificate, files.key, password="")
    except ssl.SSLError as error:
        why = "they do not belong together" if "MISMATCH" in (error.reason or "") else f"{error.reason or error}"
        problem = f"the certificate {files.certificate} and the key {files.key} cannot be used: {why}"
        raise HostError(problem, remedy=_REMEDY, step="tls") from error
    except OSError as error:
        missing = files.certificate if files.key.exists() else files.key
        raise HostError(f"cannot read {missing}: {error.strerror}", remedy=_REMEDY, step="tls") from error


def _trust(context: ssl.SSLContext, ca: Path) -> None:
    try:
        context.load_verify_locations(ca)
    except OSError as error:  # ssl.SSLError is one
        raise HostError(f"there are no CA certificates in {ca}: {error.strerror}", remedy=_REMEDY, step="tls") from error


def pin_of(tls: ssl.SSLObject) -> str | None:
    """Return the pin of the certificate that the other side showed, None where it showed none, or one that cannot be read."""
    der = tls.getpeercert(binary_form=True)
    try:
        return read_certificate(der).pin if der else None
    except ValueError:
        return None


def tls_status(files: TlsFiles) -> dict[str, Any]:
    """Return what ``mailname status --json`` tells of our certificate."""
    found: dict[str, Any] = {"certificate": str(files.certificate), "pin": None, "expires": None, "says": ""}
    try:
        own = own_certificate(files)
    except HostError as error:
        return {**found, "says": error.problem}
    found["pin"], found["expires"] = own.pin, own.not_after.strftime("%Y-%m-%dT%H:%M:%SZ")
    if own.not_after <= datetime.now(UTC):
        found["says"] = f"the certificate {files.certificate} has expired: renew it, then: mailname reload"
    return found
