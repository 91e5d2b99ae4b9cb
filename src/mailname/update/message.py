"""The message of a dynamic update: its prerequisites and its changes, record by record (RFC 2136 section 2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import dns.exception
import dns.rdata
from dns.rcode import Rcode
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType
from dns.wire import Parser

if TYPE_CHECKING:
    from dns.name import Name
    from dns.rdata import Rdata

    from mailname.wire.message import Request

_HEADER = 12
_QUESTION = 4


class UpdateError(Exception):
    """An update that is not carried out: the rcode that says so to the client, and a sentence for the log."""

    def __init__(self, rcode: Rcode, says: str) -> None:
        super().__init__(says)
        self.rcode = rcode
        self.says = says


@dataclass(frozen=True, slots=True)
class UpdateRecord:
    """One record of the prerequisites or of the changes. Its class says what is meant; ``rdata`` is None where there is none."""

    owner: Name
    rdclass: RdataClass
    rdtype: RdataType
    ttl: int
    rdata: Rdata | None

    def __str__(self) -> str:
        return f"{self.owner} {RdataType.to_text(self.rdtype)}"


@dataclass(frozen=True, slots=True)
class Update:
    """One update: of which zone, under which conditions, and what is to be changed, in order."""

    zone: Name
    prerequisites: tuple[UpdateRecord, ...]
    changes: tuple[UpdateRecord, ...]


def read_update(request: Request) -> Update:
    """Read the message of an update.

    Raises:
        UpdateError: it is malformed.

    """
    question = request.question
    if question.rdtype != RdataType.SOA:  # section 3.1.1
        raise UpdateError(Rcode.FORMERR, "the zone section names no SOA")
    if question.rdclass != RdataClass.IN:
        raise UpdateError(Rcode.NOTAUTH, f"a zone of class {RdataClass.to_text(question.rdclass)}")
    prerequisites, changes = int.from_bytes(request.wire[6:8], "big"), int.from_bytes(request.wire[8:10], "big")
    parser = Parser(request.wire, _HEADER + len(question.name.to_wire() or b"") + _QUESTION)
    try:
        return Update(
            question.name,
            tuple(_record(parser) for _ in range(prerequisites)),
            tuple(_record(parser) for _ in range(changes)),
        )
    except (dns.exception.DNSException, ValueError) as error:
        raise UpdateError(Rcode.FORMERR, f"a record cannot be read: {error}") from error


def _record(parser: Parser) -> UpdateRecord:
    owner = parser.get_name(decompress=True)
    rdtype, rdclass, ttl, length = parser.get_struct("!HHIH")
    kind = RdataType.make(rdtype)
    rdata: Rdata | None = None
    if length or rdclass == RdataClass.IN:
        with parser.restrict_to(length):
            # Records to be deleted have class NONE, and the rdata of ours.
            rdata = dns.rdata.from_wire_parser(RdataClass.IN, kind, parser) if length else None
    return UpdateRecord(owner, RdataClass.make(rdclass), kind, ttl, rdata)
