"""AXFR: the whole zone as a stream of messages, sent and received (RFC 5936)."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
from dns.rdatatype import RdataType

from mailname.errors import TransferError, ZoneError
from mailname.wire.octets import octets
from mailname.zone import Serial, Zone, ZoneBuilder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dns.name import Name
    from dns.rdata import Rdata

_HEADER = struct.Struct("!HHHHHH")
_RECORD = struct.Struct("!HHIH")
_LARGEST_MESSAGE = 65535
_ANSWERED = dns.flags.QR | dns.flags.AA


@dataclass(slots=True)
class _Message:
    """One message being filled. Owners and RFC 1035 names in rdata are compressed (RFC 5936 section 3.4)."""

    message_id: int
    apex: Name
    rdtype: RdataType
    with_question: bool
    limit: int
    records: int = 0
    _wire: io.BytesIO = field(default_factory=io.BytesIO)
    _compress: dict[Name, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._wire.write(bytes(12))
        if self.with_question:
            self.apex.to_wire(self._wire, self._compress)
            self._wire.write(struct.pack("!HH", self.rdtype, dns.rdataclass.IN))

    def add(self, owner: Name, ttl: int, rdata: Rdata) -> bool:
        """Add a record, or leave the message as it was and return False when it does not fit."""
        start = self._wire.tell()
        owner.to_wire(self._wire, self._compress)
        self._wire.write(_RECORD.pack(rdata.rdtype, rdata.rdclass, ttl, 0))
        rdata_start = self._wire.tell()
        rdata.to_wire(self._wire, self._compress)
        end = self._wire.tell()
        if end > self.limit and self.records:
            self._wire.seek(start)
            self._wire.truncate()
            self._compress = {name: at for name, at in self._compress.items() if at < start}
            return False
        self._wire.seek(rdata_start - 2)
        self._wire.write(struct.pack("!H", end - rdata_start))
        self._wire.seek(end)
        self.records += 1
        return True

    def finish(self) -> bytes:
        self._wire.seek(0)
        self._wire.write(_HEADER.pack(self.message_id, _ANSWERED, int(self.with_question), self.records, 0, 0))
        return self._wire.getvalue()


def _records(zone: Zone) -> Iterator[tuple[Name, int, Rdata]]:
    """All records, the SOA first and again last (RFC 5936 section 2.2)."""
    for rrset in zone.rrsets():
        for rdata in rrset.rdatas:
            yield rrset.owner, rrset.ttl, rdata
    yield zone.soa.owner, zone.soa.ttl, zone.soa.rdatas[0]


def outgoing(zone: Zone, message_id: int, *, rdtype: RdataType = RdataType.AXFR, reserve: int = 0) -> Iterator[tuple[bytes, int]]:
    """Yield the messages that transfer a zone, in as few as fit, each with its number of records.

    A record that alone is larger than a message makes a message that is too large to be sent: the caller ends the transfer there.

    Args:
        zone: the version to send.
        message_id: the query's id.
        rdtype: the query's type: an IXFR may be answered with the whole zone (RFC 1995 section 4).
        reserve: octets to leave free in each message for a TSIG record.

    """
    limit = _LARGEST_MESSAGE - reserve
    message = _Message(message_id, zone.apex, rdtype, with_question=True, limit=limit)
    for owner, ttl, rdata in _records(zone):
        if not message.add(owner, ttl, rdata):
            yield message.finish(), message.records
            message = _Message(message_id, zone.apex, rdtype, with_question=False, limit=limit)
            message.add(owner, ttl, rdata)
    yield message.finish(), message.records


def query(apex: Name, message_id: int) -> bytes:
    """Return the AXFR query (RFC 5936 section 2.1)."""
    return _HEADER.pack(message_id, 0, 1, 0, 0, 0) + octets(apex) + struct.pack("!HH", RdataType.AXFR, dns.rdataclass.IN)


@dataclass(slots=True)
class Incoming:
    """Takes the messages of an AXFR answer and builds the zone; anything odd refuses the whole transfer.

    Nothing of it is seen by anyone before ``zone`` is there: a transfer that breaks never changes what is served.
    """

    apex: Name
    message_id: int
    peer: str
    offered: Serial | None = None
    most_records: int = 10_000_000
    messages: int = 0
    records: int = 0
    octets: int = 0
    zone: Zone | None = None
    _builder: ZoneBuilder = field(init=False)
    _first_soa: Rdata | None = None

    def __post_init__(self) -> None:
        self._builder = ZoneBuilder(self.apex)

    def take(self, wire: bytes) -> bool:
        """Take the next message, TSIG removed; return whether the transfer is complete.

        Raises:
            TransferError: with the number of the record that is wrong.

        """
        self.messages += 1
        self.octets += len(wire)
        try:
            message = dns.message.from_wire(wire, one_rr_per_rrset=True)
        except (dns.exception.DNSException, ValueError) as error:
            raise self._refuse("malformed", f"message {self.messages} cannot be read: {error or type(error).__name__}") from error
        self._check_header(message)
        for rrset in message.answer:
            for rdata in rrset:
                self._take_record(rrset.name, rrset.ttl, rdata)
        return self.zone is not None

    def _refuse(self, reason: str, says: str, rcode: str | None = None) -> TransferError:
        remedy = {
            "refused": "Allow this server in the primary's transfer list (and check the key).",
            "notauth": "Allow this server on the primary (Knot says NOTAUTH to whom it does not allow), or load the zone there.",
        }.get(reason, "The zone held before is kept and served.")
        return TransferError(f"{self.peer}: {says}", remedy=remedy, peer=self.peer, reason=reason, rcode=rcode)

    def _check_header(self, message: dns.message.Message) -> None:
        if message.id != self.message_id or not message.flags & dns.flags.QR or message.opcode() != dns.opcode.QUERY:
            raise self._refuse("malformed", f"message {self.messages} does not answer our query")
        rcode = message.rcode()
        if rcode != dns.rcode.NOERROR:
            word = dns.rcode.to_text(rcode)
            reason = {"REFUSED": "refused", "NOTAUTH": "notauth", "SERVFAIL": "servfail"}.get(word, "failed")
            raise self._refuse(reason, f"answered {word} to the transfer of {self.apex}", rcode=word)
        question = message.question
        if question and (question[0].name != self.apex or question[0].rdtype != RdataType.AXFR):
            raise self._refuse("malformed", f"message {self.messages} answers another question")
        if not message.answer:
            raise self._refuse("malformed", f"message {self.messages} holds no record")

    def _take_record(self, owner: Name, ttl: int, rdata: Rdata) -> None:
        self.records += 1
        number = self.records
        if self.zone is not None:
            raise self._refuse("malformed", f"record {number} follows the SOA that ends the transfer")
        if number > self.most_records:
            raise self._refuse("malformed", f"more than {self.most_records} records")
        if rdata.rdclass != dns.rdataclass.IN:
            raise self._refuse("malformed", f"record {number}, {owner}, is not of class IN")
        if self._first_soa is None:
            self._take_first(owner, ttl, rdata)
        elif rdata.rdtype == RdataType.SOA and owner == self.apex:
            if rdata != self._first_soa:
                raise self._refuse("malformed", f"record {number}, the SOA at the end, is not the one at the beginning")
            self._finish()
        elif rdata.rdtype == RdataType.SOA:
            raise self._refuse("malformed", f"record {number} is a SOA at {owner}, which is not the apex")
        else:
            self._add(owner, ttl, rdata)

    def _take_first(self, owner: Name, ttl: int, rdata: Rdata) -> None:
        if rdata.rdtype != RdataType.SOA or owner != self.apex:
            raise self._refuse("malformed", f"the first record is {owner} {dns.rdatatype.to_text(rdata.rdtype)}, not the SOA")
        got = Serial(rdata.serial)  # type: ignore[attr-defined]  # the line above made sure that this is a SOA
        if self.offered is not None and self.offered.is_newer_than(got):
            raise self._refuse("malformed", f"the SOA query gave serial {self.offered}, the transfer carries {got}")
        self._first_soa = rdata
        self._add(owner, ttl, rdata)

    def _add(self, owner: Name, ttl: int, rdata: Rdata) -> None:
        try:
            self._builder.add(owner, ttl, rdata)
        except ZoneError as error:
            raise self._refuse("malformed", f"record {self.records}: {error.problem}") from error

    def _finish(self) -> None:
        try:
            self.zone = self._builder.build()
        except ZoneError as error:
            raise self._refuse("malformed", f"the records do not make a zone: {error.problem}") from error
