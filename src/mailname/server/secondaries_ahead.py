"""Is a secondary ahead of its primary? A primary asks when it starts, for a backup that was put back does not say that it is old.

Each secondary is asked once for its SOA, at the address to which it is notified; one that is away then, when it has acknowledged
a NOTIFY. That somebody at its address has fetched the zone
from us proves nothing: it may be another program. Nobody is asked of the zones of a folder.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from mailname.errors import TransferError
from mailname.server.each_key import as_used
from mailname.server.soa_question import ask_soa

if TYPE_CHECKING:
    from collections.abc import Callable

    from dns.name import Name

    from mailname.server.context import Context
    from mailname.server.timetable import Timed
    from mailname.transfer.actions import Peer
    from mailname.zone import Serial


@dataclass(slots=True)
class SecondariesAhead:
    """Those of one zone's secondaries that were not asked yet.

    Attributes:
        apex: its name.
        zone: at work, whose tasks the questions are.
        tell: takes what a secondary holds.

    """

    context: Context
    apex: Name
    zone: Timed
    tell: Callable[[Peer, Serial], None]
    unasked: set[Peer] = field(default_factory=set)
    chance: Callable[[], float] = random.random
    _asking: dict[Peer, bool] = field(default_factory=dict)  # whether it has acknowledged a NOTIFY meanwhile

    def begin(self) -> None:
        """Ask all, soon; with many zones, not in one moment."""
        for peer in self.unasked:
            self._asking[peer] = False
            self.context.spawn(self._ask(peer, self.chance() * self.context.spread), self.zone)

    def on_acknowledged(self, peer: Peer) -> None:
        """Ask a secondary that is there now."""
        if peer in self._asking:
            self._asking[peer] = True
        elif peer in self.unasked:
            self._asking[peer] = False
            self.context.spawn(self._ask(peer, 0.0), self.zone)

    async def _ask(self, peer: Peer, pause: float) -> None:
        await asyncio.sleep(pause)
        try:
            while peer in self.unasked and not await self._knows(peer) and self._asking[peer]:
                self._asking[peer] = False  # it did not answer, and was there soon after: once more
        finally:
            del self._asking[peer]

    async def _knows(self, peer: Peer) -> bool:
        """Ask; tell whether it needs no further question."""
        try:
            # By UDP as a NOTIFY, whatever transfers take: the port is the one for questions.
            serial = await ask_soa(self.context, as_used(self.context, replace(peer, tls=None)), self.apex)
        except TransferError:
            return False  # it has no version, or is away; the NOTIFYs tell that
        self.unasked.discard(peer)
        self.tell(peer, serial)
        return True
