"""The zone images that are answered from, kept in step with the table of what is served."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from mailname.answer.images import Images
from mailname.zone import Zone
from mailname.zone.image import build_image, octets
from mailname.zone.image_zone import ImageZone

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from dns.name import Name

    from mailname.answer import Unserved


_LET_GO_AFTER = 0.5  # seconds; a worker begins anew at least every 0.2


class Worker(Protocol):
    """Who answers from images."""

    @property
    def turns(self) -> int:
        """How often it has begun anew; what it looked at before, it will not look at again."""

    def serve(self, images: Images) -> None:
        """Answer from these images from now on."""


class ServedImages:
    """One image for each zone that is served; none for a zone that cannot be served.

    Attributes:
        images: what is answered from.

    """

    def __init__(self, spawn: Callable[[Coroutine[Any, Any, None], object], None], options: tuple[int, ...] = ()) -> None:
        """Begin with no zone.

        Args:
            spawn: does something beside answering.
            options: the EDNS options that are left to the reference.

        """
        self._spawn = spawn
        self.images = Images({}, options)
        self._workers: list[Worker] = []
        # What was replaced, and at which of its turns each worker was then.
        self._retired: list[tuple[object, list[int]]] = []

    def tell(self, worker: Worker) -> None:
        """Keep a worker up to date."""
        self._workers.append(worker)

    def serve(self, apex: Name, entry: Zone | Unserved) -> None:
        """Follow the table: from now on nothing is answered from the image of an older version."""
        key = octets(apex).lower()
        if isinstance(entry, ImageZone):
            self._put(key, entry.image)
        else:
            self._put(key, build_image(entry) if isinstance(entry, Zone) else None)

    def drop(self, *apexes: Name) -> None:
        """Follow the table: these zones are no longer ours."""
        self.take(self.images.changed((), [octets(apex).lower() for apex in apexes]))

    def take(self, images: Images) -> None:
        """Answer from another set of zones from now on."""
        self._retire(self.images)
        self.images = images
        for worker in self._workers:
            worker.serve(images)

    def _put(self, key: bytes, block: bytes | memoryview | None) -> None:
        if key not in self.images:
            if self._workers:
                self.take(self.images.changed((key,), ()))
            else:
                self.images.add(key)
        self._retire(self.images.replace(key, block))

    def _retire(self, former: object) -> None:
        """Keep what was replaced until no worker can look at it any more."""
        if former is not None and self._workers:
            self._retired.append((former, [worker.turns for worker in self._workers]))
            if len(self._retired) == 1:
                self._spawn(self._let_go(), self)

    async def _let_go(self) -> None:
        while self._retired:
            await asyncio.sleep(_LET_GO_AFTER)
            turns = [worker.turns for worker in self._workers]
            self._retired = [
                (kept, then) for kept, then in self._retired if not all(a > b for a, b in zip(turns, then, strict=True))
            ]
