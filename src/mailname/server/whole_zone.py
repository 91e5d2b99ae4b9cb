"""One transfer of one zone from any server, kept nowhere: to import it, or to compare it with a plan (RFC 5936)."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from typing import TYPE_CHECKING

from mailname.server.asking import RCODE_REASONS, TCP_TIMEOUT, failure, network_failure, rcode_of
from mailname.server.network import read_message
from mailname.transfer import axfr
from mailname.transfer.actions import Peer
from mailname.transfer.transfer_limits import TransferLimits
from mailname.wire.tsig import Rejected, StreamVerifier, sign

if TYPE_CHECKING:
    from dns.name import Name

    from mailname.server.network import Endpoint, Network
    from mailname.wire.tsig_key import Key
    from mailname.zone.image_zone import ImageZone


async def whole_zone(network: Network, at: Endpoint, apex: Name, key: Key | None) -> ImageZone:
    """Transfer a zone by AXFR.

    Args:
        network: through what.
        at: the server.
        apex: the zone.
        key: signs the question; then the answer must be signed, too.

    Raises:
        TransferError: with the reason, as a secondary would tell it.

    """
    peer = Peer(at.address, at.port, key.name if key else None)
    incoming = axfr.Incoming(apex, secrets.randbelow(0x10000), str(peer))
    query, mac = axfr.query(apex, incoming.message_id), b""
    if key is not None:
        query, mac = sign(query, key, time.time())
    verifier = StreamVerifier(key, mac) if key is not None else None
    limits = TransferLimits()
    try:
        async with asyncio.timeout(limits.total):
            async with asyncio.timeout(TCP_TIMEOUT):
                reader, writer = await network.open_tcp(at)
            try:
                writer.write(len(query).to_bytes(2, "big") + query)
                while not incoming.complete:
                    async with asyncio.timeout(limits.idle if incoming.messages else TCP_TIMEOUT):
                        message = await read_message(reader)
                    incoming.receive(_judged(peer, message, verifier))
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
    except (OSError, EOFError) as error:
        raise network_failure(peer, error, "tcp") from error
    if verifier is not None and not verifier.last_was_signed:
        raise failure(peer, "unsigned", "the last message of the transfer is not signed (RFC 8945 section 5.3.1)")
    await asyncio.to_thread(incoming.finish)
    assert incoming.zone is not None  # or it would have raised
    return incoming.zone


def _judged(peer: Peer, message: bytes, verifier: StreamVerifier | None) -> bytes:
    """Return a message without its signature."""
    if verifier is None:
        return message
    verdict = verifier.take(message, time.time())
    if not isinstance(verdict, Rejected):
        return verdict
    rcode = rcode_of(message)
    if verdict.reason == "unsigned" and rcode in RCODE_REASONS:
        raise failure(peer, RCODE_REASONS[rcode], f"answered {rcode.name} to the transfer", rcode.name)
    raise failure(peer, verdict.reason, verdict.says, rcode.name)
