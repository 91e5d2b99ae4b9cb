"""How a name server takes what it cannot know: an option that nobody has, a version to come (RFC 6891 sections 6.1.2 and 6.1.3).

The first question also asks for EXPIRE (RFC 7314), so that a secondary tells how long its copy would last, and offers the largest
buffer that software in use offers.
"""

from __future__ import annotations

import asyncio
import struct
from dataclasses import replace
from typing import TYPE_CHECKING

import dns.rcode
from dns.rdatatype import RdataType

from mailname.checks.facts import EDNS_OPTIONS, EDNS_VERSION
from mailname.checks.patience import soon
from mailname.checks.wire_answer import write_question
from mailname.wire.edns import OptionCode

if TYPE_CHECKING:
    from mailname.checks.asking import Addressee, Asker
    from mailname.checks.facts import Probe

UNKNOWN_OPTION = 65_001  # from the range for local use (RFC 6891 section 9): nobody has given it a meaning
BIG_BUFFER = 4096  # octets
MOMENT = 1 / 2  # of one try's time: a server that is well has answered then
_OPTIONS = struct.pack("!HHHH", OptionCode.EXPIRE, 0, UNKNOWN_OPTION, 0)


async def ask_soa(asker: Asker, whom: Addressee) -> Probe:
    """Ask one address of a name server for the SOA with what it cannot know; where that is not well, as everybody asks, too.

    A good answer to the first is all there is to know. To a server that has no EDNS at all nothing was odd but EDNS itself.
    """
    soa = RdataType.SOA
    words = write_question(0, whom.zone, soa, recurse=False, payload=BIG_BUFFER, options=_OPTIONS)
    trying = asyncio.ensure_future(asker.ask_in_words(replace(whom, rung=EDNS_OPTIONS), whom.zone, soa, words, keep=False))
    odd = await soon(trying, asker.world.timeout * MOMENT)
    if odd is not None and odd.answered and odd.rcode == dns.rcode.NOERROR and odd.aa and odd.opt and not odd.tc:
        plain = replace(odd, rung=whom.rung)
        asker.probes += [odd, plain]
        return plain
    plain = await asker.ask(whom, whom.zone, soa)
    odd = await trying
    if plain.answered and plain.opt:
        asker.probes.append(odd)
    return plain


async def ask_edns_version(asker: Asker, whom: Addressee) -> None:
    """Ask one address of a name server, which answers questions with EDNS, with the version after the one that there is."""
    later = write_question(0, whom.zone, RdataType.SOA, recurse=False, payload=BIG_BUFFER, version=1)
    await asker.ask_in_words(replace(whom, rung=EDNS_VERSION), whom.zone, RdataType.SOA, later)
