"""What the zones of one server share: network, clock, keys, state folder, and the table of what is served."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mailname.answer import Unserved, ZoneTable
from mailname.server.config import own_address

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from dns.name import Name

    from mailname.server.clock import Clock
    from mailname.server.network import Endpoint, IPAddress, Network
    from mailname.server.store import Store
    from mailname.wire.tsig import Key
    from mailname.zone import Zone

log = logging.getLogger("mailname")


@dataclass(slots=True)
class Context:
    """One server's surroundings, as its zones see them."""

    network: Network
    clock: Clock
    listen: tuple[Endpoint, ...]
    keys: Mapping[Name, Key]
    store: Store | None
    wake: Callable[[], None]
    table: ZoneTable = field(default_factory=ZoneTable)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    listening: asyncio.Event = field(default_factory=asyncio.Event)

    def serve(self, apex: Name, entry: Zone | Unserved) -> None:
        """Swap what is served for a zone: one pointer, so that no question sees half of it."""
        self.table = self.table.with_zone(apex, entry)

    def source_for(self, peer: IPAddress) -> IPAddress | None:
        """Return the address to speak from to a peer."""
        return own_address(self.listen, peer)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something beside answering, once we listen: a NOTIFY must not call a secondary to a closed door.

        A fault in it is logged, and ends nothing else.
        """
        task = asyncio.get_running_loop().create_task(self._when_listening(work))
        self.tasks.add(task)
        task.add_done_callback(lambda done: self._done(done, work))

    async def _when_listening(self, work: Coroutine[Any, Any, None]) -> None:
        await self.listening.wait()
        await work

    def _done(self, task: asyncio.Task[None], work: Coroutine[Any, Any, None]) -> None:
        work.close()  # it may never have begun
        self.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("a task failed: %r", error, exc_info=error)


def bare(apex: Name) -> str:
    """Write a zone's name for people: without the final dot, the root as ``.``."""
    return apex.to_text(omit_final_dot=True) if len(apex.labels) > 1 else "."
