"""IXFR received: the differences, or the whole zone, that answer the question what changed (RFC 1995 section 4).

Records are read by compiled code (``axfr_read``) and merged into the image held. Anything odd refuses the whole answer: the zone
is then transferred by AXFR, whose words say more of what is wrong.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import NoReturn

from dns.rdatatype import RdataType

from mailname.errors import TransferError, ZoneError
from mailname.transfer import axfr
from mailname.transfer.axfr_read import DONE, MET_SOA, RARE, RecordReader
from mailname.transfer.transfer_limits import TransferLimits
from mailname.wire.octets import octets
from mailname.zone import Serial
from mailname.zone.image_merge import Changes, merged
from mailname.zone.image_merge_records import ADD, REMOVE
from mailname.zone.image_zone import ImageZone

_FIXED = struct.Struct("!HHIH")
_SOA_NUMBERS = struct.Struct("!5I")
_SMALL = 1 << 16  # octets of an image
_KEEPS = "The zone held before is kept and served; the whole zone is asked for."


@dataclass(slots=True)
class Incoming:
    """Takes the messages of an answer to an IXFR query and makes the zone; nobody sees anything of it before that.

    Attributes:
        held: the version held.
        message_id: the query's.
        peer: who answers, in words.
        offered: the serial that the peer's SOA has, if that was asked for.
        complete: the SOA that ends the answer was there; ``finish`` makes the zone.
        zone: there after ``finish``.
        changes: how it differs from what was held; None where the whole zone came.

    """

    held: ImageZone
    message_id: int
    peer: str
    offered: Serial | None = None
    most_records: int = TransferLimits().records
    most_octets: int = TransferLimits().octets
    messages: int = 0
    records: int = 0
    complete: bool = False
    zone: ImageZone | None = None
    changes: Changes | None = None
    _whole: axfr.Incoming = field(init=False)
    _is_whole: bool = False
    _reader: RecordReader | None = None
    _waiting: list[bytes] = field(default_factory=list)
    _soa: bytes | None = None
    _current: Serial | None = None
    _adding: bool = False
    _last_added: bytes = b""

    def __post_init__(self) -> None:
        apex, unless = self.held.apex, self.held.serial
        most = (self.most_records, self.most_octets)
        self._whole = axfr.Incoming(apex, self.message_id, self.peer, self.offered, unless, RdataType.IXFR, *most)

    @property
    def finishes_at_once(self) -> bool:
        """Whether ``finish`` takes no longer than answering a few questions, if only a few octets came."""
        return len(self.held.image) <= _SMALL

    def receive(self, wire: bytes) -> bool:
        """Take the next message, TSIG removed; return whether the answer is complete.

        Raises:
            NotNewerError: the peer has nothing newer.
            TransferError: with the reason.

        """
        self.messages += 1
        if self._is_whole:
            return self._take_whole(wire)
        at = self._whole.plain_header(wire)
        if at is None:  # a refusal, or nothing that can be read: there are words for it
            self._is_whole = True
            self._whole.messages = self.messages - 1
            return self._take_whole(wire)
        if self._reader is not None:
            self._read(wire, at)
            return self.complete
        return self._begin(wire, at)

    def _begin(self, wire: bytes, at: int) -> bool:
        """Find out what the answer is: its second record tells (RFC 1995 section 4)."""
        if len(self._waiting) == 1:
            second = _type_at(wire, at)
        else:
            first = _behind(wire, at)
            if _type_at(wire, at) != RdataType.SOA or first is None:
                return self._go_on_whole([wire])
            if int.from_bytes(wire[6:8]) == 1:
                serial = Serial(int.from_bytes(wire[first - 20 : first - 16]))
                if not serial.is_newer_than(self.held.serial):
                    raise axfr.NotNewerError(self.peer, serial, self.held.serial)
                self._waiting = [wire]
                return False
            second = _type_at(wire, first)
        waiting, self._waiting = [*self._waiting, wire], []
        if second != RdataType.SOA:
            return self._go_on_whole(waiting)
        self._reader = RecordReader(octets(self.held.apex).lower())
        self._reader.differences = True
        self.changes = Changes(octets(self.held.apex))
        for one in waiting:
            begin = self._whole.plain_header(one)
            assert begin is not None  # it was looked at before
            self._read(one, begin)
        return self.complete

    def _go_on_whole(self, messages: list[bytes]) -> bool:
        self._is_whole = True
        for one in messages:
            self._take_whole(one)
        return self.complete

    def _take_whole(self, wire: bytes) -> bool:
        self.complete = self._whole.receive(wire)
        self.records = self._whole.records
        return self.complete

    def _read(self, wire: bytes, at: int) -> None:
        reader = self._reader
        assert reader is not None
        if self.complete:
            self._refuse(f"message {self.messages} follows the SOA that ends the differences")
        count = int.from_bytes(wire[6:8])
        reader.begin(wire, at, count)
        while (found := reader.run(self.most_records)) != DONE:
            if found == MET_SOA:
                self._take_soa(reader, reader.soa())
            elif found != RARE or not self._take_rare(reader, wire):
                self._refuse(f"a record of message {self.messages} cannot be taken")
            if reader.octets > self._most_octets():
                self._refuse("the differences are larger than the zone")
        if reader.octets > self._most_octets():
            self._refuse("the differences are larger than the zone")
        self.records += count

    def _most_octets(self) -> int:
        return 2 * len(self.held.image) + (1 << 20)

    @staticmethod
    def _take_rare(reader: RecordReader, wire: bytes) -> bool:
        rdata = axfr.rdata_octets(wire, reader.rdtype, reader.rdata_at, reader.rdata_length)
        return rdata is not None and bool(reader.take(rdata))

    def _take_soa(self, reader: RecordReader, soa: bytes) -> None:
        """Take the next SOA: the new version's, then two for each sequence of differences, then the new version's again."""
        serial = Serial(_SOA_NUMBERS.unpack(soa[-_SOA_NUMBERS.size :])[0])
        if self._soa is None:
            if not serial.is_newer_than(self.held.serial):
                raise axfr.NotNewerError(self.peer, serial, self.held.serial)
            if self.offered is not None and self.offered.is_newer_than(serial):
                self._refuse(f"the SOA query gave serial {self.offered}, the differences lead to {serial}")
            self._soa = soa
            reader.skip()
            return
        if self._adding and self._current == Serial(_SOA_NUMBERS.unpack(self._soa[-_SOA_NUMBERS.size :])[0]):
            if soa != self._soa or self._last_added != self._soa:
                self._refuse(f"the SOA at the end, serial {serial}, is not the one at the beginning")
            self.complete = True
            reader.skip()
            if reader.rest:
                self._refuse(f"{reader.rest} records follow the SOA that ends the differences")
            return
        if self._current is None or self._adding:  # a sequence begins with the version before
            wanted = self.held.serial if self._current is None else self._current
            if serial != wanted:
                self._refuse(f"a sequence of differences begins with serial {serial}, not with {wanted}")
            self._adding, self._current, reader.mark = False, serial, REMOVE
        else:
            if not serial.is_newer_than(self._current):
                self._refuse(f"a sequence of differences leads from serial {self._current} to {serial}, which is not newer")
            self._adding, self._current, self._last_added, reader.mark = True, serial, soa, ADD
        if not reader.take(soa):
            self._refuse("the records are more than can be held")

    def finish(self) -> None:
        """Make the zone, which takes long when it is large; most of it is done without the interpreter's lock.

        Raises:
            TransferError: the records do not make a zone, or the differences are not those of the version held.

        """
        if self._reader is None:
            self._whole.finish()
            self.zone = self._whole.zone
            return
        assert self.changes is not None
        self.changes.packed.join(self._reader.packed)
        self._reader = None
        try:
            zone = ImageZone(merged(self.held.image, self.changes, strict=True))
        except ZoneError as error:
            self._refuse(error.problem, error)
        self.zone = zone

    def let_go(self) -> None:
        """Forget what was taken: it is no good."""
        self._reader, self.changes, self._waiting = None, None, []

    def _refuse(self, says: str, cause: Exception | None = None) -> NoReturn:
        raise TransferError(f"{self.peer}: {says}", remedy=_KEEPS, peer=self.peer, reason="malformed") from cause


def _behind_name(wire: bytes, at: int) -> int | None:
    while at < len(wire):
        length = wire[at]
        if length == 0:
            return at + 1
        if length >= 192:
            return at + 2
        at += 1 + length
    return None


def _type_at(wire: bytes, at: int) -> int | None:
    """Return the type of the record that begins at a place; None where there is none."""
    place = _behind_name(wire, at)
    return None if place is None or place + _FIXED.size > len(wire) else int.from_bytes(wire[place : place + 2])


def _behind(wire: bytes, at: int) -> int | None:
    """Return where the record that begins at a place ends."""
    place = _behind_name(wire, at)
    if place is None or place + _FIXED.size > len(wire):
        return None
    end = place + _FIXED.size + int.from_bytes(wire[place + 8 : place + 10])
    return end if end <= len(wire) and end - place - _FIXED.size >= _SOA_NUMBERS.size else None
