"""Questions that a server asks other servers, signed where a key is shared: the transfer, and what all of them have in common."""

from __future__ import annotations

import asyncio
import errno
import secrets
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from dns.rcode import Rcode
from dns.rdatatype import RdataType

from mailname.errors import TransferError
from mailname.server.context import bare, log
from mailname.server.each_key import with_each_key
from mailname.server.network import Endpoint
from mailname.server.tls_client import OverTls, tls_error
from mailname.transfer import axfr, ixfr, ixfr_read
from mailname.transfer.axfr import NotNewerError
from mailname.transfer.failed_connection import OPENED_AND_SILENT
from mailname.wire.tsig import Rejected, StreamVerifier, sign, verify
from mailname.zone.image_zone import ImageZone

if TYPE_CHECKING:
    from dns.name import Name

    from mailname.server.clock import Clock
    from mailname.server.context import Context
    from mailname.server.transfer_turns import Connection
    from mailname.transfer.actions import Peer, Transfer
    from mailname.transfer.transfer_limits import TransferLimits
    from mailname.zone import Zone
    from mailname.zone.image_merge import Changes

UDP_TIMEOUT = 1.5  # seconds for one try
TCP_TIMEOUT = 5.0  # seconds to connect and get a short answer
_TOO_MANY_FILES = (errno.EMFILE, errno.ENFILE)
_AT_ONCE = 2048  # octets of messages that are not worth a thread
_MOST_READ = 1 << 18  # octets

#: Failures of an IXFR after which the whole zone may still come; of the network, signatures or permission it would fail alike.
_WHOLE_MAY_HELP = {"malformed", "failed", "servfail", "reset"}
RCODE_REASONS = {Rcode.REFUSED: "refused", Rcode.NOTAUTH: "notauth", Rcode.SERVFAIL: "servfail"}
_REMEDIES = {
    "refused": "Load the zone on the primary if it is not there; allow this server there by its address or its key.",
    "notauth": "Allow this server on the primary by its address or its key (Knot says NOTAUTH for that); load the zone there.",
    "servfail": "The primary has the zone configured but cannot serve it: look at its log.",
    "badkey": "Give both servers the same key, with the same name.",
    "badsig": "Give both servers the same key: the secrets differ.",
    "badtrunc": "Give both servers the same key, with the same algorithm: one truncates its MACs, the other does not allow that.",
    "badtime": "Set the clock on both servers: timedatectl status",
    "unsigned": "Let the primary sign for this server: the key is missing in its configuration.",
    "timeout-udp": "Start the primary, or open port 53 for UDP and TCP in its packet filter.",
    "timeout-tcp": "Open port 53 for TCP in the primary's packet filter: UDP gets through, TCP does not.",
    "connection-refused": "Start the name server on the primary, or correct its address here.",
    "too-many-files": "Raise the limit of this server (LimitNOFILE in its unit, or ulimit -n), and start it again.",
    "unreachable": "Look at this server's network and routes.",
    "too-slow": "Look at the way to the primary; let it take longer, if it must: total in the table [transfer_limits].",
    "too-large": "Look at what the primary sends; allow more, if it is right: octets in the table [transfer_limits].",
    "no-zone": "Load the zone on the primary, or correct the primary's address here.",
    "primary-expired": "Mend the primary first: its own copy has expired, or was never there; see its log.",
    "not-authoritative": "The primary answers without authority for the zone: load the zone there.",
}


@dataclass(frozen=True, slots=True)
class TransferredZone:
    """A transfer that succeeded, with the figures that the log tells.

    Attributes:
        kind: IXFR or AXFR: what came, whatever was asked for.
        changes: how the zone differs from the version held; None where the whole zone came.
        fallback: why the whole zone was asked for although a version is held; empty where it was not.
        by_udp: what changed came in a datagram.

    """

    zone: Zone
    messages: int
    records: int
    octets: int
    seconds: float
    kind: Literal["AXFR", "IXFR"] = "AXFR"
    changes: Changes | None = None
    fallback: str = ""
    by_udp: bool = False


def failure(peer: Peer, reason: str, says: str, rcode: str | None = None) -> TransferError:
    """Make the error that tells why a peer could not be asked."""
    return TransferError(f"{peer}: {says}", remedy=_REMEDIES.get(reason, ""), peer=str(peer), reason=reason, rcode=rcode)


def network_failure(peer: Peer, error: OSError | EOFError, transport: str) -> TransferError:
    """Tell why nothing came from a peer; ``transport`` is udp or tcp."""
    if peer.tls is not None and transport == "tcp":
        return tls_error(peer, error)
    # asyncio's TimeoutError is an OSError; a closed stream is an EOFError.
    if isinstance(error, TimeoutError):
        return failure(peer, f"timeout-{transport}", f"no answer by {transport.upper()}")
    if isinstance(error, ConnectionRefusedError):
        return failure(peer, "connection-refused", f"nothing listens there ({transport.upper()} refused)")
    if isinstance(error, ConnectionResetError | BrokenPipeError | EOFError):
        return failure(peer, "reset", f"the connection was closed in the middle ({transport.upper()})")
    if isinstance(error, OSError) and error.errno in _TOO_MANY_FILES:
        return failure(peer, "too-many-files", "is not asked: this server has too many files open")
    return failure(peer, "unreachable", f"cannot be reached: {error.strerror or error}")


def _broken_off(peer: Peer, error: OSError | EOFError, begun: int, idle: float) -> TransferError:
    """Tell that a transfer ended after some messages; ``idle``: the seconds for which nothing may come."""
    if isinstance(error, TimeoutError):
        return failure(peer, "stalled", f"nothing more came within {idle:g} seconds after {begun} message(s)")
    return failure(peer, "reset", f"the connection was closed in the middle, after {begun} message(s) (TCP)")


def signed(context: Context, peer: Peer, wire: bytes) -> tuple[bytes, bytes]:
    """Sign a question with the key that we share with a peer; return it with its MAC, which is empty where there is no key."""
    if peer.key is None:
        return wire, b""
    return sign(wire, context.keys[peer.key], context.clock.wall())


def judged(context: Context, peer: Peer, answer: bytes, request_mac: bytes) -> bytes:
    """Return an answer's message without signature. Raises TransferError when the signature we need is not good."""
    if peer.key is None:
        return answer
    verdict = verify(answer, {peer.key: context.keys[peer.key]}, context.clock.wall(), request_mac)
    if isinstance(verdict, Rejected):
        rcode = rcode_of(answer)
        if verdict.reason == "unsigned" and rcode in RCODE_REASONS:  # a refusal may come unsigned; we refuse ourselves anyway
            raise failure(peer, RCODE_REASONS[rcode], f"answered {rcode.name}", rcode.name)
        raise failure(peer, verdict.reason, verdict.says, rcode.name)
    return verdict.message


def rcode_of(wire: bytes) -> Rcode:
    """Return the rcode in a message's header."""
    return Rcode.make(wire[3] & 0xF) if len(wire) > 3 else Rcode.FORMERR


async def fetch_zone(context: Context, transfer: Transfer, apex: Name, held: Zone | None = None) -> TransferredZone:
    """Transfer the zone: what changed by IXFR where a version is held, else, or if that is no good, the whole by AXFR.

    Args:
        context: the server's surroundings.
        transfer: from whom, and what is known of the version; without ``unless`` it is the whole zone.
        apex: the zone.
        held: the version held.

    Raises:
        NotNewerError: its SOA is not newer than ``transfer.unless``.
        TransferError: with the reason; nothing that is served has changed.

    """
    start = held if isinstance(held, ImageZone) and transfer.unless == held.serial else None
    what = "AXFR" if start is None else "IXFR"
    return await with_each_key(
        context, transfer.peer, what, lambda one: _fetch_zone(context, replace(transfer, peer=one), apex, start)
    )


async def _fetch_zone(context: Context, transfer: Transfer, apex: Name, held: ImageZone | None) -> TransferredZone:
    started = time.monotonic()
    peer, message_id, fallback = transfer.peer, secrets.randbelow(65536), ""
    offered = None if transfer.hinted else transfer.offered
    most = (context.limits.records, context.limits.octets)
    if held is not None:
        changed = ixfr_read.Incoming(held, message_id, str(peer), offered, *most)
        try:
            octets = await _fetch(context, peer, ixfr.query(held, message_id), changed)
        except NotNewerError:
            raise
        except TransferError as error:
            only_soa = (
                error.reason == "stalled" and changed.messages and changed.records <= 1
            )  # RFC 1995 section 2 knows that by UDP alone
            if error.reason not in _WHOLE_MAY_HELP and not only_soa:
                raise
            fallback = error.problem
            log.warning("zone %s: IXFR is no good, so AXFR is asked for: %s", bare(apex), fallback)
            changed.let_go()
        else:
            assert changed.zone is not None  # or it would have raised
            seconds = time.monotonic() - started
            kind: Literal["AXFR", "IXFR"] = "AXFR" if changed.changes is None else "IXFR"
            return TransferredZone(changed.zone, changed.messages, changed.records, octets, seconds, kind, changed.changes)
    incoming = axfr.Incoming(apex, message_id, str(peer), offered, transfer.unless, RdataType.AXFR, *most)
    octets = await _fetch(context, peer, axfr.query(apex, message_id), incoming)
    assert incoming.zone is not None  # or it would have raised
    seconds = time.monotonic() - started
    return TransferredZone(incoming.zone, incoming.messages, incoming.records, octets, seconds, fallback=fallback)


async def _fetch(context: Context, peer: Peer, query: bytes, incoming: axfr.Incoming | ixfr_read.Incoming) -> int:
    """Ask, and take the answer; return how many octets came."""
    wire, mac = signed(context, peer, query)
    verifier = StreamVerifier(context.keys[peer.key], mac) if peer.key is not None else None
    limits = context.limits
    taking = _Taking(peer, incoming, verifier, limits)
    to, source = at(peer), context.source_for(peer.address)
    network = OverTls(context, peer) if peer.tls is not None else context.network
    try:
        fresh = False
        while True:
            opened = False
            async with context.transfers.connection(network, to, source, peer.tls, fresh=fresh) as connection:
                fresh, opened = not connection.used, True
                try:
                    async with asyncio.timeout(limits.total) as whole:
                        await taking.converse(connection, wire, context.clock)
                    break
                except (OSError, EOFError) as error:
                    if whole.expired():
                        says = f"the transfer was not over after {limits.total:g} seconds: {incoming.messages} message(s)"
                        raise failure(peer, "too-slow", says) from error
                    if fresh or incoming.messages:
                        raise
            fresh = True  # a server may end a connection after each transfer: that is no failure, only a new connection helps
    except (OSError, EOFError) as error:
        if incoming.messages:
            raise _broken_off(peer, error, incoming.messages, limits.idle) from error
        if opened and peer.tls is None and isinstance(error, TimeoutError):
            raise failure(peer, "timeout-tcp", OPENED_AND_SILENT) from error
        raise network_failure(peer, error, "tcp") from error
    if verifier is not None and not verifier.last_was_signed:
        raise failure(peer, "unsigned", "the last message of the transfer is not signed (RFC 8945 section 5.3.1)")
    context.by_udp.reached_by_tcp(to, context.clock.monotonic())
    if taking.octets <= _AT_ONCE and incoming.finishes_at_once:
        incoming.finish()
    else:
        await asyncio.to_thread(incoming.finish)
    return taking.octets


class _Messages:
    """The messages of a TCP stream, handed out as many at a time as have arrived."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._rest = b""
        self.octets = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing has come but what was handed out."""
        return not self._rest

    async def some(self) -> list[bytes]:
        """Return one message at least. Raises EOFError when the stream ends before it is whole."""
        while not (found := self._cut()):
            received = await self._reader.read(_MOST_READ)
            if not received:
                raise EOFError
            self._rest += received
        return found

    def _cut(self) -> list[bytes]:
        found, at, rest = [], 0, self._rest
        while len(rest) - at >= 2 and len(rest) >= (end := at + 2 + int.from_bytes(rest[at : at + 2], "big")):
            found.append(rest[at + 2 : end])
            self.octets += end - at - 2
            at = end
        self._rest = rest[at:]
        return found


@dataclass(slots=True)
class _Taking:
    """A transfer on its way in: each message's signature is judged, and its records are taken."""

    peer: Peer
    incoming: axfr.Incoming | ixfr_read.Incoming
    verifier: StreamVerifier | None
    limits: TransferLimits
    octets: int = 0

    async def converse(self, connection: Connection, query: bytes, clock: Clock) -> None:
        """Ask on a connection, and take all that answers.

        Raises:
            TransferError: with the reason.
            OSError: the connection has failed, or is silent for too long; EOFError: the primary has ended it.

        """
        connection.writer.write(len(query).to_bytes(2, "big") + query)
        messages = _Messages(connection.reader)
        while not self.incoming.complete:
            patience = self.limits.idle if self.incoming.messages else TCP_TIMEOUT
            try:
                async with asyncio.timeout(patience):
                    some = await messages.some()
            except TimeoutError:
                if messages.is_empty:
                    raise
                says = (
                    f"no whole message came within {patience:g} seconds, only a part, after {self.incoming.messages} message(s)"
                )
                raise failure(self.peer, "stalled", says) from None
            if sum(map(len, some)) <= _AT_ONCE:
                self.take(some, clock.wall())
            else:  # hundreds of records: answering goes on meanwhile
                await asyncio.to_thread(self.take, some, clock.wall())
        connection.clean = messages.is_empty and self.octets == messages.octets

    def take(self, messages: list[bytes], now: float) -> None:
        """Take messages; what comes behind the last one of the transfer is left alone.

        Raises:
            TransferError: with the reason.

        """
        for received in messages:
            self.octets += len(received)
            if self.octets > self.limits.octets:
                raise failure(self.peer, "too-large", f"the transfer has more than {self.limits.octets} octets")
            if self.incoming.receive(self._judged(received, now)):
                return

    def _judged(self, received: bytes, now: float) -> bytes:
        if self.verifier is None:
            return received
        verdict = self.verifier.take(received, now)
        if not isinstance(verdict, Rejected):
            return verdict
        rcode = rcode_of(received)
        if verdict.reason == "unsigned" and rcode in RCODE_REASONS:
            raise failure(self.peer, RCODE_REASONS[rcode], f"answered {rcode.name} to the transfer", rcode.name)
        raise failure(self.peer, verdict.reason, verdict.says, rcode.name)


def at(peer: Peer) -> Endpoint:
    """Return where a peer listens."""
    return Endpoint(peer.address, peer.port)
