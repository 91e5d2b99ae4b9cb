"""Several addresses of one name server: the first is asked everything, the others whether they are the same server.

Another address that gives the same SOA, NS set, MX and TXT, where the first answered everything well, has the same zone from the
same program: its other records are not asked for. What a filter or a list of addresses may treat in its own way is asked at each:
UDP, TCP, EDNS, the MX, TXT, a foreign name's address (and so recursion), transfers. Where anything differs, or the first has not
answered soon, an address is asked everything, too.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import dns.rcode
from dns.rdatatype import RdataType

from mailname.checks.patience import soon

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dns.name import Name

    from mailname.checks.facts import Probe

TELLING = (RdataType.SOA, RdataType.NS)  # what is asked at the apex to see whether it is the same server
_MOMENT = 1 / 2  # of one try's time, in which the first address is waited for


@dataclass(slots=True)
class FirstAddresses:
    """What the first address of each name server said over UDP."""

    _said: dict[Name, asyncio.Future[Sequence[Probe]]] = field(default_factory=dict)

    def is_first(self, server: Name) -> bool:
        """Tell whether no address of this server was asked before; whoever is told so is to ``tell`` what it says."""
        if server in self._said:
            return False
        self._said[server] = asyncio.get_running_loop().create_future()
        return True

    def tell(self, server: Name, probes: Sequence[Probe]) -> None:
        """Note what the first address said."""
        self._said[server].set_result(probes)

    async def say_the_same(self, server: Name, probes: Sequence[Probe], timeout: float) -> bool:
        """Tell whether another address said of the apex what the first did, and the first is well; ``timeout`` is one try's."""
        first = await soon(self._said[server], timeout * _MOMENT)
        if first is None:
            return False
        return all(map(_is_well, (*first, *probes))) and all(
            frozenset(one.rdatas(one.qname, one.qtype)) == frozenset(other.rdatas(other.qname, other.qtype))
            for one, other in zip(first, probes, strict=False)
        )


def _is_well(probe: Probe) -> bool:
    return probe.answered and probe.aa and probe.opt and probe.rcode in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN)
