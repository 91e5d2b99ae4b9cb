"""How a zone is sent: as what changed since the version that the client holds where the journal leads from there, else whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from dns.rcode import Rcode
from dns.rdatatype import RdataType

from mailname.transfer import axfr, ixfr
from mailname.wire.edns import CLASSIC_PAYLOAD, PAYLOAD, write_opt
from mailname.zone.image_zone import ImageZone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailname.server.ways import Way
    from mailname.transfer.ixfr import Differences
    from mailname.wire.message import Request
    from mailname.zone import Serial, Zone


class Ways(Protocol):
    """Who knows how the versions of a zone led to one another."""

    def way(self, held: Serial, newest: Serial) -> Way | None:
        """Return how one version leads to another, None where that is not known."""


def _differences(versions: Ways | None, zone: Zone, held: Serial | None) -> Differences | None:
    if versions is None or held is None or not isinstance(zone, ImageZone):
        return None
    way = versions.way(held, zone.serial)
    return ixfr.differences(way.octets, way.steps, zone) if way else None


def messages_of(
    versions: Ways | None, zone: Zone, request: Request, held: Serial | None, reserve: int
) -> tuple[str, Iterator[tuple[bytes, int]]]:
    """Return IXFR or AXFR, and the messages with their numbers of records, each made when it is asked for.

    Args:
        versions: how the zone's versions led to one another, if that is known.
        zone: the version to be sent.
        request: an AXFR or IXFR query.
        held: the serial that an IXFR client holds.
        reserve: octets to leave free in each message for a TSIG record.

    """
    told = _differences(versions, zone, held) if request.question.rdtype == RdataType.IXFR else None
    if told is not None and isinstance(zone, ImageZone):
        return "IXFR", ixfr.outgoing(zone, told, request.id, reserve=reserve)
    return "AXFR", axfr.outgoing(zone, request.id, rdtype=request.question.rdtype, reserve=reserve)


def differences_by_udp(versions: Ways | None, zone: Zone, request: Request, held: Serial | None, reserve: int) -> bytes | None:
    """Return what changed if a datagram takes it all (RFC 1995 section 2); None where it is to be fetched by TCP."""
    told = _differences(versions, zone, held)
    if told is None or not isinstance(zone, ImageZone):
        return None
    opt = b"" if request.edns is None else write_opt(Rcode.NOERROR, do=request.edns.do)
    room = CLASSIC_PAYLOAD if request.edns is None else min(max(request.edns.payload, CLASSIC_PAYLOAD), PAYLOAD)
    messages = ixfr.outgoing(zone, told, request.id, reserve=reserve + len(opt), limit=room)
    only, _ = next(messages)
    if len(only) + len(opt) + reserve > room or next(messages, None) is not None:
        return None
    return only[:10] + (1 if opt else 0).to_bytes(2) + only[12:] + opt
