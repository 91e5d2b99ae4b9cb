"""A folder of zone files read into packs: many files at a time, in threads, without an object for each zone."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mailname.errors import HostError, ZoneError
from mailname.server.pack_folder import FULL, LARGE
from mailname.server.zonefiles import SUFFIX, apex_of, read_image
from mailname.wire.octets import octets
from mailname.zone.image import HEADER
from mailname.zone.image_zone import same_octets
from mailname.zone.load import Loader
from mailname.zone.pack import ENTRY, HEADER_SIZE, NO_STAMP, STAMP_SIZE, PackWriter
from mailname.zone.serial import Serial

try:
    from mailname.server.folder_scan import PlainFiles, look
except ImportError:  # no compiler was at hand when mailname was installed
    PlainFiles = None

    def look(folder: int, names: list[bytes], _: Images) -> list[tuple[bytes, bytes, bytes]]:
        """Return all files, none of whose names is plain enough to be read here: the rest is done one by one."""
        others = []
        for name in names:
            try:
                stamp = stamp_of(os.stat(name, dir_fd=folder))
            except OSError:
                stamp = b""
            others.append((name, stamp, b""))
        return others


if TYPE_CHECKING:
    from collections.abc import Collection

    from mailname.answer.images import Images
    from mailname.errors import Mistake
    from mailname.server.folder_announced import Announced
    from mailname.server.pack_folder import Block, PackFolder

_SOON = 100_000_000  # ns; a file that changed just now may change again without showing it
_END = SUFFIX.encode()


class ZoneFile(NamedTuple):
    """One file of the folder. The stamp is empty where the file cannot be looked at."""

    name: bytes
    stamp: bytes
    apex: bytes


@dataclass(slots=True)
class FolderReading:
    """What was found in a folder.

    Attributes:
        blocks: packs of the zones that were read.
        large: zones that are large: apex, image, stamp. They are packed when there is time.
        unusual: zones that somebody has to look at: the file cannot be read, or is not a higher version of what is served.
        spelled: zones whose files are not named as plainly as ``file_stem`` would, with the files' names.
        warnings: of reading the texts, with the zones' apexes.
        files: how many there are.
        read: how many of them were read.

    """

    blocks: list[Block] = field(default_factory=list)
    large: list[tuple[bytes, bytes, bytes]] = field(default_factory=list)
    unusual: list[ZoneFile] = field(default_factory=list)
    spelled: dict[bytes, bytes] = field(default_factory=dict)
    warnings: list[tuple[bytes, Mistake]] = field(default_factory=list)
    files: int = 0
    read: int = 0


def stamp_of(seen: os.stat_result) -> bytes:
    """Return what changes whenever a file does: time of change, size, inode; as ``folder_files.h`` does."""
    whole = (seen.st_mtime_ns & ~(-1 << 64)).to_bytes(8, "little")
    return whole + (seen.st_size & 0xFFFFFFFF).to_bytes(4, "little") + (seen.st_ino & 0xFFFFFFFF).to_bytes(4, "little")


def kept_stamp(stamp: bytes) -> bytes:
    """Return the stamp under which an image may be found again: none where the file may have changed while it was read."""
    if len(stamp) != STAMP_SIZE or time.time_ns() - int.from_bytes(stamp[:8], "little") < _SOON:
        return NO_STAMP
    return stamp


def list_files(folder: Path) -> list[bytes]:
    """Return the names of a folder's zone files, sorted. Raises HostError when it cannot be read."""
    try:
        with os.scandir(os.fsencode(folder)) as entries:
            return sorted(one.name for one in entries if one.name.endswith(_END) and not one.name.startswith(b"."))
    except OSError as error:
        remedy = "Name the folder of the zone files."
        raise HostError(f"cannot read the folder {folder}: {error.strerror}", remedy=remedy, step="load") from error


class FolderReader:
    """Reads what has changed in a folder; each thread takes some files at a time.

    Args:
        folder: of the zone files.
        images: what is served of it; zones whose files are there get marked.
        packs: where what is read is kept.
        announced: the serials below which zones must not fall, as far as they are remembered beside the images.
        served: the images are answered from; else they are those that were, and a start reads much at once.
        attended: zones that somebody looks after already; they are unusual until nothing is wrong with them.

    """

    def __init__(
        self,
        folder: Path,
        images: Images,
        packs: PackFolder,
        announced: Announced,
        *,
        served: bool,
        attended: Collection[bytes] = (),
    ) -> None:
        self._folder = folder
        self._announced = announced
        self._images = images
        self._packs = packs
        self._served = served
        self._attended = attended
        self._left: deque[list[bytes]] = deque()
        self._found = FolderReading()
        self._adding = threading.Lock()

    def begin(self) -> None:
        """List the files. Raises HostError when the folder cannot be read."""
        names = list_files(self._folder)
        self._found.files = len(names)
        self._left.extend(names[at : at + FULL] for at in range(0, len(names), FULL))

    def work(self) -> None:
        """Read until nothing is left; for as many threads as there are cores.

        Raises:
            HostError: a file's name is not a zone's.

        """
        loader = Loader()
        handle = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            with contextlib.suppress(IndexError):  # another thread took the last one
                while True:
                    self._take(handle, self._left.popleft(), loader)
        finally:
            os.close(handle)

    def result(self) -> FolderReading:
        """Return what was found, once all threads have ended."""
        return self._found

    def _take(self, handle: int, names: list[bytes], loader: Loader) -> None:
        plain: list[ZoneFile] = []
        left: list[ZoneFile] = []
        for file in self._changed(handle, names):
            (plain if PlainFiles is not None and self._is_new(file) else left).append(file)
        writer = PackWriter()
        while plain:
            found = PlainFiles(handle, plain, loader.fast, time.time_ns() - _SOON, LARGE)
            others = {plain[place].apex for place in found.others} | self._behind(found)
            if len(others) > len(found.others):  # seldom: what may not be served is in no pack
                left += [file for file in plain[: found.taken] if file.apex in others]
                plain = [file for file in plain if file.apex not in others]
                continue
            left += [plain[place] for place in found.others]
            plain = plain[found.taken :]
            writer.begin_with(found.zones, found.images, found.entries, found.names)
            del found
            if plain:
                self._add(writer)
                writer = PackWriter()
        for file in left:
            try:
                image = self._read(file, loader)
            except (ZoneError, HostError):
                image = None
            if image is None:
                with self._adding:
                    self._found.unusual.append(file)
                continue
            if len(image[0]) > LARGE:
                with self._adding:
                    self._found.large.append((file.apex, *image))
                    self._found.read += 1
                continue
            writer.add(*image)
            if writer.size > LARGE:
                self._add(writer)
                writer = PackWriter()
        if writer.zones:
            self._add(writer)

    def _behind(self, found: PlainFiles) -> set[bytes]:
        """Return the zones that were read, and may not just so take the place of what was served of them before."""
        behind = set()
        if len(self._announced) or (len(self._images) and not self._served):
            images = memoryview(found.images)
            for at, size, _, _, name_at, length, _ in ENTRY.iter_unpack(found.entries):
                apex = found.names[name_at : name_at + length]
                if not self._may_follow(apex, images[at - HEADER_SIZE : at - HEADER_SIZE + size]):
                    behind.add(apex)
        return behind

    def _may_follow(self, apex: bytes, image: bytes | memoryview) -> bool:
        """Tell whether an image may take the place of what was served of a zone before."""
        told = self._announced.serial(apex)
        if told is not None and told.is_newer_than(serial_of(image)):
            return False
        number = self._images.number(apex)
        return number < 0 or _follows(image, self._images.image(number))

    def _is_new(self, file: ZoneFile) -> bool:
        """Tell whether nothing is served that the file has to be compared with."""
        return not self._served or (self._images.number(file.apex) < 0 and file.apex not in self._attended)

    def _add(self, writer: PackWriter) -> None:
        block = self._packs.add(writer)
        with self._adding:
            self._found.blocks.append(block)
            self._found.read += writer.zones

    def _changed(self, handle: int, names: list[bytes]) -> list[ZoneFile]:
        """Return the files whose zones have to be read; the others are marked."""
        changed = []
        for name, stamp, plain in look(handle, names, self._images):
            if plain:
                changed.append(ZoneFile(name, stamp, plain))
                continue
            apex = octets(apex_of(Path(os.fsdecode(name)))).lower()
            number = self._images.number(apex)
            if number >= 0 and self._images.stamp(number) == stamp:
                self._images.mark(number)
            elif number < 0 or not self._images.is_marked(number):
                changed.append(ZoneFile(name, stamp, apex))
            with self._adding:
                self._found.spelled[apex] = name
        return changed

    def _read(self, file: ZoneFile, loader: Loader) -> tuple[bytes, bytes] | None:
        """Return a zone's image and its stamp; None where the version served must not be followed by it just so."""
        if file.apex in self._attended:
            return None
        path = self._folder / os.fsdecode(file.name)
        read = read_image(path, file.apex, loader)
        if not self._may_follow(file.apex, read.image):
            return None
        for warning in read.warnings:
            with self._adding:
                self._found.warnings.append((file.apex, warning))
        return read.image, kept_stamp(file.stamp) if read.is_plain else NO_STAMP


def serial_of(image: bytes | memoryview) -> Serial:
    """Return the serial of an image."""
    return Serial(HEADER.unpack_from(image)[11])


def _follows(image: bytes | memoryview, former: memoryview | None) -> bool:
    """Tell whether an image may take the place of another: it has a higher serial, or is the same."""
    if former is None:
        return False
    one, other = serial_of(image), serial_of(former)
    return one.is_newer_than(other) or (one == other and same_octets(image, former))
