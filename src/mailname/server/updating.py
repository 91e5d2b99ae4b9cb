"""Dynamic updates at work: verified, judged, carried out, answered (RFC 2136). Off unless a zone's configuration names a key.

An update is answered when it is on the disk, so its reply comes later than others'. Not implemented: forwarding to the primary
(section 6); a secondary answers REFUSED.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dns.rcode import Rcode

from mailname.errors import HostError, ZoneError
from mailname.server.context import bare, in_thread, log
from mailname.server.primary_zone import PrimaryZone
from mailname.update.judge import judge, touched
from mailname.update.message import UpdateError, read_update
from mailname.update.policy import rules_of
from mailname.wire.message import Request, error_reply, read_request

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailname.answer import Transport
    from mailname.server.dispatch import Dispatcher
    from mailname.server.network import Endpoint
    from mailname.update.message import Update
    from mailname.update.policy import UpdateRule
    from mailname.wire.tsig import Verified
    from mailname.zone import Serial

_MOST_WAITING = 100  # updates by UDP that are under way at a time; clients of more ask again


@dataclass(frozen=True, slots=True)
class _Begun:
    """An update by somebody who may update the zone."""

    request: Request
    signer: Verified
    source: Endpoint
    update: Update
    zone: PrimaryZone
    rules: tuple[UpdateRule, ...]


class Updating:
    """Takes the updates of one server."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._waiting = 0

    def take(self, wire: bytes, source: Endpoint, send: Callable[[bytes], object]) -> None:
        """Take an update that came by UDP; ``send`` is called with the reply, at once or when it is done."""
        begun = self._begin(wire, source)
        if not isinstance(begun, _Begun):
            if begun is not None:
                self._count(wire, begun, source, "udp")
                send(begun)
        elif self._waiting < _MOST_WAITING:
            self._waiting += 1
            self._dispatcher.context.spawn(self._reply_later(wire, begun, send), self)

    async def _reply_later(self, wire: bytes, begun: _Begun, send: Callable[[bytes], object]) -> None:
        try:
            reply = await self._finish(begun)
        finally:
            self._waiting -= 1
        self._count(wire, reply, begun.source, "udp")
        send(reply)

    async def reply(self, wire: bytes, source: Endpoint) -> bytes | None:
        """Return the reply to an update that came by TCP, once it is carried out or refused."""
        begun = self._begin(wire, source)
        reply = await self._finish(begun) if isinstance(begun, _Begun) else begun
        if reply is not None:
            self._count(wire, reply, source, "tcp")
        return reply

    def _count(self, wire: bytes, reply: bytes, source: Endpoint, transport: Transport) -> None:
        context, traffic = self._dispatcher.context, self._dispatcher.traffic
        traffic.questions += 1
        traffic.answered(read_request(wire), reply, source.address, transport, context.table, context.clock.wall())

    def _begin(self, wire: bytes, source: Endpoint) -> _Begun | bytes | None:
        """Look who sends what; return the reply to an update that is not to be carried out, None for silence."""
        request = read_request(wire)
        if not isinstance(request, Request):
            return request.reply
        signer = self._dispatcher.signer_of(request, wire, source)
        if isinstance(signer, bytes):
            return signer
        try:
            return self._welcome(request, signer, source)
        except UpdateError as error:
            return self._refused(request, signer, source, error)

    def _welcome(self, request: Request, signer: Verified | None, source: Endpoint) -> _Begun:
        update = read_update(request)
        zone = self._dispatcher.zones.get(update.zone)
        if zone is None:
            raise UpdateError(Rcode.NOTAUTH, "there is no such zone here")
        rules = rules_of(zone.config.update, signer.key.name) if signer is not None else ()
        if signer is None or not rules or not isinstance(zone, PrimaryZone):
            raise UpdateError(Rcode.REFUSED, "it is not signed with a key that may update this zone")
        return _Begun(request, signer, source, update, zone, rules)

    def _refused(self, request: Request, signer: Verified | None, source: Endpoint, error: UpdateError) -> bytes:
        if self._dispatcher.strangers.allows(source.address, self._dispatcher.context.clock.wall()):
            signed = f", signed with {signer.key.name}" if signer is not None else ""
            name = bare(request.question.name)
            log.warning("zone %s: update by %s%s: %s: %s", name, source, signed, error.rcode.name, error.says)
        return self._dispatcher.signed(error_reply(request, error.rcode), signer)

    async def _finish(self, begun: _Begun) -> bytes:
        """Carry an update out, whole or not at all, and return the reply."""
        name, rcode = bare(begun.update.zone), Rcode.NOERROR
        try:
            serial = await _carry_out(begun)
        except UpdateError as error:
            return self._refused(begun.request, begun.signer, begun.source, error)
        except (ZoneError, HostError) as error:
            log.error("zone %s: update by %s cannot be carried out: %s", name, begun.source, error)
            rcode = Rcode.SERVFAIL
        else:
            log.info("zone %s: update by %s, signed with %s: serial %s", name, begun.source, begun.signer.key.name, serial)
        return self._dispatcher.signed(error_reply(begun.request, rcode), begun.signer)


async def _carry_out(begun: _Begun) -> Serial:
    """Change a zone, and return its serial. What a refused update names is not remembered."""
    zone, update, rules = begun.zone, begun.update, begun.rules
    if zone.zone is None:
        raise UpdateError(Rcode.SERVFAIL, "the zone is not loaded")
    judge(zone.zone, update, rules)
    await in_thread(zone.updated.note, zone.zone, touched(zone.zone, update))
    return await zone.change(lambda now: judge(now, update, rules))
