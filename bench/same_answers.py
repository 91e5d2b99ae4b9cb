"""The guard before measuring: a server that answers something else, or nothing, cannot be compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
from bench.servers import ask

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dns.rrset import RRset

_MOST_TOLD = 5


def differences(ports: Mapping[str, int], questions: Iterable[bytes], *, signed: bool) -> list[str]:
    """Ask all servers the same, and return where they differ, one sentence each.

    Compared are the rcode, the AA and TC bits and the answer section; in a negative answer also whose SOA comes with it and, from
    a signed zone, which records prove it. What else is in the authority and additional sections is each server's choice.
    """
    found: list[str] = []
    for query in questions:
        said = {name: _essence(ask(port, query), signed=signed) for name, port in ports.items()}
        if len(set(said.values())) > 1:
            asked = dns.message.from_wire(query).question[0]
            found.append(f"{asked}: " + "; ".join(f"{name}: {' '.join(map(str, what))}" for name, what in said.items()))
            if len(found) == _MOST_TOLD:
                break
    return found


def _essence(answer: dns.message.Message, *, signed: bool) -> tuple[object, ...]:
    proofs: frozenset[tuple[str, ...]] = frozenset()
    if not answer.answer:
        shown = {dns.rdatatype.SOA} | ({dns.rdatatype.NSEC3, dns.rdatatype.RRSIG} if signed else set())
        proofs = frozenset(
            (one.name.to_text().lower(), dns.rdatatype.to_text(one.rdtype), dns.rdatatype.to_text(one.covers))
            for one in answer.authority
            if one.rdtype in shown and dns.rdatatype.NS not in (one.rdtype, one.covers)
        )
    flags = answer.flags & (dns.flags.AA | dns.flags.TC | dns.flags.QR)
    return dns.rcode.to_text(answer.rcode()), int(flags), frozenset(_records(answer.answer)), proofs


def _records(section: Iterable[RRset]) -> Iterable[tuple[str, int, int, bytes]]:
    for rrset in section:
        for rdata in rrset:
            yield rrset.name.to_text().lower(), rrset.rdtype, rrset.ttl, rdata.to_digestable()
