"""One NOTIFY, sent to a secondary and answered (RFC 1996), signed where a key is shared."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from dns.rcode import Rcode

from mailname.server.asking import UDP_TIMEOUT, at, judged, network_failure, rcode_of, signed
from mailname.server.each_key import as_used, first_of, with_each_key
from mailname.transfer import notify
from mailname.wire.tsig import find_signature

if TYPE_CHECKING:
    import asyncio

    from mailname.server.context import Context
    from mailname.transfer.actions import Peer
    from mailname.zone import Zone


class Sent(NamedTuple):
    """A NOTIFY that is on its way.

    Attributes:
        answer: comes, or says why it does not.
        mac: the MAC of the NOTIFY, empty where it is not signed.
        peer: to whom, the key first with which it is signed.

    """

    answer: asyncio.Future[bytes]
    mac: bytes
    peer: Peer


def begin(context: Context, peer: Peer, zone: Zone) -> Sent | None:
    """Send a NOTIFY now, if it can go at once; None where ``send_notify`` is to do it, or to say why it cannot be done."""
    peer = as_used(context, peer)
    asking = _Asking(context, first_of(peer), zone)
    with suppress(OSError):
        answer = context.notifies.begin(context.network, at(peer), asking.make, UDP_TIMEOUT, context.source_for(peer.address))
        return None if answer is None else Sent(answer, asking.mac, peer)
    return None


async def send_notify(context: Context, peer: Peer, zone: Zone, sent: Sent | None = None) -> str:
    """Send one NOTIFY, unless one is on its way, and return the rcode of the answer as text.

    Raises:
        TransferError: no answer, or one that is not signed right.

    """
    peer = sent.peer if sent is not None else as_used(context, peer)
    first, last = first_of(peer), peer.keys[-1] if peer.keys else None
    return await with_each_key(
        context,
        peer,
        "NOTIFY",
        lambda one: _answered(context, one, zone, sent if one == first else None, another=one.key != last),
    )


class _Asking:
    """A NOTIFY in the making."""

    def __init__(self, context: Context, peer: Peer, zone: Zone) -> None:
        self._context, self._peer, self._zone = context, peer, zone
        self.mac = b""

    def make(self, message_id: int) -> bytes:
        wire, self.mac = signed(self._context, self._peer, notify.message(self._zone, message_id))
        return wire


def _rejects(answer: bytes) -> bool:
    """Tell whether an answer says what is wrong with our signature (RFC 8945 section 5.3.2)."""
    signature = find_signature(answer)
    return signature is not None and bool(signature.rdata.error)


async def _answered(context: Context, peer: Peer, zone: Zone, sent: Sent | None, *, another: bool) -> str:
    try:
        if sent is not None:
            answer, mac = await sent.answer, sent.mac
        else:
            asking = _Asking(context, peer, zone)
            source = context.source_for(peer.address)
            answer = await context.notifies.ask(context.network, at(peer), asking.make, UDP_TIMEOUT, source)
            mac = asking.mac
    except OSError as error:
        raise network_failure(peer, error, "udp") from error
    rcode = rcode_of(answer)
    if rcode == Rcode.NOERROR or (rcode == Rcode.NOTAUTH and (another or _rejects(answer))):  # it may know another key
        judged(context, peer, answer, mac)
    return rcode.name
