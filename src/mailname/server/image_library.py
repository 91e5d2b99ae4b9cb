"""Images of single zones, found on disk or made from their texts; what was made is kept for the next start."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from mailname.answer.images import Images
from mailname.errors import MailnameError
from mailname.server.folder_reading import kept_stamp, stamp_of
from mailname.server.pack_folder import FULL, LARGE, PackFolder, tidied
from mailname.server.zonefiles import read_image
from mailname.wire.octets import octets
from mailname.zone.image_zone import ImageZone
from mailname.zone.load import Loader
from mailname.zone.pack import NO_STAMP, PackWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from dns.name import Name

    from mailname.errors import Mistake


class LoadedZone(NamedTuple):
    """A zone read from its file, or mapped.

    Attributes:
        zone: it.
        warnings: of reading the text; a text with warnings is read at each start, so that they are told again.
        mapped: it came from a pack, made of the same file at an earlier start.

    """

    zone: ImageZone
    warnings: tuple[Mistake, ...]
    mapped: bool


class ImageLibrary:
    """The images that are kept of zones with a configuration of their own. Its methods may be called from several threads."""

    def __init__(self, folder: Path | None) -> None:
        self._packs = PackFolder(folder)
        self._images = Images()
        self._new: dict[bytes, tuple[bytes | memoryview, bytes]] = {}
        self._changing = threading.Lock()
        self._own = threading.local()
        self._on_news: Callable[[], object] = _nothing

    def open(self, on_news: Callable[[], object]) -> None:
        """Find what is kept. ``on_news`` is called, in any thread, when there is something to write."""
        self._on_news = on_news
        take_packs(self._packs, self._images)

    def close(self) -> None:
        """Write what is new, and let another server write here."""
        self.flush()
        self._packs.close()

    def load(self, path: Path, apex: Name) -> LoadedZone:
        """Map a zone's image if its file has not changed since it was made; else read the file.

        Raises:
            ZoneError: what is wrong in it, with file, line and column.
            HostError: the file cannot be read.

        """
        key = octets(apex).lower()
        stamp = b""
        with suppress(OSError):
            stamp = stamp_of(path.stat())
        if (kept := self.find(path, apex)) is not None:
            return LoadedZone(kept, (), mapped=True)
        if not hasattr(self._own, "loader"):
            self._own.loader = Loader()
        read = read_image(path, octets(apex), self._own.loader)
        if read.is_plain:
            self._keep(key, read.image, kept_stamp(stamp))
        return LoadedZone(ImageZone(read.image), read.warnings, mapped=False)

    def load_each(self, those: Sequence[tuple[Path, Name]]) -> list[LoadedZone | Exception | None]:
        """Do ``load`` for several zones; tell for each what is wrong."""
        found: list[LoadedZone | Exception | None] = []
        for path, apex in those:
            try:
                found.append(self.load(path, apex))
            except MailnameError as error:
                found.append(error.with_traceback(None))  # which leads to this list: all that was read would stay with it
        return found

    def find(self, path: Path, apex: Name) -> ImageZone | None:
        """Return the image that was kept of a zone, if the file has not changed since."""
        try:
            stamp = stamp_of(path.stat())
        except OSError:
            return None
        image = self._kept(octets(apex).lower(), stamp)
        return None if image is None else ImageZone(image)

    def keep(self, path: Path, zone: ImageZone) -> None:
        """Keep a zone's image, whose text was just written to ``path``."""
        with suppress(OSError):
            # Nobody but us writes there, so that the file's time need not lie in the past.
            self._keep(octets(zone.apex).lower(), zone.image, stamp_of(path.stat()))

    def _kept(self, key: bytes, stamp: bytes) -> memoryview | None:
        with self._changing:
            number = self._images.number(key)
            found: memoryview | None = None
            if number >= 0 and stamp != NO_STAMP and self._images.stamp(number) == stamp:
                found = self._images.image(number)
            return found

    def _keep(self, key: bytes, image: bytes | memoryview, stamp: bytes) -> None:
        if self._packs.is_ours and stamp != NO_STAMP:
            with self._changing:
                self._new[key] = (image, stamp)
            self._on_news()

    def flush(self) -> None:
        """Write what is new."""
        with self._changing:
            new, self._new = self._new, {}
            writer = PackWriter()
            for image, stamp in new.values():
                writer.add(image, stamp)
                if writer.zones == FULL or writer.size > LARGE:
                    self._add(writer)
                    writer = PackWriter()
            if writer.zones:
                self._add(writer)
            if new:
                self._images = tidied(self._packs, self._images)

    def _add(self, writer: PackWriter) -> None:
        self._images.add_pack(self._packs.add(writer))

    def forget_others(self, served: set[bytes]) -> None:
        """Forget the images of zones that are not served any more. ``served``: apexes in lower-case wire form."""
        with self._changing:
            for number in self._images.numbers():
                if self._images.apex(number) in served:
                    self._images.mark(number)
            self._images = tidied(self._packs, self._images.marked())


def _nothing() -> None:
    """Tell nobody: nothing is written before ``open``."""


def take_packs(packs: PackFolder, images: Images) -> None:
    """Add the zones of all packs that are kept; what is no good is removed, and read from text again."""
    for block in packs.open():
        # Nothing is taken of an entry that leads elsewhere; what it hides is read from text again.
        with suppress(ValueError):
            images.add_pack(block)
