"""What the reference has answered, to whom and of which zones; the workers count their own (``udp_worker``)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from dns.rdataclass import RdataClass

from mailname.server.client_sketch import ClientSketch
from mailname.server.name_sketch import NameSketch
from mailname.wire.message import Request
from mailname.wire.octets import octets

if TYPE_CHECKING:
    from mailname.answer import Transport, ZoneTable
    from mailname.answer.prepared import Prepared
    from mailname.server.network import IPAddress
    from mailname.wire.message import Unreadable

MOST_BITS = 24  # of the microseconds that an answer takes: what takes 8 seconds or more is one
OTHER_TYPES = 511  # a type from here on is counted as this one: strangers choose it, and every key takes memory
_OPT = b"\0\0\x29"  # the root's name, and the type


class Kind(NamedTuple):
    """What answers are told apart by."""

    transport: Transport
    version: int
    rdtype: int | None
    rcode: int
    edns: bool
    do: bool


@dataclass(slots=True)
class Traffic:
    """Counts the messages that the reference takes and sends.

    Attributes:
        questions: messages that arrived.
        answers: how many of each kind.
        zones: answers about names in a zone, by its apex in wire form and lower case.
        clients: networks that answers went to.
        names: what was asked for.
        took: answers by the bits of the microseconds that they took.
        microseconds: all those together.

    """

    questions: int = 0
    answers: Counter[Kind] = field(default_factory=Counter)
    zones: Counter[bytes] = field(default_factory=Counter)
    clients: ClientSketch = field(default_factory=ClientSketch)
    names: NameSketch = field(default_factory=NameSketch)
    took: Counter[int] = field(default_factory=Counter)
    microseconds: int = 0

    def in_time(self, seconds: float, count: int = 1) -> None:
        """Count how long answers took."""
        if not count:
            return
        microseconds = max(int(seconds * 1e6), 0)
        self.took[min(microseconds.bit_length(), MOST_BITS)] += count
        self.microseconds += count * microseconds

    def answered(
        self, request: Request | Unreadable, reply: bytes, client: IPAddress, transport: Transport, table: ZoneTable, now: float
    ) -> None:
        """Count an answer; of a transfer, its first message."""
        self.clients.count(client, 1, now)
        if not isinstance(request, Request):
            self.answers[Kind(transport, client.version, None, rcode_of(reply), edns=False, do=False)] += 1
            return
        self.names.count(octets(request.question.name), 1, now)
        question, edns = request.question, request.edns
        rdtype = min(question.rdtype, OTHER_TYPES)
        do = edns is not None and edns.do
        self.answers[Kind(transport, client.version, rdtype, rcode_of(reply), edns is not None, do)] += 1
        if question.rdclass == RdataClass.IN and (found := table.closest(question.name)) is not None:
            self.zones[octets(found[0]).lower()] += 1

    def answered_prepared(
        self, known: Prepared, wire: bytes, reply: bytes | None, client: IPAddress, now: float, seconds: float
    ) -> None:
        """Count an answer by UDP that was prepared, and that nobody else counts; or that it was one too many."""
        self.questions += 1
        self.clients.count(client, 1, now)
        if reply is None:
            return
        rdtype = min(int.from_bytes(wire[known.question_ends - 4 : known.question_ends - 2]), OTHER_TYPES)
        kind = Kind("udp", client.version, rdtype, reply[3] & 15, bool(known.kind & 16), bool(known.kind & 32))
        self.answers[kind] += 1
        known.tally[0] += 1
        self.names.count(wire[12 : known.question_ends - 4], 1, now)
        self.in_time(seconds)

    def forget_others(self, table: ZoneTable) -> None:
        """Forget the zones that are served no more."""
        for apex in [apex for apex in self.zones if table.entry(apex) is None]:
            del self.zones[apex]


def rcode_of(reply: bytes) -> int:
    """Return the response code of a reply, with the upper bits from OPT where only that follows the question (RFC 6891)."""
    rcode = reply[3] & 15
    if reply[4:6] != b"\0\1" or reply[6:10] != bytes(4) or reply[10:12] == bytes(2):
        return rcode
    at = 12
    while at < len(reply) and reply[at]:
        at += 1 + reply[at]
    at += 5
    return reply[at + 5] << 4 | rcode if reply[at : at + 3] == _OPT and len(reply) > at + 5 else rcode
