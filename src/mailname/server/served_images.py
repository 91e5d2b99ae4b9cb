"""The zone images that the UDP workers answer from, kept in step with the table of what is served."""

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

_AT_ONCE = 200  # records; laying out more is done in a thread, and questions go to the reference meanwhile


class Worker(Protocol):
    """Who answers from images."""

    def serve(self, images: Images) -> None:
        """Answer from these images from now on."""


class ServedImages:
    """One image for each zone that is served; none while it is being laid out, or for a zone that cannot be served."""

    def __init__(
        self,
        now: Callable[[], float],
        spawn: Callable[[Coroutine[Any, Any, None], object], None],
        options: tuple[int, ...] = (),
    ) -> None:
        """Begin with no zone.

        Args:
            now: a clock that never goes back.
            spawn: does something beside answering.
            options: the EDNS options that are left to the reference.

        """
        self._options = options
        self._now = now
        self._spawn = spawn
        self._served: dict[bytes, Zone | None] = {}
        self._blocks: dict[bytes, bytes | memoryview | None] = {}
        self._images: Images | None = None
        self._workers: list[Worker] = []

    def images(self) -> Images:
        """Return what to begin with."""
        if self._images is None:
            self._images = Images(self._blocks, self._options)
        return self._images

    def tell(self, worker: Worker) -> None:
        """Keep a worker up to date."""
        self._workers.append(worker)

    def serve(self, apex: Name, entry: Zone | Unserved) -> None:
        """Follow the table: from now on nothing is answered from the image of an older version."""
        key = octets(apex).lower()
        zone = entry if isinstance(entry, Zone) else None
        self._served[key] = zone
        if isinstance(zone, ImageZone):
            self._put(key, zone.image)
            return
        if zone is not None and zone.record_count <= _AT_ONCE:
            self._put(key, build_image(zone))
            return
        self._put(key, None)
        if zone is not None:
            self._spawn(self._lay_out(key, zone), self)

    async def _lay_out(self, key: bytes, zone: Zone) -> None:
        block = await asyncio.to_thread(build_image, zone)
        if self._served.get(key) is zone:
            self._put(key, block)

    def drop(self, apex: Name) -> None:
        """Follow the table: this zone is no longer ours."""
        key = octets(apex).lower()
        self._served.pop(key, None)
        self._blocks.pop(key, None)
        self._renew()

    def _put(self, key: bytes, block: bytes | memoryview | None) -> None:
        known = key in self._blocks
        self._blocks[key] = block
        if self._images is None:
            return
        if known:
            self._images.replace(key, block, self._now())
        else:
            self._renew()

    def _renew(self) -> None:
        """Make a new index: the set of zones has changed."""
        if self._images is not None:
            self._images = Images(self._blocks, self._options)
            for worker in self._workers:
                worker.serve(self._images)
