"""What changed in a zone, asked for by UDP (RFC 1995 section 2): one datagram each way, where a connection would cost more.

It is asked so after a NOTIFY alone, and only where the answer is signed or comes from this machine: whoever is not on the way
could forge an unsigned datagram, but hardly a connection. Whatever does not come, does not fit or is odd is fetched by TCP, whose
failures are told; a server that answers so, or not at all, is left alone with it for a while (``by_udp``).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from mailname.errors import TransferError
from mailname.server.asking import TransferredZone, at, judged, signed
from mailname.server.each_key import first_of
from mailname.transfer import ixfr, ixfr_read
from mailname.transfer.axfr import NotNewerError
from mailname.zone.image_zone import ImageZone

if TYPE_CHECKING:
    from mailname.server.context import Context
    from mailname.transfer.actions import Peer, Transfer
    from mailname.zone import Zone

_PATIENCE = 0.5  # seconds for an answer, before it is fetched by TCP


class ChangeQuestion:
    """One question for what changed since the version that is held. It is sent at once, where that can be."""

    def __init__(self, context: Context, peer: Peer, held: ImageZone, transfer: Transfer) -> None:
        self._context, self._peer, self._held = context, peer, held
        self._offered = None if transfer.hinted else transfer.offered
        self._begun = time.monotonic()
        self._mac, self._message_id = b"", 0
        self._source = context.source_for(peer.address)
        try:
            self._sent = context.changes.begin(context.network, at(peer), self._make, _PATIENCE, self._source)
        except OSError:
            self._sent = None

    def _make(self, message_id: int) -> bytes:
        self._message_id = message_id
        wire, self._mac = signed(self._context, self._peer, ixfr.query(self._held, message_id))
        return wire

    async def answered(self) -> TransferredZone | None:
        """Return the zone with what changed; None where it is to be fetched by TCP.

        Raises:
            NotNewerError: the server has nothing newer.

        """
        context, server, trust = self._context, at(self._peer), self._context.by_udp
        try:
            if self._sent is not None:
                answer = await self._sent
            else:
                answer = await context.changes.ask(context.network, server, self._make, _PATIENCE, self._source)
        except OSError:
            trust.silent(server, context.clock.monotonic())
            return None
        taken = self._taken(answer)
        if taken is None:
            trust.sent_no_change(server, context.clock.monotonic())
        else:
            trust.well(server)
            if self._peer.key is not None:
                context.key_use.answered(self._peer.key, self._peer.address, "IXFR", context.clock.wall())
        return taken

    def _taken(self, answer: bytes) -> TransferredZone | None:
        limits = self._context.limits
        most = (limits.records, limits.octets)
        incoming = ixfr_read.Incoming(self._held, self._message_id, str(self._peer), self._offered, *most)
        try:
            if not incoming.receive(judged(self._context, self._peer, answer, self._mac)):
                return None
            incoming.finish()
        except NotNewerError:
            raise
        except TransferError:  # the question by TCP finds out more
            return None
        if incoming.zone is None or incoming.changes is None:
            return None
        seconds = time.monotonic() - self._begun
        return TransferredZone(incoming.zone, 1, incoming.records, len(answer), seconds, "IXFR", incoming.changes, by_udp=True)


def begin(context: Context, transfer: Transfer, held: Zone | None) -> ChangeQuestion | None:
    """Ask by UDP for what changed, if a NOTIFY has told of it, and that may be worth it."""
    peer = first_of(transfer.peer)
    if not transfer.hinted or peer.tls is not None or not (peer.key is not None or peer.address.is_loopback):
        return None
    if not isinstance(held, ImageZone) or transfer.unless != held.serial:
        return None
    if not context.by_udp.may_ask(at(peer), context.clock.monotonic()):
        return None
    return ChangeQuestion(context, peer, held, transfer)
