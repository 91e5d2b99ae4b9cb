"""What a folder remembers of its zones: the serials announced, and how the last versions led to one another.

Only for zones whose new version is read, that go, or that somebody transfers; a zone that never changes costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailname.server.context import in_thread
from mailname.server.folder_announced import Announced
from mailname.server.folder_journals import FolderJournals, Step
from mailname.server.folder_reading import serial_of
from mailname.wire.octets import octets
from mailname.zone.image_zone import ImageZone

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from mailname.answer.images import Images
    from mailname.server.clock import Clock
    from mailname.server.ways import Way
    from mailname.zone import Serial, Zone


class FolderMemory:
    """What one folder remembers."""

    def __init__(self, folder: Path | None, clock: Clock) -> None:
        """Begin with nothing.

        Args:
            folder: of the images; None where nothing is kept.
            clock: what the time is.

        """
        self._clock = clock
        self.announced = Announced(None if folder is None else folder / "announced")
        self.journals = FolderJournals(None if folder is None else folder / "journals")

    def open(self, *, is_ours: bool) -> None:
        """Read what is remembered. Not ``is_ours``: another process writes there, or nobody can. For a thread."""
        self.announced.open(is_ours=is_ours)
        self.journals.open(is_ours=is_ours)
        self.announced.forget_gone(self._clock.wall())

    def fell(self, images: Images) -> list[bytes]:
        """Return the zones of which only an image is there that is older than what was announced. For a thread."""
        fell = []
        for apex in self.announced:
            image, told = _image(images, apex), self.announced.serial(apex)
            if image is not None and told is not None and told.is_newer_than(serial_of(image)):
                fell.append(apex)
        return fell

    def take(self, before: Images, after: Images, read: Collection[bytes], gone: Collection[bytes]) -> None:
        """Remember versions that are about to be served; returns when that is on the disk. For a thread.

        Args:
            before: what is served now, or was kept of it.
            after: what is about to be.
            read: the zones that were read.
            gone: the zones whose files are there no more.

        """
        if not len(before) and not len(self.announced):
            return
        steps, news = [], {}
        for apex in read:
            former, image = _image(before, apex), _image(after, apex)
            if image is None:
                continue
            if self.journals.has(apex):
                steps.append(Step(apex, None if former is None else ImageZone(former), ImageZone(image)))
            serial, known = serial_of(image), self.announced.serial(apex) if former is None else serial_of(former)
            if known is not None and (known != serial or self.announced.is_gone(apex)):
                news[apex] = serial
        left = {apex: serial_of(image) for apex in gone if (image := _image(before, apex)) is not None}
        now = self._clock.wall()
        self.journals.take(steps, gone)
        self.announced.add(news, left, now)

    async def keep(self, before: Zone | None, zone: Zone) -> None:
        """Remember a version of one zone, about to be served; returns when that is on the disk."""
        await in_thread(self._keep, before, zone)

    def _keep(self, before: Zone | None, zone: Zone) -> None:
        apex = octets(zone.apex).lower()
        if isinstance(zone, ImageZone):
            self.journals.take([Step(apex, before if isinstance(before, ImageZone) else None, zone)], ())
        known = self.announced.serial(apex) if before is None else before.serial
        if known is not None and (known != zone.serial or self.announced.is_gone(apex)):
            self.announced.add({apex: zone.serial}, {}, self._clock.wall())

    def ways(self, apex: bytes) -> FolderWays:
        """Return how the versions of a zone led to one another, for who transfers it: they are kept from now on."""
        self.journals.wanted(apex)
        return FolderWays(self.journals, apex)


class FolderWays:
    """How the versions of one zone of a folder led to one another."""

    def __init__(self, journals: FolderJournals, apex: bytes) -> None:
        self._journals = journals
        self._apex = apex

    def way(self, held: Serial, newest: Serial) -> Way | None:
        """Return how one version leads to another, None where that is not known."""
        return self._journals.way(self._apex, held, newest)


def _image(images: Images, apex: bytes) -> memoryview | None:
    number = images.number(apex)
    return images.image(number) if number >= 0 else None
