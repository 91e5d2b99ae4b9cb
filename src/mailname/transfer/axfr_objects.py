"""AXFR messages of a zone that no image can hold, made of dnspython's objects: right, and far slower than ``axfr_fill``."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dns.name import Name
    from dns.rdata import Rdata

    from mailname.zone import Zone

_RECORD = struct.Struct("!HHIH")
_NUMBER = struct.Struct("!H")


@dataclass(slots=True)
class _Message:
    """One message being filled. Owners and RFC 1035 names in rdata are compressed (RFC 5936 section 3.4)."""

    head: bytes
    limit: int
    records: int = 0
    _wire: io.BytesIO = field(default_factory=io.BytesIO)
    _compress: dict[Name, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._wire.write(self.head)

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
            return False
        self._wire.seek(rdata_start - 2)
        self._wire.write(_NUMBER.pack(end - rdata_start))
        self._wire.seek(end)
        self.records += 1
        return True

    def finish(self) -> bytes:
        self._wire.seek(6)
        self._wire.write(_NUMBER.pack(self.records))
        return self._wire.getvalue()


def _records(zone: Zone) -> Iterator[tuple[Name, int, Rdata]]:
    """All records, the SOA first and again last (RFC 5936 section 2.2)."""
    for rrset in zone.rrsets():
        for rdata in rrset.rdatas:
            yield rrset.owner, rrset.ttl, rdata
    yield zone.soa.owner, zone.soa.ttl, zone.soa.rdatas[0]


def messages(zone: Zone, first_head: bytes, next_head: bytes, limit: int) -> Iterator[tuple[bytes, int]]:
    """Yield the messages that transfer a zone, each with its number of records.

    Args:
        zone: the version to send.
        first_head: header and question of the first message; the number of answers is put in.
        next_head: the header of the others.
        limit: octets of a message; a record that alone is larger makes a larger one.

    """
    message = _Message(first_head, limit)
    for owner, ttl, rdata in _records(zone):
        if not message.add(owner, ttl, rdata):
            yield message.finish(), message.records
            message = _Message(next_head, limit)
            message.add(owner, ttl, rdata)
    yield message.finish(), message.records
