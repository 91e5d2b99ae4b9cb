"""The transfer X-ray, where a secondary is not in step: what it asks of the primary, asked from here, with and without the key.

And each server's own account, over SSH where the plan names a way there. Nothing of the zone is kept, and nothing of the key.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import TYPE_CHECKING, Any, cast

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rrset
from dns.rdatatype import RdataType

from mailname.checks.asking import outcome_of
from mailname.checks.facts import ControlFact
from mailname.checks.facts_transfer import QUESTIONS, TransferTry
from mailname.checks.observe_control import without_secrets
from mailname.checks.outcome import Outcome
from mailname.checks.over_ssh import status_over_ssh
from mailname.server.network import ask_tcp
from mailname.wire.tsig import Rejected, sign, verify
from mailname.zone.serial import Serial

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dns.name import Name

    from mailname.plan import NameServer
    from mailname.server.network import Endpoint, Network
    from mailname.wire.tsig_key import Key

_WORDS = {Outcome.SILENT: "silent", Outcome.REFUSED: "closed", Outcome.UNREACHABLE: "unreachable"}


async def own_accounts(servers: Iterable[NameServer], known: Iterable[ControlFact], domain: Name) -> list[ControlFact]:
    """Ask over SSH those servers for whose account the plan names a way, and whom nobody has asked yet."""
    told = {fact.server for fact in known if fact.status is not None}
    asked = [(one.name, one.ssh) for one in servers if one.ssh is not None and one.name not in told]
    return list(await asyncio.gather(*(_own_account(name, target, domain) for name, target in asked)))


async def _own_account(server: Name, target: str, domain: Name) -> ControlFact:
    status, says = await status_over_ssh(target)
    for zone in (status or {}).get("zones", ()):
        if isinstance(zone, dict) and str(zone.get("zone")).lower() == domain.to_text().lower():
            return ControlFact(server, without_secrets(zone))
    return ControlFact(server, None, says or f"the server at {target} does not have the zone {domain} in its configuration")


async def xray(
    network: Network, at: Endpoint, server: Name, zone: Name, held: int | None, key: Key | None, *, patience: float
) -> list[TransferTry]:
    """Ask one address of a primary what a secondary asks.

    Args:
        network: through what.
        at: where.
        server: who that is.
        zone: of which zone.
        held: the serial from which a secondary would go on; None where it has nothing.
        key: the key to sign with; each question is asked without it as well.
        patience: seconds for one question.

    """
    keys = [None, key] if key is not None else [None]
    tries = (_try(network, at, zone, question, held, one, patience) for one in keys for question in QUESTIONS)
    found = await asyncio.gather(*tries)
    return [TransferTry(server, at.address, *result) for result in found]


async def _try(
    network: Network, at: Endpoint, zone: Name, question: str, held: int | None, key: Key | None, patience: float
) -> tuple[str, Name | None, str, int | None]:
    name = key.name if key is not None else None
    query, mac, now = _question(zone, question, held), b"", time.time()
    if key is not None:
        query, mac = sign(query, key, now)
    try:
        wire = await ask_tcp(network, query, at, timeout=patience)
    except (OSError, EOFError) as error:
        return question, name, _WORDS.get(outcome_of(error), "unreadable"), None
    if key is not None:
        verified = verify(wire, {key.name: key}, now, mac)
        if isinstance(verified, Rejected):
            rcode = _rcode(wire)
            return question, name, rcode if verified.reason == "unsigned" and rcode != "noerror" else verified.reason, None
        wire = verified.message
    return question, name, *_read(wire, zone, question, held)


def _question(zone: Name, question: str, held: int | None) -> bytes:
    message = dns.message.make_query(zone, question, flags=0, id=secrets.randbelow(0x10000))
    if question == "IXFR":
        soa = f". . {held or 0} 0 0 0 0"
        message.authority.append(dns.rrset.from_text(zone, 0, "IN", "SOA", soa))
    wire: bytes = message.to_wire()
    return wire


def _rcode(wire: bytes) -> str:
    return dns.rcode.to_text(dns.rcode.Rcode(wire[3] & 15)).lower() if len(wire) > 3 else "unreadable"


def _read(wire: bytes, zone: Name, question: str, held: int | None) -> tuple[str, int | None]:
    """Read the first message: whether it begins with the zone's SOA (RFC 5936 section 2.2, RFC 1995 section 4)."""
    try:
        message = dns.message.from_wire(wire, one_rr_per_rrset=True, xfr=True, ignore_trailing=True)
    except (dns.exception.DNSException, ValueError):
        return "unreadable", None
    if message.rcode() != dns.rcode.NOERROR:
        return dns.rcode.to_text(message.rcode()).lower(), None
    first = message.answer[0] if message.answer else None
    if first is None or first.rdtype != RdataType.SOA or first.name != zone:
        return "nothing", None
    serial = int(cast("Any", first[0]).serial)
    is_current = question == "IXFR" and held is not None and not Serial(serial).is_newer_than(Serial(held))
    return "current" if is_current else "given", serial
