"""Connections to a primary over TLS: strict, so that what cannot be proven is not asked, and never asked in the clear (RFC 9103).

Each way in which it fails has its own reason and remedy; nothing falls back to plain TCP.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailname.errors import HostError, TransferError
from mailname.server.network import Endpoint, end_stream, read_message
from mailname.server.tls import ALPN, HANDSHAKE, client_context, pin_of

if TYPE_CHECKING:
    from mailname.server.context import Context
    from mailname.server.network import IPAddress
    from mailname.transfer.actions import Peer

_REMEDIES = {
    "tls-expired": "Renew the certificate on the primary, then there: mailname reload. Or set the clock here: timedatectl status",
    "tls-name": "Correct tls_name here, or give the primary a certificate for this name.",
    "tls-untrusted": "Name the CA that signed it with tls_ca, or pin its key with tls_pin: mailname key pin CERTIFICATE",
    "tls-pin": "If the primary's key was changed on purpose, write its new pin here. There: mailname key pin CERTIFICATE",
    "tls-alpn": "What listens there does not speak DNS over TLS for transfers: correct address and port.",
    "tls-client": "The primary wants a certificate from us that it trusts: [tls] here, client_ca there.",
    "tls-version": "Let the primary speak TLS 1.3, on this port.",
    "tls-failed": "Look at the primary's log; does it listen for TLS on this port (tls_listen, 853)?",
    "tls-closed": "The primary's log says why: perhaps it wants a certificate from us (client_ca there, [tls] here).",
    "tls-files": "Correct the files named in [tls] and tls_ca, then: mailname reload",
    "tls-refused": "Let the primary listen for TLS there (tls_listen), or correct address and port here.",
    "tls-timeout": "Open the port (853) for TCP in the primary's packet filter.",
}
_EXPIRED, _NOT_YET = 10, 9  # OpenSSL's X509_V_ERR_CERT_HAS_EXPIRED, X509_V_ERR_CERT_NOT_YET_VALID
_OTHER_NAME = {62, 64}  # X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH


def tls_failure(peer: Peer, reason: str, says: str) -> TransferError:
    """Make the error that tells why a peer could not be asked over TLS."""
    return TransferError(f"{peer}: {says}", remedy=_REMEDIES[reason], peer=str(peer), reason=reason)


@dataclass(frozen=True, slots=True)
class OverTls:
    """Opens connections to one peer, over TLS."""

    context: Context
    peer: Peer

    async def open_tcp(self, to: Endpoint, source: IPAddress | None = None) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect, and let the peer prove who it is. Raises what ``open_stream`` does."""
        del to, source  # they are the peer's
        return await open_stream(self.context, self.peer)


async def open_stream(context: Context, peer: Peer) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to a peer: over TLS where that is wanted, and then only if it is who it should be.

    Raises:
        TransferError: TLS failed; why.
        OSError: the connection failed, plain or before TLS; the caller bounds the time of that.

    """
    source = context.source_for(peer.address)
    reader, writer = await context.network.open_tcp(Endpoint(peer.address, peer.port), source)
    if peer.tls is None:
        return reader, writer
    try:
        await _secure(context, peer, writer)
    except BaseException:
        writer.transport.abort()
        raise
    return reader, writer


async def _secure(context: Context, peer: Peer, writer: asyncio.StreamWriter) -> None:
    wanted = peer.tls
    assert wanted is not None
    if wanted.name is None and not wanted.pins:
        raise tls_failure(peer, "tls-untrusted", "neither a name nor a pin tells whom to trust")
    try:
        prepared = await asyncio.to_thread(client_context, context.tls_files, wanted.ca, verify=wanted.name is not None)
    except HostError as error:
        raise tls_failure(peer, "tls-files", error.problem) from error
    try:
        async with asyncio.timeout(HANDSHAKE):
            await writer.start_tls(prepared, server_hostname=wanted.name)
    except OSError as error:
        raise tls_error(peer, error) from error
    tls = writer.get_extra_info("ssl_object")
    if tls.selected_alpn_protocol() != ALPN:
        raise tls_failure(peer, "tls-alpn", f'did not agree on the protocol "{ALPN}" (ALPN)')
    found = pin_of(tls)
    if wanted.pins and found not in wanted.pins:
        raise tls_failure(peer, "tls-pin", f"its key has the pin {found}, which is not the one that is configured")


def tls_error(peer: Peer, error: OSError | EOFError) -> TransferError:
    """Say in which way TLS failed: in the handshake, or in what came of it later (a client's certificate is judged last)."""
    if isinstance(error, ssl.SSLCertVerificationError):
        code = error.verify_code
        says = f"its certificate is not accepted: {error.verify_message}"
        if code in {_EXPIRED, _NOT_YET}:
            return tls_failure(peer, "tls-expired", says)
        return tls_failure(peer, "tls-name" if code in _OTHER_NAME else "tls-untrusted", says)
    if isinstance(error, ssl.SSLError):
        word = error.reason or "no reason given"
        if "CERTIFICATE_REQUIRED" in word or "UNKNOWN_CA" in word or "BAD_CERTIFICATE" in word or "CERTIFICATE_UNKNOWN" in word:
            return tls_failure(peer, "tls-client", f"does not accept our certificate, or wants one ({word})")
        if "ALPN" in word or "NO_APPLICATION_PROTOCOL" in word:
            return tls_failure(peer, "tls-alpn", f'does not speak the protocol "{ALPN}" ({word})')
        if "PROTOCOL_VERSION" in word or "UNSUPPORTED_PROTOCOL" in word:
            return tls_failure(peer, "tls-version", f"does not speak TLS 1.3 ({word})")
        return tls_failure(peer, "tls-failed", f"TLS failed ({word})")
    if isinstance(error, TimeoutError):
        return tls_failure(peer, "tls-timeout", "no answer to TLS")
    if isinstance(error, ConnectionRefusedError):
        return tls_failure(peer, "tls-refused", "nothing listens there (TCP refused)")
    return tls_failure(peer, "tls-closed", "the connection was closed before anything was answered (TLS)")


async def ask_tls(context: Context, peer: Peer, query: bytes, seconds: float) -> bytes:
    """Send one query over TLS and return the first message of the answer. Raises TransferError."""
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await open_stream(context, peer)
            try:
                writer.write(len(query).to_bytes(2, "big") + query)
                return await read_message(reader)
            finally:
                await end_stream(writer)
    except (OSError, EOFError) as error:
        raise tls_error(peer, error) from error
