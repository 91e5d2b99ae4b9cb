"""Zone images on disk: what was read once is mapped at the next start, as long as the text has not changed.

An image is a cache of the zone's text. It carries a stamp of the text's file (size, time of change, inode) and a checksum; one
that is damaged, foreign, of another layout or out of date is not used, and made anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import mmap
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailname.errors import HostError
from mailname.server.atomic import write_atomic
from mailname.server.zonefiles import file_stem, includer
from mailname.zone.image import STAMP_AT, STAMP_SIZE, check_image, octets, sealed
from mailname.zone.load import Loader

if TYPE_CHECKING:
    from pathlib import Path

    from dns.name import Name

    from mailname.errors import Mistake
    from mailname.zone.load import ReadImage

SUFFIX = ".image"
_LARGEST = 1 << 31


@dataclass(frozen=True, slots=True)
class LoadedImage:
    """A zone's image, mapped or built.

    Attributes:
        image: the image; a mapped one stays mapped for as long as this is held.
        warnings: of reading the text; none when the image was mapped, because then the text had none.
        mapped: it came from the disk.

    """

    image: bytes | memoryview
    warnings: tuple[Mistake, ...]
    mapped: bool


def image_path(folder: Path, apex: Name) -> Path:
    """Return where the image of a zone lies."""
    return folder / f"{file_stem(apex)}{SUFFIX}"


def stamp_of(path: Path) -> bytes:
    """Return what changes whenever the file does: its size, time of change and inode, in 16 octets. Raises OSError."""
    found = path.stat()
    words = f"{found.st_size} {found.st_mtime_ns} {found.st_ino}"
    return hashlib.blake2b(words.encode(), digest_size=STAMP_SIZE).digest()


def save_image(folder: Path, apex: Name, image: bytes, stamp: bytes) -> None:
    """Keep an image for the next start. Raises HostError when it cannot be."""
    write_atomic(image_path(folder, apex), sealed(image, stamp), durable=False)


def map_image(folder: Path, apex: Name, stamp: bytes) -> memoryview | None:
    """Return the image that was kept, or None when there is none that can be used."""
    try:
        handle = os.open(image_path(folder, apex), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        size = os.fstat(handle).st_size
        if not 0 < size < _LARGEST:
            return None
        block = mmap.mmap(handle, size, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ)
    except OSError:
        return None
    finally:
        os.close(handle)
    image = memoryview(block)
    try:
        check_image(image, octets(apex).lower())
        if image[STAMP_AT : STAMP_AT + STAMP_SIZE] == stamp:
            return image
    except ValueError:
        pass
    image.release()
    block.close()
    return None


def load_or_build(path: Path, apex: Name, cache_folder: Path, *, loader: Loader | None = None) -> LoadedImage:
    """Map a zone's image, or read its text as ``read_zone_file`` does and keep the image of it.

    A text with warnings, or with ``$INCLUDE``, is read at each start: the warnings are told again, and an included file may have
    changed. That the image cannot be kept is no reason not to serve it.

    Args:
        path: the zone's text.
        apex: the zone's name.
        cache_folder: where images are kept; nobody else writes there.
        loader: one to use again; it belongs to one thread at a time.

    Raises:
        ZoneError: the text is not a zone.
        HostError: it cannot be read.

    """
    try:
        stamp = stamp_of(path)
        mapped = map_image(cache_folder, apex, stamp)
        if mapped is not None:
            return LoadedImage(mapped, (), mapped=True)
        text = path.read_bytes()
    except OSError as error:
        remedy = "Publish the zone, or correct the path in the configuration."
        raise HostError(f"cannot read {path}: {error.strerror}", remedy=remedy, step="load") from error
    include = _Watched(path.parent)
    read = _read(loader or Loader(), text, path, apex, include)
    if not read.warnings and not include.used:
        with contextlib.suppress(HostError, OSError):
            if stamp == stamp_of(path):  # else the text was read while somebody wrote it
                save_image(cache_folder, apex, read.image, stamp)
    return LoadedImage(read.image, read.warnings, mapped=False)


def _read(loader: Loader, text: bytes, path: Path, apex: Name, include: _Watched) -> ReadImage:
    try:
        return loader.load(text, str(path), apex, include=include)
    except UnicodeDecodeError:  # old archives: only comments and strings may hold such octets
        return loader.load(text.decode("latin-1").encode(), str(path), apex, include=include)


class _Watched:
    """Includes files, and remembers that there were any."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.used = False

    def __call__(self, name: str) -> tuple[str, str]:
        self.used = True
        return includer(self._folder)(name)
