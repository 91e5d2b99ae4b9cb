"""Is TCP to a primary open? Asked after a change has come by UDP, so that a packet filter is told before somebody needs TCP.

A zone that is new or has changed much is transferred by TCP alone. At most one question in that time is asked of each primary.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, Protocol

from mailname.server.asking import TCP_TIMEOUT, at, network_failure, signed
from mailname.server.hinted import failure_of
from mailname.server.network import ask_tcp
from mailname.transfer import soa_query

if TYPE_CHECKING:
    from dns.name import Name

    from mailname.server.asking import TransferredZone
    from mailname.server.context import Context
    from mailname.transfer.actions import Peer
    from mailname.transfer.offers import Failure

_AFTER = 0.4  # seconds: what has changed is answered first; no whole second, or who changes a zone each second would meet it


class Served(Protocol):
    """The zone that has changed."""

    @property
    def apex(self) -> Name:
        """Its name."""

    def remember_failure(self, told: Failure) -> None:
        """Tell of a failure, although the zone is in step."""


def prove_soon(context: Context, peer: Peer, zone: Served, fetched: TransferredZone) -> None:
    """Ask a primary that has sent a change by UDP for the zone's SOA by TCP, unless that is to be done already."""
    if fetched.by_udp and at(peer) not in context.by_udp.to_be_proven:
        context.by_udp.to_be_proven.add(at(peer))
        context.spawn(_prove(context, peer, zone, fetched), zone)


async def _prove(context: Context, peer: Peer, zone: Served, fetched: TransferredZone) -> None:
    try:
        await asyncio.sleep(_AFTER)
        question, _ = signed(context, peer, soa_query.query(zone.apex, secrets.randbelow(65536), edns=False))
        await ask_tcp(context.network, question, at(peer), timeout=TCP_TIMEOUT, source=context.source_for(peer.address))
    except (OSError, EOFError) as error:
        zone.remember_failure(failure_of(network_failure(peer, error, "tcp"), fetched.zone.serial))
    else:
        context.by_udp.reached_by_tcp(at(peer), context.clock.monotonic())
    finally:
        context.by_udp.to_be_proven.discard(at(peer))
