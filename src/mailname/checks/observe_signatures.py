"""The signed answers of a domain for which the parent has a DS: the SOA and the keys with signatures (RFC 4035 section 3.2.1)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from dns.rdatatype import RdataType

from mailname.checks.facts import SIGNATURES
from mailname.checks.wire_answer import write_question

if TYPE_CHECKING:
    from mailname.checks.asking import Addressee, Asker

_PAYLOAD = 1232  # octets: what does not fit comes truncated, and nothing is said of it


async def ask_signatures(asker: Asker, whom: Addressee) -> None:
    """Ask one address of a name server for both, with the DO flag."""
    beside = replace(whom, rung=SIGNATURES)
    await asyncio.gather(
        *(
            asker.ask_in_words(
                beside, whom.zone, kind, write_question(0, whom.zone, kind, recurse=False, payload=_PAYLOAD, signed=True)
            )
            for kind in (RdataType.SOA, RdataType.DNSKEY)
        )
    )
