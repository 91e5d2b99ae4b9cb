"""What a secondary answers that has acknowledged a version.

An acknowledged NOTIFY says that it knows of the version, and a transfer that was sent may never arrive. It may be kept from TCP,
hold a newer one, or have fetched it by another of its addresses, or from somebody else. Its own SOA tells: the primary asks
for that whenever somebody asks for its status.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Any

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
from dns.rdatatype import RdataType

from mailname.server.config import parse_endpoint
from mailname.server.network import ask_udp

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mailname.server.context import Context

GRACE = 10.0  # seconds for fetching a new version before it is worth a question
_TIMEOUT = 1.0
_MOST = 64  # questions for one status


async def ask_what_they_hold(context: Context, zones: Iterable[dict[str, Any]]) -> None:
    """Note as ``holds`` what those secondaries answer that have acknowledged a zone's version."""
    now = context.clock.wall()
    asked = [
        (zone, one)
        for zone in zones
        if zone["serial"] is not None and zone["since"]
        if zone.get("refused") or not _is_less_than_grace(zone["since"], now)
        for one in zone.get("secondaries", ())
        if one["state"] == "acknowledged" and not _is_new(one.get("fetched"), now)
    ][:_MOST]
    await asyncio.gather(*(_ask(context, zone["zone"], one) for zone, one in asked))


async def _ask(context: Context, zone: str, one: dict[str, Any]) -> None:
    at = parse_endpoint(one["address"])
    query = dns.message.make_query(zone, RdataType.SOA, use_edns=False, flags=0)
    try:
        wire = await ask_udp(context.network, query.to_wire(), at, timeout=_TIMEOUT, source=context.source_for(at.address))
        answer = dns.message.from_wire(wire, ignore_trailing=True)
        soa = answer.get_rrset(dns.message.ANSWER, dns.name.from_text(zone), dns.rdataclass.IN, RdataType.SOA)
    except (OSError, dns.exception.DNSException, ValueError):
        return
    if soa is not None and answer.flags & dns.flags.AA:
        one["holds"] = {"serial": soa[0].serial, "says": ""}
    elif answer.rcode() != dns.rcode.NOERROR:
        one["holds"] = {"serial": None, "says": f"answers {dns.rcode.to_text(answer.rcode())}"}


def _is_new(fetched: dict[str, Any] | None, now: float) -> bool:
    """Tell whether a zone was fetched so lately that it may not be answered yet."""
    return fetched is not None and _is_less_than_grace(fetched["at"], now)


def _is_less_than_grace(at: str, now: float) -> bool:
    """Tell whether something was a moment ago; what is still to come was written by a clock that has been set since."""
    return 0 <= now - datetime.fromisoformat(at).timestamp() < GRACE
