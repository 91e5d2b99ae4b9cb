"""Packs on disk: what was read once is mapped at the next start, as long as its source has not changed.

Packs are a cache of zone texts. One that is damaged, cut or of another version is removed, and its zones are read again; that
none can be written is no reason not to serve. One process at a time writes; another one on the same folder only reads.
"""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, cast

from mailname.errors import HostError
from mailname.server.atomic import remove_unfinished, remove_unneeded, write_atomic
from mailname.zone.pack import HEADER, PackWriter, check_pack

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from mailname.answer.images import Images

    Block = bytes | memoryview

FULL = 4096  # zones of one pack
LARGE = 1 << 24  # octets, after which a pack is full

_SHORT = 1 << 20  # octets of a pack that is read, not mapped: who cuts a mapped file short from outside ends the server (SIGBUS)
_MOST_SMALL = 16  # packs that hold less than half of what they might
_SUFFIX = ".pack"
_LOCK = "lock"


class PackFolder:
    """The packs of one folder, or, without a folder, in memory only.

    Attributes:
        folder: where they are; None where nothing is kept.

    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self._paths: dict[int, Path] = {}  # by the identity of the block, which is held for as long as it is known
        self._blocks: dict[int, Block] = {}
        self._next = 1
        self._lock: int | None = None
        self._adding = threading.Lock()

    def _take_lock(self, folder: Path) -> None:
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:  # another server writes here
                os.close(handle)
            else:
                self._lock = handle
                remove_unfinished(folder)

    @property
    def is_ours(self) -> bool:
        """Whether we write here."""
        return self._lock is not None

    def close(self) -> None:
        """Let another server write here. What is mapped stays mapped for as long as somebody holds it."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def open(self) -> list[Block]:
        """Map all good packs, the older ones first; remove the others."""
        if self.folder is None:
            return []
        self._take_lock(self.folder)
        paths = sorted(path for path in self.folder.glob(f"*{_SUFFIX}") if path.stem.isdigit())
        good: list[Block] = []
        with ThreadPoolExecutor(min(os.cpu_count() or 1, 4)) as threads:  # checksums are made without the interpreter's lock
            for path, block in zip(paths, threads.map(_read_good, paths), strict=True):
                self._next = max(self._next, int(path.stem) + 1)
                if block is not None:
                    self._know(block, path)
                    good.append(block)
                elif self.is_ours:
                    remove_unneeded(path)
        return good

    def _know(self, block: Block, path: Path) -> None:
        self._blocks[id(block)] = block
        self._paths[id(block)] = path

    def add(self, writer: PackWriter) -> Block:
        """Keep a pack, and return it: mapped where it could be written, else from memory."""
        parts = writer.finish()
        if self.folder is not None and self.is_ours:
            with self._adding:
                path = self.folder / f"{self._next:08}{_SUFFIX}"
                self._next += 1
            with contextlib.suppress(HostError, OSError):
                write_atomic(path, parts, durable=False)
                if (block := _octets(path)) is not None:
                    self._know(block, path)
                    return block
        return b"".join(parts)

    def keep(self, blocks: Collection[Block]) -> None:
        """Remove all packs but these."""
        wanted = {id(block) for block in blocks}
        for known in [known for known in self._paths if known not in wanted]:
            del self._blocks[known]
            path = self._paths.pop(known)
            if self.is_ours:
                remove_unneeded(path)


def tidied(folder: PackFolder, images: Images) -> Images:
    """Write packs anew of which half is gone, or that are small and many; remove those from which nothing is answered.

    Returns:
        The same zones with the same images. The former object still holds the former packs.

    """
    live = images.live()
    small = [place for place, count in enumerate(live) if 0 < count < FULL // 2]
    old = [
        place
        for place, block in enumerate(images.packs)
        if 2 * live[place] < HEADER.unpack_from(block)[2] or (place in small and len(small) > _MOST_SMALL)
    ]
    other: Images = images.changed((), ())
    writer = PackWriter()
    for place in old:
        for number in images.in_pack(place):
            image, stamp = images.image(number), images.stamp(number)
            assert image is not None  # it lies in the pack
            assert stamp is not None
            writer.add(image, stamp)
            if writer.zones == FULL or writer.size > LARGE:
                other.add_pack(folder.add(writer))
                writer = PackWriter()
    if writer.zones:
        other.add_pack(folder.add(writer))
    tidy: Images = other.changed((), ())
    folder.keep(tidy.packs)
    return tidy


def _octets(path: Path) -> Block | None:
    """Read a small pack, map a large one."""
    with path.open("rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        if size <= _SHORT:
            return file.readall() or None
        return memoryview(mmap.mmap(file.fileno(), size, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ))


def _read_good(path: Path) -> Block | None:
    """Read or map a pack if it is good. Pages that the check has mapped are given back: most zones are seldom asked for."""
    try:
        block = _octets(path)
        if block is None:
            return None
        check_pack(block)
    except (OSError, ValueError):
        return None
    if isinstance(block, memoryview) and hasattr(mmap, "MADV_DONTNEED"):
        cast("mmap.mmap", block.obj).madvise(mmap.MADV_DONTNEED)
    return block
