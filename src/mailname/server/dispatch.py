"""One message from the network: whose business it is, and what goes back.

Plain questions go to ``answer``; NOTIFY and transfers to the zone they are about; signatures are verified before anything else.
Nothing that arrives may raise out of here.
"""

from __future__ import annotations

import secrets
import struct
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from dns.opcode import Opcode
from dns.rcode import Rcode
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType

from mailname.answer import Settings, Transport, ZoneTable, reply_to, respond, truncated
from mailname.answer.prepared import PreparedAnswers
from mailname.answer.rate_limit import RateLimit, RateLimiter, Verdict
from mailname.server.context import Context, bare, log
from mailname.server.primary_zone import PrimaryZone
from mailname.server.quiet import LogLimit
from mailname.server.rejected_notify import RejectedNotifies
from mailname.server.secondary_zone import SecondaryZone
from mailname.server.sending import Ways, differences_by_udp, messages_of
from mailname.server.tcp import IDLE
from mailname.server.tls_listener import TlsClient
from mailname.server.traffic import Traffic
from mailname.server.updating import Updating
from mailname.wire.cookie import SECRET_SIZE
from mailname.wire.edns import ExtendedError
from mailname.wire.message import AA, TC, Request, Unreadable, error_reply, read_request
from mailname.wire.octets import octets
from mailname.wire.soa_serial import serial_in
from mailname.wire.tsig import (
    Rejected,
    StreamSigner,
    Verified,
    rejection_reply,
    sign,
    signature_octets,
    verify,
)
from mailname.zone import Serial, Zone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dns.name import Name

    from mailname.answer.prepared import Prepared
    from mailname.server.network import Endpoint, IPAddress
    from mailname.server.noting import Sending
    from mailname.transfer.primary import Primary

    ServedZone = PrimaryZone | SecondaryZone

_TRANSFER_TYPES = (RdataType.AXFR, RdataType.IXFR)
_ABOUT_THE_ZONE = (*_TRANSFER_TYPES, RdataType.SOA)
_USES: dict[int, str] = {Opcode.NOTIFY: "NOTIFY", Opcode.UPDATE: "UPDATE"}
_LARGEST_MESSAGE = 65535


def offered(settings: Settings) -> Settings:
    """Return the operator's choices and what every server of ours offers: cookies, reasons of failures, TCP keepalive.

    The secret of the cookies lives as long as the process: after a new start, clients get new ones.
    """
    return replace(
        settings,
        cookie_secrets=settings.cookie_secrets or (secrets.token_bytes(SECRET_SIZE),),
        extended_errors=True,
        keepalive=int(IDLE * 10),
    )


@dataclass(slots=True)
class Dispatcher:
    """Answers messages for one server."""

    context: Context
    zones: dict[Name, ServedZone]
    settings: Settings = field(default_factory=lambda: offered(Settings()))
    rates: RateLimiter = field(default_factory=lambda: RateLimiter(RateLimit()))
    strangers: LogLimit = field(default_factory=LogLimit)
    traffic: Traffic = field(default_factory=Traffic)
    doubts: RejectedNotifies = field(init=False)
    prepared: PreparedAnswers = field(init=False)
    updating: Updating = field(init=False)

    def __post_init__(self) -> None:
        self.doubts = RejectedNotifies(self.context.clock.monotonic)
        self.prepared = PreparedAnswers(self.settings)
        self.updating = Updating(self)

    def on_udp(self, wire: bytes, source: Endpoint) -> bytes | None:
        """Return the reply to a datagram, None for silence."""
        self.prepared.follow(self.context.table)
        known = self.prepared.find(wire)
        if known is None:
            return self.by_reference(wire, source)
        clock = self.context.clock
        began = clock.monotonic()
        reply = self.limited(known, wire, source.address)
        self.traffic.answered_prepared(known, wire, reply, source.address, clock.wall(), clock.monotonic() - began)
        return reply

    def by_reference(self, wire: bytes, source: Endpoint) -> bytes | None:
        """Return the reply to a datagram for which none is prepared, None for silence."""
        return next(self._replies(wire, source, "udp"), None)

    def limited(self, known: Prepared, wire: bytes, client: IPAddress) -> bytes | None:
        """Return a prepared reply as far as the limiting of rates lets it go: whole, truncated, or not at all."""
        match self.rates.decide(client, known.sort, known.subject, self.context.clock.monotonic()):
            case Verdict.SEND:
                return known.reply(wire)
            case Verdict.SLIP:
                request = read_request(wire)
                return error_reply(request, Rcode.NOERROR, flags=TC) if isinstance(request, Request) else None
        return None

    def on_tcp(self, wire: bytes, source: Endpoint) -> Iterator[bytes]:
        """Return the messages that answer one message of a TCP stream: one, or as many as a transfer takes."""
        return self._replies(wire, source, "tcp")

    def _replies(self, wire: bytes, source: Endpoint, transport: Transport) -> Iterator[bytes]:
        """Give the messages that answer one message, counted as one answer."""
        clock = self.context.clock
        began = clock.monotonic()
        request = read_request(wire)
        replies = self._replies_to(request, wire, source, transport)
        self.traffic.questions += 1
        first = next(replies, None)
        if first is not None:
            self.traffic.answered(request, first, source.address, transport, self.context.table, clock.wall())
            self.traffic.in_time(clock.monotonic() - began)
            yield first
            yield from replies

    def _replies_to(self, request: Request | Unreadable, wire: bytes, source: Endpoint, transport: Transport) -> Iterator[bytes]:
        if isinstance(request, Unreadable):
            if request.reply is not None:
                yield request.reply
            return
        signer = self.signer_of(request, wire, source)
        if isinstance(signer, bytes):
            yield signer
            return
        if request.opcode == Opcode.QUERY and request.question.rdtype in _TRANSFER_TYPES:
            yield from self._transfer(request, source, transport, signer)
            return
        if request.opcode == Opcode.NOTIFY:
            reply = self._notify(request, source, signer)
        else:
            answered = self._answer(request, source, transport, signer)
            if answered is None:
                return
            reply = answered
        yield self.signed(reply, signer)

    def signer_of(self, request: Request, wire: bytes, source: Endpoint) -> Verified | bytes | None:
        """Return who has signed a request, None for nobody; or the reply to a signature that is not good."""
        if not request.has_tsig:
            return None
        verdict = verify(wire, self.context.keys, self.context.clock.wall())
        if isinstance(verdict, Rejected):
            return self._rejected(request, verdict, source)
        what = _USES.get(request.opcode, RdataType.to_text(request.question.rdtype))
        self.context.key_use.verified(verdict.key.name, source.address, what, self.context.clock.wall())
        asks = request.opcode == Opcode.QUERY and request.question.rdtype in _ABOUT_THE_ZONE
        if asks and (zone := self.zones.get(request.question.name)) is not None:
            zone.secondaries.on_signed_well(source.address, verdict.key.name)
        return verdict

    def _answer(self, request: Request, source: Endpoint, transport: Transport, signer: Verified | None) -> bytes | None:
        """Answer a question; None when this client's network has been told the same too often, or somebody forges its address."""
        clock = self.context.clock
        private = self._private(request.question.name)
        hidden = private is not None and self._objection(private, source, signer) is not None
        response = reply_to(
            request,
            ZoneTable() if hidden else self.context.table,
            transport=transport,
            reserve=signature_octets(signer.key) if signer else 0,
            client=source.address.packed,
            now=int(clock.wall()),
            settings=self.settings,
            expire=self._expires_in,
        )
        if transport == "udp" and signer is None and not response.verified:
            match self.rates.decide(source.address, response.sort, response.subject, clock.monotonic()):
                case Verdict.DROP:
                    return None
                case Verdict.SLIP:
                    return truncated(request, response)
            if private is None:
                self.prepared.remember(request.wire, response)
        return response.wire

    def _private(self, qname: Name) -> ServedZone | None:
        """Return the zone that a name is in if it is answered to those alone who may transfer it (RFC 9432 section 7)."""
        if not self.context.private:
            return None
        found = self.context.table.closest(qname)
        return self.zones.get(found[0]) if found is not None and found[0] in self.context.private else None

    def _expires_in(self, apex: Name) -> int | None:
        """Return the seconds until a secondary zone expires, for who transfers it from us (RFC 7314 section 3.3)."""
        zone = self.zones.get(apex)
        if not isinstance(zone, SecondaryZone) or zone.logic.expire_at is None:
            return None
        return int(max(zone.logic.expire_at - self.context.clock.monotonic(), 0))

    def signed(self, reply: bytes, signer: Verified | None) -> bytes:
        """Sign a reply to who has signed the request."""
        return sign(reply, signer.key, self.context.clock.wall(), signer.mac)[0] if signer else reply

    def _rejected(self, request: Request, verdict: Rejected, source: Endpoint) -> bytes:
        """Answer a bad signature (RFC 8945 section 5.2)."""
        if verdict.reason in {"unsigned", "malformed"}:  # a TSIG record that cannot be read, or a MAC of no length that there is
            return error_reply(request, Rcode.FORMERR)
        now = self.context.clock.wall()
        says = f"{verdict.reason.upper()}: {verdict.says}"
        if self.strangers.allows(source.address, now):
            log.warning("request for %s from %s rejected: %s", bare(request.question.name), source, says)
        zone = self.zones.get(request.question.name)
        if zone is not None and request.opcode == Opcode.NOTIFY:
            self.doubts.on_rejected(zone, source.address, verdict.reason, says, _told_serial(request))
        elif zone is not None and request.question.rdtype in _ABOUT_THE_ZONE:
            zone.secondaries.on_refused(source.address, verdict.reason, says)
        return rejection_reply(error_reply(request, Rcode.NOTAUTH), verdict, now)

    def _notify(self, request: Request, source: Endpoint, signer: Verified | None) -> bytes:
        """Take a NOTIFY (RFC 1996 section 3.10): only a configured primary may wake us."""
        question = request.question
        zone = self.zones.get(question.name)
        now = self.context.clock.wall()
        if question.rdtype != RdataType.SOA or question.rdclass != RdataClass.IN:
            return error_reply(request, Rcode.FORMERR)
        if not isinstance(zone, SecondaryZone):
            if self.strangers.allows(source.address, now):
                log.info("notify for %s from %s: not a secondary zone here", bare(question.name), source)
            if zone is not None:
                zone.secondaries.on_notified_as_primary(source.address, _told_serial(request))
            return error_reply(request, Rcode.NOTAUTH)
        sender = zone.logic.sender(source.address, signer.key.name if signer else None)
        if isinstance(sender, str):
            if self.strangers.allows(source.address, now):
                log.warning("zone %s: refused notify from non-primary %s: %s", bare(question.name), source, sender)
            self.doubts.on_rejected(zone, source.address, "unsigned", sender, _told_serial(request))
            return error_reply(request, Rcode.REFUSED)
        zone.on_notify(sender, source, _told_serial(request))
        return error_reply(request, Rcode.NOERROR, flags=AA)

    def _transfer(self, request: Request, source: Endpoint, transport: Transport, signer: Verified | None) -> Iterator[bytes]:
        """Answer AXFR and IXFR. IXFR gets the whole zone or, when there is nothing newer, the SOA (RFC 1995 section 4)."""
        question = request.question
        served = self.zones.get(question.name)
        if served is None or question.rdclass != RdataClass.IN:
            yield self.signed(error_reply(request, Rcode.NOTAUTH), signer)
            return
        if objection := self._objection(served, source, signer):
            self._refuse(served, source, signer, objection)
            yield self.signed(error_reply(request, Rcode.REFUSED, options=(ExtendedError.PROHIBITED.option,)), signer)
            return
        found = self.context.table.closest(question.name)
        zone = found[1] if found is not None and found[0] == question.name else None
        if not isinstance(zone, Zone):
            yield self.signed(error_reply(request, Rcode.SERVFAIL), signer)
            return
        if transport == "udp":
            if question.rdtype == RdataType.AXFR:  # RFC 5936 section 4.2: AXFR is not for UDP
                yield self.signed(error_reply(request, Rcode.FORMERR), signer)
            else:
                yield self._change(served, zone, request, source, signer)
            return
        if question.rdtype == RdataType.IXFR and not _is_older(_held_serial(request), zone.serial):
            served.secondaries.notes.was_current(_rules(served), source, signer.key.name if signer else None, zone.serial)
            yield self.signed(_only_soa(zone, request), signer)
            return
        yield from self._stream(served, zone, request, source, signer)

    def _change(self, served: ServedZone, zone: Zone, request: Request, source: Endpoint, signer: Verified | None) -> bytes:
        """Answer IXFR by UDP: what changed where that fits, else the SOA, and it is to be fetched by TCP (RFC 1995 section 2)."""
        reserve, key = (signature_octets(signer.key), signer.key.name) if signer else (0, None)
        held, notes, rules = _held_serial(request), served.secondaries.notes, _rules(served)
        if not _is_older(held, zone.serial):
            notes.was_current(rules, source, key, zone.serial)
            return self.signed(_only_soa(zone, request), signer)
        message = differences_by_udp(_ways(served), zone, request, held, reserve)
        if message is None:
            return self.signed(_only_soa(zone, request), signer)
        reply = self.signed(message, signer)
        with notes.sending(rules, source, key, "IXFR", held, zone.serial) as sent:
            sent.count(len(reply), int.from_bytes(message[6:8]))
        _log_sent(zone, source, sent, 0.0)
        served.secondaries.on_transferred(source.address, key, zone.serial)
        return reply

    def _stream(
        self, served: ServedZone, zone: Zone, request: Request, source: Endpoint, signer: Verified | None
    ) -> Iterator[bytes]:
        clock, rules, key = self.context.clock, _rules(served), signer.key.name if signer else None
        started = clock.monotonic()
        log.info("zone %s: transfer of serial %s to %s started", bare(zone.apex), zone.serial, source)
        stream = StreamSigner(signer.key, signer.mac) if signer else None
        reserve = signature_octets(signer.key) if signer else 0
        held = _held_serial(request) if request.question.rdtype == RdataType.IXFR else None
        kind, messages = messages_of(_ways(served), zone, request, held, reserve)
        with served.secondaries.notes.sending(rules, source, key, kind, held, zone.serial) as sent:
            for wire, count in messages:
                message = stream.sign(wire, clock.wall()) if stream else wire
                if len(message) > _LARGEST_MESSAGE:
                    log.error("zone %s: one record is too large for a message: it cannot be transferred", bare(zone.apex))
                    sent.broken = "one record is too large for a message"
                    return
                sent.count(len(message), count)
                yield message
        _log_sent(zone, source, sent, clock.monotonic() - started)
        served.secondaries.on_transferred(source.address, key, zone.serial)

    def _objection(self, served: ServedZone, source: Endpoint, signer: Verified | None) -> str | None:
        key = signer.key.name if signer else None
        over_tls = source if isinstance(source, TlsClient) else None
        return _rules(served).objection(source.address, key, tls=bool(over_tls), pin=over_tls.pin if over_tls else None)

    def _refuse(self, served: ServedZone, source: Endpoint, signer: Verified | None, objection: str) -> None:
        served.secondaries.on_refused(source.address, "refused", objection)
        if self.strangers.allows(source.address, self.context.clock.wall()):
            signed = f", signed with {signer.key.name}" if signer else ""
            log.warning("zone %s: refused transfer to %s%s: %s", bare(served.apex), source, signed, objection)


def _log_sent(zone: Zone, source: Endpoint, sent: Sending, seconds: float) -> None:
    log.info(
        "zone %s: transferred serial %s to %s: %d messages, %d records, %d octets, %.3f seconds (%s)",
        bare(zone.apex),
        zone.serial,
        source,
        sent.messages,
        sent.records,
        sent.octets,
        seconds,
        sent.kind,
    )


def _rules(served: ServedZone) -> Primary:
    """Return who may transfer this zone from us: a secondary may itself have secondaries."""
    return served.secondaries.rules


def _ways(served: ServedZone) -> Ways | None:
    """Return who knows what changed in a zone that is being transferred."""
    if isinstance(served, PrimaryZone) and served.memory is not None:
        return served.memory.ways(octets(served.apex).lower())
    return served.versions


def _told_serial(request: Request) -> Serial | None:
    """Return the serial in a NOTIFY's answer section, a hint only (RFC 1996 section 3.11)."""
    told = serial_in(request.wire, "answer")
    return None if told is None else Serial(told)


def _held_serial(request: Request) -> Serial | None:
    """Return the serial that an IXFR client says it holds (RFC 1995 section 3)."""
    told = serial_in(request.wire, "authority")
    return None if told is None else Serial(told)


def _is_older(held: Serial | None, ours: Serial) -> bool:
    return held is None or ours.is_newer_than(held)


def _only_soa(zone: Zone, request: Request) -> bytes:
    """Return the answer that says "you have the newest", or by UDP "ask by TCP" (RFC 1995 sections 2 and 4)."""
    asked = replace(request, question=replace(request.question, rdtype=RdataType.SOA))
    plain = respond(asked, ZoneTable({zone.apex: zone}), transport="tcp")
    # The question goes back as it was asked: an IXFR.
    at = 12 + len(request.question.name.to_wire() or b"")
    return plain[:at] + struct.pack("!H", RdataType.IXFR) + plain[at + 2 :]
