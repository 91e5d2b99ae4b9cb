"""A name server's manners towards strangers, asked once for all domains that it serves: recursion, and versions of EDNS to come.

Neither depends on the zone. What does, such as its data, or how long a copy of it lasts, is asked for each domain.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mailname.checks.asking import Asker
from mailname.checks.facts import EDNS_VERSION
from mailname.checks.observe_servers import FOREIGN
from mailname.checks.once import once

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable

    from dns.name import Name
    from dns.rdatatype import RdataType

    from mailname.checks.asking import Addressee, Budget
    from mailname.checks.facts import Probe, Transport
    from mailname.checks.world import World
    from mailname.server.network import Endpoint, IPAddress, Network

Manners = dict[tuple["Endpoint", str], "asyncio.Future[Probe]"]


class OneOfMany(Asker):
    """Asks for one of many domains; what was seen of a server's manners before is a fact of this domain as well."""

    def __init__(
        self,
        network: Network,
        world: World,
        budgets: dict[tuple[Endpoint, Transport], Budget],
        turn: Callable[[IPAddress], Awaitable[None]],
        manners: Manners,
    ) -> None:
        """Begin with nothing asked of this domain; the rest is shared with the looks at the others."""
        super().__init__(network, world, budgets, turn, keeps_ports=True)
        self._manners = manners

    async def ask(
        self,
        whom: Addressee,
        qname: Name,
        qtype: RdataType,
        *,
        transport: Transport = "udp",
        recurse: bool = False,
        keep: bool = True,
    ) -> Probe:
        """Ask one question, or take the answer that another look had to the same."""
        if not recurse or qname is not FOREIGN:
            return await super().ask(whom, qname, qtype, transport=transport, recurse=recurse, keep=keep)
        asked = super().ask
        return await self._seen_before(whom, lambda: asked(whom, qname, qtype, transport=transport, recurse=recurse, keep=False))

    async def ask_in_words(self, whom: Addressee, qname: Name, qtype: RdataType, wire: bytes, *, keep: bool = True) -> Probe:
        """Ask with a message that is written already; how versions to come are taken has been seen, perhaps."""
        asked = super().ask_in_words
        if whom.rung != EDNS_VERSION:
            return await asked(whom, qname, qtype, wire, keep=keep)
        return await self._seen_before(whom, lambda: asked(whom, qname, qtype, wire, keep=False))

    async def _seen_before(self, whom: Addressee, ask: Callable[[], Awaitable[Probe]]) -> Probe:
        seen = await once(self._manners, (whom.endpoint, whom.rung), ask)
        probe = replace(seen, zone=whom.zone, server=whom.server)
        self.probes.append(probe)
        return probe
