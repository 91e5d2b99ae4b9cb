"""What the reference has answered, to whom and of which zones; the workers count their own (``udp_worker``)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from dns.rdataclass import RdataClass

from mailname.server.client_sketch import ClientSketch
from mailname.wire.message import Request
from mailname.wire.octets import octets

if TYPE_CHECKING:
    from mailname.answer import Transport, ZoneTable
    from mailname.server.network import IPAddress
    from mailname.wire.message import Unreadable

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

    """

    questions: int = 0
    answers: Counter[Kind] = field(default_factory=Counter)
    zones: Counter[bytes] = field(default_factory=Counter)
    clients: ClientSketch = field(default_factory=ClientSketch)

    def answered(
        self, request: Request | Unreadable, reply: bytes, client: IPAddress, transport: Transport, table: ZoneTable, now: float
    ) -> None:
        """Count an answer; of a transfer, its first message."""
        self.clients.count(client, 1, now)
        if not isinstance(request, Request):
            self.answers[Kind(transport, client.version, None, rcode_of(reply), edns=False, do=False)] += 1
            return
        question, edns = request.question, request.edns
        rdtype = min(question.rdtype, OTHER_TYPES)
        do = edns is not None and edns.do
        self.answers[Kind(transport, client.version, rdtype, rcode_of(reply), edns is not None, do)] += 1
        if question.rdclass == RdataClass.IN and (found := table.closest(question.name)) is not None:
            self.zones[octets(found[0]).lower()] += 1

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
