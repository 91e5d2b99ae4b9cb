"""What was announced of a folder's zones, for those that have changed or gone: after a restart nothing older is served.

``announced`` is append-only. An entry has 20 octets (little-endian) and the apex in lower-case wire form::

    4   "SOA" and the format's version
    4   CRC-32 of what follows
    4   the serial
    4   when the zone's file went, in seconds since 1970; 0 where it is there
    4   octets of the apex

The last good entry of an apex counts. A zone that has never changed since its first image has none, and costs nothing: the image
in the pack tells what was served.
"""

from __future__ import annotations

import os
import struct
import zlib
from typing import TYPE_CHECKING

from mailname.errors import HostError
from mailname.server.atomic import sync_folder, write_atomic
from mailname.server.context import log
from mailname.server.durable import sync
from mailname.zone.serial import Serial

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_MARK = b"SOA\x01"
_ENTRY = struct.Struct("<4sI3I")
_CHECKED_FROM = 8
_LONGEST_NAME = 255
_LEAST = 64  # entries that a file may have, however few zones it tells of
REMEMBERED = 86_400.0  # seconds for which a zone whose file is gone may not come back with a lower serial


class Announced:
    """The serials announced of a folder's zones, in memory and in one file.

    Attributes:
        unwritten: zones whose last serial the disk has not taken.

    """

    def __init__(self, path: Path | None) -> None:
        """Begin with nothing. ``path``: the file; None where nothing is remembered beyond this process."""
        self._path = path
        self._known: dict[bytes, tuple[int, int]] = {}
        self._size = 0  # octets of the file up to its last good entry
        self._entries = 0
        self.unwritten: dict[bytes, None] = {}

    def open(self, *, is_ours: bool) -> None:
        """Read the file. Not ``is_ours``: another process writes it, or nobody can; what it says counts all the same."""
        if self._path is None:
            return
        try:
            octets = self._path.read_bytes()
        except FileNotFoundError:
            octets = b""
        except OSError as error:
            log.error("cannot read %s: %s; older zone files are not recognised", self._path, error.strerror)
            octets, is_ours = b"", False
        for apex, serial, gone, end in _good_entries(octets):
            self._known[apex] = (serial, gone)
            self._size = end
            self._entries += 1
        if not is_ours:
            self._path = None

    def __len__(self) -> int:
        return len(self._known)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._known)

    def serial(self, apex: bytes) -> Serial | None:
        """Return the serial below which a zone must not fall, if it is remembered here."""
        known = self._known.get(apex)
        return None if known is None else Serial(known[0])

    def is_gone(self, apex: bytes) -> bool:
        """Tell whether it is remembered that a zone's file is gone."""
        return self._known.get(apex, (0, 0))[1] != 0

    def forget_gone(self, now: float) -> list[bytes]:
        """Forget the zones whose files have been gone for long, and return them. ``now``: seconds since 1970."""
        forgotten = [apex for apex, (_, gone) in self._known.items() if gone and now - gone >= REMEMBERED]
        for apex in forgotten:
            del self._known[apex]
            self.unwritten.pop(apex, None)
        return forgotten

    def add(self, there: Mapping[bytes, Serial], gone: Mapping[bytes, Serial], now: float) -> None:
        """Remember what is about to be served, and what was served of zones whose files are gone; returns when it is on the disk.

        A disk that does not take it is told of, and asked again with the next one: the zone file itself is there.
        """
        self._known |= {apex: (serial.value, 0) for apex, serial in there.items()}
        self._known |= {apex: (serial.value, max(int(now), 1)) for apex, serial in gone.items()}
        if self._path is None:
            return
        self.unwritten |= dict.fromkeys((*there, *gone))
        if not self.unwritten:
            return
        try:
            self._write(self._path)
        except (OSError, HostError) as error:
            what = error.strerror if isinstance(error, OSError) else error
            log.error("%s: serials of %d zones are not remembered: %s", self._path, len(self.unwritten), what)
        else:
            self.unwritten.clear()

    def _write(self, path: Path) -> None:
        if self._entries + len(self.unwritten) > 2 * len(self._known) + _LEAST:
            octets = b"".join(_entry(apex, *known) for apex, known in self._known.items())
            write_atomic(path, octets)
            self._size, self._entries = len(octets), len(self._known)
            return
        octets = b"".join(_entry(apex, *self._known[apex]) for apex in self.unwritten)
        is_new = not path.exists()
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            os.ftruncate(handle, self._size)  # what was cut short
            left, at = memoryview(octets), self._size
            while left:
                written = os.pwrite(handle, left, at)
                left, at = left[written:], at + written
            sync(handle)
        finally:
            os.close(handle)
        if is_new:
            sync_folder(path.parent)
        self._size += len(octets)
        self._entries += len(self.unwritten)


def _entry(apex: bytes, serial: int, gone: int) -> bytes:
    checked = struct.pack("<3I", serial, gone, len(apex)) + apex
    return _MARK + struct.pack("<I", zlib.crc32(checked)) + checked


def _good_entries(octets: bytes) -> Iterator[tuple[bytes, int, int, int]]:
    """Yield apex, serial, time, and where it ends, of each good entry; what is spoiled between them is passed over."""
    at = octets.find(_MARK)
    while 0 <= at <= len(octets) - _ENTRY.size:
        _, crc, serial, gone, length = _ENTRY.unpack_from(octets, at)
        end = at + _ENTRY.size + length
        if length <= _LONGEST_NAME and end <= len(octets) and zlib.crc32(octets[at + _CHECKED_FROM : end]) == crc:
            yield octets[at + _ENTRY.size : end], serial, gone, end
            at = octets.find(_MARK, end)
        else:
            at = octets.find(_MARK, at + 1)
