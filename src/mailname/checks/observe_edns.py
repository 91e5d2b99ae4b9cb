"""How a name server takes what it cannot know: an option that nobody has, a version to come (RFC 6891 sections 6.1.2 and 6.1.3).

The first question also asks for EXPIRE (RFC 7314), so that a secondary tells how long its copy would last, and offers the largest
buffer that software in use offers.
"""

from __future__ import annotations

import asyncio
import struct
from dataclasses import replace
from typing import TYPE_CHECKING

from dns.rdatatype import RdataType

from mailname.checks.facts import EDNS_OPTIONS, EDNS_VERSION
from mailname.checks.wire_answer import write_question
from mailname.wire.edns import OptionCode

if TYPE_CHECKING:
    from mailname.checks.asking import Addressee, Asker

UNKNOWN_OPTION = 65_001  # from the range for local use (RFC 6891 section 9): nobody has given it a meaning
BIG_BUFFER = 4096  # octets
_OPTIONS = struct.pack("!HHHH", OptionCode.EXPIRE, 0, UNKNOWN_OPTION, 0)


async def ask_edns(asker: Asker, whom: Addressee) -> None:
    """Ask one address of a name server, which answers questions with EDNS, both odd questions at once."""
    soa = RdataType.SOA
    odd = write_question(0, whom.zone, soa, recurse=False, payload=BIG_BUFFER, options=_OPTIONS)
    later = write_question(0, whom.zone, soa, recurse=False, payload=BIG_BUFFER, version=1)
    await asyncio.gather(
        asker.ask_in_words(replace(whom, rung=EDNS_OPTIONS), whom.zone, soa, odd),
        asker.ask_in_words(replace(whom, rung=EDNS_VERSION), whom.zone, soa, later),
    )
