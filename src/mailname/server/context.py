"""What the zones of one server share: network, clock, keys, state folder, and the table of what is served."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from dns.name import Name

from mailname.answer import Unserved, ZoneTable
from mailname.server.by_udp import ByUdp
from mailname.server.config import own_address
from mailname.server.datagram_lines import DatagramLines
from mailname.server.disk_turns import DiskTurns
from mailname.server.history import History
from mailname.server.image_library import ImageLibrary
from mailname.server.key_use import KeyUse
from mailname.server.late_records import LateRecords
from mailname.server.transfer_turns import TransferTurns
from mailname.transfer.transfer_limits import TransferLimits

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from mailname.server.clock import Clock
    from mailname.server.network import Endpoint, IPAddress, Network
    from mailname.server.served_images import ServedImages
    from mailname.server.store import Store
    from mailname.server.timetable import Timed
    from mailname.server.tls import TlsFiles
    from mailname.wire.tsig_key import Key
    from mailname.zone import Zone

log = logging.getLogger("mailname")
P = ParamSpec("P")
T = TypeVar("T")
J = TypeVar("J")
R = TypeVar("R")


@dataclass(slots=True)
class Context:
    """One server's surroundings, as its zones see them.

    Attributes:
        private: zones that are answered to those alone who may transfer them, so that no image of them is answered from.
        watchers: who is told of each version of a zone that is served from now on.
        on_the_spot: what waits for a quick disk may be done in the event loop, since plain questions are answered elsewhere.
        not_taken_over: when and why the last change of the configuration was refused; None where it is the one at work.

    """

    network: Network
    clock: Clock
    listen: tuple[Endpoint, ...]
    keys: Mapping[Name, Key]
    store: Store | None
    wake: Callable[[Timed], None]
    table: ZoneTable = field(default_factory=ZoneTable)
    tasks: dict[asyncio.Task[None], object] = field(default_factory=dict)
    listening: asyncio.Event = field(default_factory=asyncio.Event)
    transfers: TransferTurns = field(default_factory=TransferTurns)
    notifies: DatagramLines = field(default_factory=DatagramLines)
    changes: DatagramLines = field(default_factory=DatagramLines)
    by_udp: ByUdp = field(default_factory=ByUdp)
    limits: TransferLimits = field(default_factory=TransferLimits)
    images: ServedImages | None = None
    tls_files: TlsFiles | None = None
    key_use: KeyUse = field(default_factory=KeyUse)
    spread: float = 0.0  # seconds over which a server with many zones asks its first questions
    library: ImageLibrary = field(default_factory=lambda: ImageLibrary(None))
    history: History = field(default_factory=lambda: History(None))
    private: AbstractSet[Name] = frozenset()
    not_taken_over: str | None = None
    on_the_spot: bool = False
    watchers: Mapping[Name, Callable[[Zone], None]] = field(default_factory=dict)
    records: LateRecords = field(init=False)
    _together: dict[object, DiskTurns[Any, Any]] = field(default_factory=dict)
    #: Texts that follow what is in the journals already are written one after the other.
    writing_texts: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self.records = LateRecords(self.spawn)

    async def close_lines(self) -> None:
        """End what is kept open to other servers. Nobody uses it any more."""
        self.notifies.close()
        self.changes.close()
        await self.transfers.close()

    async def together(
        self, work: Callable[[Sequence[J]], Sequence[R | Exception | None]], job: J, *, on_the_spot: bool = True
    ) -> R | None:
        """Do a short piece of work in a thread, together with the others of its kind that come meanwhile."""
        turns: DiskTurns[J, R] | None = self._together.get(work)
        if turns is None:
            turns = self._together[work] = DiskTurns(work, on_the_spot=on_the_spot and self.on_the_spot)
        return await turns.do(job)

    def serve(self, apex: Name, entry: Zone | Unserved) -> None:
        """Swap what is served for a zone: one pointer, so that no question sees half of it."""
        self.table = self.table.replacing(apex, entry)
        if self.images is not None:
            self.images.serve(apex, Unserved("private") if apex in self.private else entry)
        if not isinstance(entry, Unserved) and (watcher := self.watchers.get(apex)) is not None:
            watcher(entry)

    def drop(self, *apexes: Name) -> None:
        """Serve zones no longer: many cost hardly more than one."""
        if apexes:
            self.table = self.table.without(*apexes)
            if self.images is not None:
                self.images.drop(*apexes)

    def source_for(self, peer: IPAddress) -> IPAddress | None:
        """Return the address to speak from to a peer."""
        return own_address(self.listen, peer)

    def spawn(self, work: Coroutine[Any, Any, None], owner: object) -> None:
        """Do something beside answering, once we listen: a NOTIFY must not call a secondary to a closed door.

        A fault in it is logged, and ends nothing else. ``owner`` is the zone at work, for ``end_tasks``.
        """
        task = asyncio.get_running_loop().create_task(self._when_listening(work))
        self.tasks[task] = owner
        task.add_done_callback(lambda done: self._done(done, work))

    async def end_tasks(self, owner: object = None) -> None:
        """End the tasks of one zone, or all. When this returns, none of them runs or writes any more."""
        ending = [task for task, whose in self.tasks.items() if owner is None or whose is owner]
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)

    async def _when_listening(self, work: Coroutine[Any, Any, None]) -> None:
        await self.listening.wait()
        await work

    def _done(self, task: asyncio.Task[None], work: Coroutine[Any, Any, None]) -> None:
        work.close()  # it may never have begun
        del self.tasks[task]
        if not task.cancelled() and (error := task.exception()):
            log.error("a task failed: %r", error, exc_info=error)


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a file operation in a thread. Who is cancelled meanwhile still waits for its end: a write is never left behind."""
    running = asyncio.ensure_future(asyncio.to_thread(function, *args, **kwargs))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        if not running.cancelled():
            running.exception()  # looked at: nobody else will
        raise


def bare(apex: Name) -> str:
    """Write a zone's name for people: without the final dot, the root as ``.``."""
    return _text(apex.labels) if len(apex.labels) > 1 else "."


@lru_cache(maxsize=1 << 14)
def _text(labels: tuple[bytes, ...]) -> str:
    return Name(labels).to_text(omit_final_dot=True)
