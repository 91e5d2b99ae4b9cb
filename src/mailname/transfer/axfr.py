"""AXFR: the whole zone as a stream of messages, sent and received (RFC 5936).

What is plain is written and read by compiled code (``axfr_fill``, ``axfr_read``); what is not, by dnspython. So a transfer is
refused with dnspython's reason, and nothing of a large zone becomes an object.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType

from mailname.errors import TransferError, ZoneError
from mailname.transfer import axfr_objects
from mailname.transfer.axfr_fill import MessageFiller
from mailname.transfer.axfr_read import DONE, FULL, RARE, RecordReader
from mailname.transfer.transfer_limits import TransferLimits
from mailname.wire.octets import octets
from mailname.zone import Serial, Zone, ZoneBuilder
from mailname.zone.image import build_image, lay_out
from mailname.zone.image_build import ImageBuilder
from mailname.zone.image_zone import ImageZone
from mailname.zone.record_groups import CNAME_AND_OTHER_DATA, GOOD, NO_NS, SECOND_SINGLETON
from mailname.zone.ttl import limited

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dns.name import Name
    from dns.rdata import Rdata

    from mailname.zone.packed import PackedRecords

_HEADER = struct.Struct("!HHHHHH")
_QUESTION = struct.Struct("!HH")
_SOA_NUMBERS = struct.Struct("!5I")
_LARGEST_RDATA = 65535
_FULL_MESSAGE = 0x4000  # octets: what stands farther behind cannot be pointed to, so larger messages are more octets in all
_ANSWERED = dns.flags.QR | dns.flags.AA
_SAYS_WHAT = 0xF80F  # of a header's flags: QR, opcode and rcode
_KEEPS = "The zone held before is kept and served."


class NotNewerError(TransferError):
    """A transfer began with an SOA that is not newer than what is held: there is nothing to transfer (RFC 1996 section 3.11)."""

    def __init__(self, peer: str, offered: Serial, held: Serial) -> None:
        super().__init__(f"{peer}: serial {offered} is not newer than {held}", peer=peer, reason="not-newer")
        self.offered = offered


def outgoing(zone: Zone, message_id: int, *, rdtype: RdataType = RdataType.AXFR, reserve: int = 0) -> Iterator[tuple[bytes, int]]:
    """Yield the messages that transfer a zone, each made when it is asked for, with its number of records.

    A record that does not fit has a message of its own, which may be too large to be sent: the caller ends the transfer there.

    Args:
        zone: the version to send.
        message_id: the query's id.
        rdtype: the query's type: an IXFR may be answered with the whole zone (RFC 1995 section 4).
        reserve: octets to leave free in each message for a TSIG record.

    """
    limit = _FULL_MESSAGE - reserve
    question = octets(zone.apex) + _QUESTION.pack(rdtype, RdataClass.IN)
    first = _HEADER.pack(message_id, _ANSWERED, 1, 0, 0, 0) + question
    others = _HEADER.pack(message_id, _ANSWERED, 0, 0, 0, 0)
    try:
        image = zone.image if isinstance(zone, ImageZone) else build_image(zone)
    except ZoneError:  # larger than an image can be
        yield from axfr_objects.messages(zone, first, others, limit)
        return
    filler = MessageFiller(image)
    head = first
    while not filler.sent:
        yield filler.fill(head, limit), filler.records
        head = others


def query(apex: Name, message_id: int) -> bytes:
    """Return the AXFR query (RFC 5936 section 2.1)."""
    return _HEADER.pack(message_id, 0, 1, 0, 0, 0) + octets(apex) + _QUESTION.pack(RdataType.AXFR, RdataClass.IN)


@dataclass(slots=True)
class Incoming:
    """Takes the messages of an AXFR answer and builds the zone; anything odd refuses the whole transfer.

    Nothing of it is seen by anyone before ``zone`` is there: a transfer that breaks never changes what is served.

    Attributes:
        rdtype: what was asked for: an IXFR may be answered with the whole zone (RFC 1995 section 4).
        unless: the serial held: a transfer that does not begin with a newer one ends there. None takes any.
        complete: the SOA that ends the transfer was there; ``finish`` makes the zone.
        zone: there after ``finish``.

    """

    apex: Name
    message_id: int
    peer: str
    offered: Serial | None = None
    unless: Serial | None = None
    rdtype: RdataType = RdataType.AXFR
    most_records: int = TransferLimits().records
    most_octets: int = TransferLimits().octets
    messages: int = 0
    records: int = 0
    octets: int = 0
    complete: bool = False
    zone: ImageZone | None = None
    _apex_wire: bytes = field(init=False)
    _reader: RecordReader = field(init=False)

    def __post_init__(self) -> None:
        self._apex_wire = octets(self.apex).lower()
        self._reader = RecordReader(self._apex_wire)

    def take(self, wire: bytes) -> bool:
        """Take the next message, and build the zone when it was the last; return whether it was.

        Raises:
            TransferError: with the number of the record that is wrong.

        """
        if self.receive(wire):
            self.finish()
        return self.complete

    @property
    def finishes_at_once(self) -> bool:
        """Whether ``finish`` takes no longer than answering a few questions, if only a few octets came."""
        return True

    def receive(self, wire: bytes) -> bool:
        """Take the next message, TSIG removed; return whether the transfer is complete. Cheap, unless something is wrong or rare.

        Raises:
            TransferError: with the number of the record that is wrong.

        """
        self.messages += 1
        self.octets += len(wire)
        if not self._read(wire):
            self._read_objects(wire)
        if self._reader.octets > self.most_octets:  # names written out are up to a hundred times what was sent
            raise self._refuse("too-large", f"the records have more than {self.most_octets} octets")
        return self.complete

    def finish(self) -> None:
        """Build the zone, which takes long when it is large; most of it is done without the interpreter's lock.

        Raises:
            TransferError: the records do not make a zone.

        """
        packed = self._reader.packed
        self._reader = RecordReader(self._apex_wire)  # whatever comes of it: its memory is needed no longer
        builder = ImageBuilder()
        found = builder.prepare(packed, self._apex_wire, trusted=False)
        if found == GOOD:
            try:
                self.zone = ImageZone(lay_out(builder, self.apex))
            except ZoneError as error:
                raise self._refuse("malformed", error.problem) from error
            return
        if found in (NO_NS, SECOND_SINGLETON, CNAME_AND_OTHER_DATA):
            self._rebuilt(packed, among=_owners_of_aliases(packed) | {self._apex_wire})
        self.zone = self._laid_out(packed)

    def _laid_out(self, packed: PackedRecords) -> ImageZone:
        try:
            return ImageZone(build_image(self._rebuilt(packed)))
        except ZoneError as error:
            raise self._refuse("malformed", error.problem) from error

    def _read(self, wire: bytes) -> bool:
        """Read a message whose header and records are plain; otherwise return False, and it was not there."""
        at = self.plain_header(wire)
        if at is None or self.complete:
            return False
        reader = self._reader
        reader.begin(wire, at, int.from_bytes(wire[6:8], "big"))
        while (found := reader.run(self.most_records)) == RARE:
            rdata = rdata_octets(wire, reader.rdtype, reader.rdata_at, reader.rdata_length)
            if rdata is None:
                reader.back()
                return False
            if not reader.take(rdata):
                found = FULL
                break
        if found == FULL:
            raise self._refuse("malformed", "the records are more than can be held")
        if found != DONE:
            reader.back()
            return False
        if not self.records:
            self._check_serial(reader.packed.rdata_of(0))
        self.complete = reader.ended
        self.records = reader.packed.count + self.complete
        return True

    def plain_header(self, wire: bytes) -> int | None:
        """Return where the answer section begins; None when the message may not be an answer to our query."""
        if len(wire) < _HEADER.size:
            return None
        message_id, flags, questions, answers, authorities, additionals = _HEADER.unpack_from(wire)
        if message_id != self.message_id or flags & _SAYS_WHAT != dns.flags.QR or not answers or authorities or additionals:
            return None
        if not questions:
            return _HEADER.size
        end = _HEADER.size + len(self._apex_wire) + _QUESTION.size
        asked = self._apex_wire + _QUESTION.pack(self.rdtype, RdataClass.IN)
        return end if questions == 1 and wire[_HEADER.size : end].lower() == asked.lower() else None

    def _refuse(self, reason: str, says: str, rcode: str | None = None) -> TransferError:
        remedy = {
            "refused": "Allow this server in the primary's transfer list (and check the key).",
            "notauth": "Allow this server on the primary (Knot says NOTAUTH to whom it does not allow), or load the zone there.",
        }.get(reason, _KEEPS)
        return TransferError(f"{self.peer}: {says}", remedy=remedy, peer=self.peer, reason=reason, rcode=rcode)

    def _check_serial(self, soa: bytes) -> None:
        got = Serial(_SOA_NUMBERS.unpack(soa[-_SOA_NUMBERS.size :])[0])
        if self.offered is not None and self.offered.is_newer_than(got):
            raise self._refuse("malformed", f"the SOA query gave serial {self.offered}, the transfer carries {got}")
        if self.unless is not None and not got.is_newer_than(self.unless):
            raise NotNewerError(self.peer, got, self.unless)

    def _read_objects(self, wire: bytes) -> None:
        """Read a message with dnspython, which may find nothing wrong with it after all."""
        try:
            message = dns.message.from_wire(wire, one_rr_per_rrset=True)
        except (dns.exception.DNSException, ValueError) as error:
            raise self._refuse("malformed", f"message {self.messages} cannot be read: {error or type(error).__name__}") from error
        self._check_header(message)
        judge = ZoneBuilder(self.apex)
        for rrset in message.answer:
            for rdata in rrset:
                self._take_record(rrset.name, rrset.ttl, rdata, judge)

    def _check_header(self, message: dns.message.Message) -> None:
        if message.id != self.message_id or not message.flags & dns.flags.QR or message.opcode() != dns.opcode.QUERY:
            raise self._refuse("malformed", f"message {self.messages} does not answer our query")
        rcode = message.rcode()
        if rcode != dns.rcode.NOERROR:
            word = dns.rcode.to_text(rcode)
            reason = {"REFUSED": "refused", "NOTAUTH": "notauth", "SERVFAIL": "servfail"}.get(word, "failed")
            raise self._refuse(reason, f"answered {word} to the transfer of {self.apex}", rcode=word)
        question = message.question
        if question and (question[0].name != self.apex or question[0].rdtype != self.rdtype):
            raise self._refuse("malformed", f"message {self.messages} answers another question")
        if not message.answer:
            raise self._refuse("malformed", f"message {self.messages} holds no record")

    def _take_record(self, owner: Name, ttl: int, rdata: Rdata, judge: ZoneBuilder) -> None:
        self.records += 1
        number = self.records
        if self.complete:
            raise self._refuse("malformed", f"record {number} follows the SOA that ends the transfer")
        if number > self.most_records:
            raise self._refuse("malformed", f"more than {self.most_records} records")
        if rdata.rdclass != dns.rdataclass.IN:
            raise self._refuse("malformed", f"record {number}, {owner}, is not of class IN")
        if number == 1:
            if rdata.rdtype != RdataType.SOA or owner != self.apex:
                raise self._refuse("malformed", f"the first record is {owner} {dns.rdatatype.to_text(rdata.rdtype)}, not the SOA")
            self._check_serial(octets(rdata))
        elif rdata.rdtype == RdataType.SOA and owner == self.apex:
            if rdata != _rdata(self._reader.packed, 0):
                raise self._refuse("malformed", f"record {number}, the SOA at the end, is not the one at the beginning")
            self.complete = True
            return
        elif rdata.rdtype == RdataType.SOA:
            raise self._refuse("malformed", f"record {number} is a SOA at {owner}, which is not the apex")
        try:
            judge.add(owner, ttl, rdata)
        except ZoneError as error:
            raise self._refuse("malformed", f"record {number}: {error.problem}") from error
        self._pack(owner, ttl, rdata)

    def _pack(self, owner: Name, ttl: int, rdata: Rdata) -> None:
        packed = self._reader.packed
        if rdata.rdtype == 0 or dns.rdatatype.is_metatype(rdata.rdtype):  # RFC 6895 section 3.1
            kind = dns.rdatatype.to_text(rdata.rdtype) if rdata.rdtype else "0"
            raise self._refuse("malformed", f"record {self.records}: type {kind} is no record's")
        try:
            packed.add(packed.put(octets(owner)), limited(ttl), rdata.rdtype, octets(rdata), 0)
        except (OverflowError, MemoryError) as error:
            raise self._refuse("malformed", f"record {self.records}, or all of them, are more than can be held") from error

    def _rebuilt(self, packed: PackedRecords, among: set[bytes] | None = None) -> Zone:
        """Build a zone of objects, all records or those of some owners: slow, and it has the words for what is wrong."""
        builder = ZoneBuilder(self.apex)
        for number in range(packed.count):
            wire = packed.owner_of(number)
            if among is not None and wire.lower() not in among:
                continue
            try:
                builder.add(dns.name.from_wire(wire, 0)[0], packed.fields(number)[0], _rdata(packed, number))
            except ZoneError as error:
                raise self._refuse("malformed", f"record {number + 1}: {error.problem}") from error
        try:
            return builder.build()
        except ZoneError as error:
            raise self._refuse("malformed", f"the records do not make a zone: {error.problem}") from error


def _rdata(packed: PackedRecords, number: int) -> Rdata:
    wire = packed.rdata_of(number)
    return dns.rdata.from_wire(RdataClass.IN, RdataType.make(packed.fields(number)[1]), wire, 0, len(wire))


def rdata_octets(wire: bytes, rdtype: int, at: int, length: int) -> bytes | None:
    """Return rdata of a rare type as dnspython reads it, names written out; None where it does not."""
    try:
        made = octets(dns.rdata.from_wire(RdataClass.IN, RdataType.make(rdtype), wire, at, length))
    except (dns.exception.DNSException, ValueError):
        return None
    return made if len(made) <= _LARGEST_RDATA else None


def _owners_of_aliases(packed: PackedRecords) -> set[bytes]:
    """Return the owners, in lower case, of CNAME and DNAME records: what is wrong with a zone is mostly there."""
    aliases = (RdataType.CNAME, RdataType.DNAME)
    return {packed.owner_of(number).lower() for number in range(packed.count) if packed.fields(number)[1] in aliases}
