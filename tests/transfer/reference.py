"""AXFR received with dnspython and ``ZoneBuilder`` alone, record by record: what is taken and what is refused, in plain words.

``Incoming`` must take and refuse the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import dns.exception
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
from dns.rdatatype import RdataType

from mailname.errors import TransferError, ZoneError
from mailname.zone import Serial, Zone, ZoneBuilder

if TYPE_CHECKING:
    from dns.name import Name
    from dns.rdata import Rdata
    from dns.rdtypes.ANY.SOA import SOA


@dataclass(slots=True)
class Reference:
    """Takes the messages of an AXFR answer and builds the zone."""

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
        return TransferError(f"{self.peer}: {says}", remedy="", peer=self.peer, reason=reason, rcode=rcode)

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
        got = Serial(cast("SOA", rdata).serial)
        if self.offered is not None and self.offered.is_newer_than(got):
            raise self._refuse("malformed", f"the SOA query gave serial {self.offered}, the transfer carries {got}")
        self._first_soa = rdata
        self._add(owner, ttl, rdata)

    def _add(self, owner: Name, ttl: int, rdata: Rdata) -> None:
        if rdata.rdtype == 0 or dns.rdatatype.is_metatype(rdata.rdtype):
            kind = dns.rdatatype.to_text(rdata.rdtype) if rdata.rdtype else "0"
            raise self._refuse("malformed", f"record {self.records}: type {kind} is no record's")
        try:
            self._builder.add(owner, ttl, rdata)
        except ZoneError as error:
            raise self._refuse("malformed", f"record {self.records}: {error.problem}") from error

    def _finish(self) -> None:
        try:
            self.zone = self._builder.build()
        except ZoneError as error:
            raise self._refuse("malformed", f"the records do not make a zone: {error.problem}") from error
